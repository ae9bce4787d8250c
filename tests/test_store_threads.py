"""Which items' links are to be made: the newest first, changed ones again, and of a large archive no more than must be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from thread_samples import NOON, paper

from scout.store import Store, threads


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(threads, "LOOKED", 10)
    with Store(tmp_path / "scout.db") as opened:
        opened.items.add([paper(n) for n in range(25)], NOON)
        yield opened


def unseen(store: Store, limit: int = 100) -> list[int]:
    return [each.seq for each in store.threads.unseen(limit)]


def seen(store: Store, seqs: range) -> None:
    store.threads.save([], seqs, NOON)


def test_the_newest_come_first_and_the_rest_in_later_runs(store: Store) -> None:
    found = []
    while batch := unseen(store, 7):
        seen(store, range(batch[0], batch[-1] + 1))
        found.append(batch)
    assert found == [list(range(19, 26)), list(range(12, 19)), list(range(5, 12)), list(range(1, 5))]


def test_what_arrives_and_what_changes_comes_again(store: Store) -> None:
    seen(store, range(1, 26))
    store.items.add([paper(99)], NOON)
    store.items.update([replace(paper(20), version=2, text="Another text.")], NOON + timedelta(days=1))
    assert unseen(store) == [21, 26]


def test_of_a_large_archive_not_every_item_is_read(store: Store) -> None:
    seen(store, range(1, 26))
    plans = []
    store.db.conn.set_trace_callback(plans.append)
    assert unseen(store) == []
    store.db.conn.set_trace_callback(None)
    bounds = [sql for sql in plans if "FROM items i" in sql]
    assert ["seq > 15" in bounds[0], "seq <= 0" in bounds[1]] == [True, True]
