"""Keys in two levels answer as one table would, whatever was moved when; and what gathers in the full-text index is merged."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from thread_samples import NOON, paper

from scout.store import Store, keys, merging
from scout.store.keys import packed, unpacked

SEQS = [-(8 * 10**17), -1, 1, 2, 3, 999_999, 2**40]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(keys, "AT_ONCE", 7)
    with Store(tmp_path / "scout.db") as opened:
        yield opened


def sharing(store: Store, asked: list[int], *, most: int = 60) -> dict[int, list[int]]:
    return store.keys.sharing(asked, most=most)


@pytest.mark.parametrize("seed", range(5))
def test_two_levels_answer_as_one_table_would(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    names = [rng.randrange(-(2**63), 2**63) for _ in range(30)]
    expected: defaultdict[int, set[int]] = defaultdict(set)
    for _ in range(12):
        come = {seq: rng.sample(names, rng.randint(0, 6)) for seq in rng.sample(SEQS, 3)}
        store.keys.save(come)
        for seq, found in come.items():
            for key in found:
                expected[key].add(seq)
        if rng.random() < 0.5:
            store.keys.merge(gathered=1, most=rng.choice([1, 10, 10**6]))
        assert sharing(store, names) == {key: sorted(seqs) for key, seqs in expected.items()}
        assert sharing(store, names, most=2) == {key: sorted(seqs) for key, seqs in expected.items() if len(seqs) <= 2}


def test_nothing_is_moved_before_enough_has_gathered(store: Store) -> None:
    store.keys.save({1: range(10)})
    assert store.keys.merge(gathered=11) == 0
    assert store.value("SELECT count(*) FROM thread_lists") == 0
    assert store.keys.merge(gathered=10) == 10
    assert store.value("SELECT count(*) FROM thread_keys") == 0


def test_a_merge_that_is_killed_loses_no_key_and_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.keys.save({seq: range(20) for seq in SEQS})
    calls = iter([packed, packed, None])

    def killed(seqs: keys.Seqs) -> int | bytes:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return packed(seqs)

    monkeypatch.setattr(keys, "packed", killed)
    with pytest.raises(KeyboardInterrupt):
        store.keys.merge(gathered=1)
    assert sharing(store, list(range(20))) == dict.fromkeys(range(20), SEQS)
    monkeypatch.setattr(keys, "packed", packed)
    store.keys.merge(gathered=1)
    assert sharing(store, list(range(20))) == dict.fromkeys(range(20), SEQS)
    assert store.value("SELECT count(*) FROM thread_lists") == 20


@pytest.mark.parametrize("seqs", [[5], [-(8 * 10**17)], SEQS])
def test_a_list_is_read_as_it_was_written(seqs: list[int]) -> None:
    assert unpacked(packed(seqs)) == seqs


def parts(store: Store) -> int:
    return int(store.value("SELECT count(DISTINCT segid) FROM items_fts_idx"))


def test_the_parts_of_the_full_text_index_are_merged_after_a_run_and_not_amid_writing(store: Store) -> None:
    for n in range(12):
        store.items.add([paper(n, title=f"Planner {n}")], NOON)
    assert parts(store) == 12
    merging.merge(store)
    assert parts(store) < 4
    assert len(store.items.search("planner", limit=20)) == 12
    assert store.check() == []


def test_items_that_come_together_are_one_part_of_the_full_text_index(store: Store) -> None:
    store.items.add([paper(n, title=f"Planner {n}") for n in range(12)], NOON)
    assert parts(store) == 1
    assert len(store.items.search("planner", limit=20)) == 12


def test_of_two_items_of_one_id_that_come_together_the_first_is_kept(store: Store) -> None:
    store.items.add([paper(1, title="Known")], NOON)
    store.items.add([paper(2, title="First"), paper(1, title="Again"), paper(2, title="Second")], NOON)
    assert [each.item.title for each in store.items.listing()] == ["First", "Known"]
    assert {row["word"] for row in store.rows("SELECT word FROM words")} >= {"known", "first"}
    assert not {row["word"] for row in store.rows("SELECT word FROM words")} & {"again", "second"}
    assert merging.merge_index(store) == 0
