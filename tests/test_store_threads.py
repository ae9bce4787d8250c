"""Which items' links are to be made: the newest first, changed ones again, and of a large archive none that is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from thread_samples import NOON, paper

from scout.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "scout.db") as opened:
        opened.items.add([paper(n) for n in range(25)], NOON)
        yield opened


def unseen(store: Store, limit: int = 100) -> list[int]:
    return [each.seq for each in store.threads.unseen(limit)]


def seen(store: Store, limit: int = 100) -> None:
    store.threads.save([], store.threads.unseen(limit), NOON)


def test_the_newest_come_first_and_the_rest_in_later_runs(store: Store) -> None:
    found = []
    while batch := unseen(store, 7):
        seen(store, 7)
        found.append(batch)
    assert found == [list(range(19, 26)), list(range(12, 19)), list(range(5, 12)), list(range(1, 5))]


def test_what_arrives_and_what_changes_comes_again(store: Store) -> None:
    seen(store)
    store.items.add([paper(99)], NOON)
    store.items.update([replace(paper(20), version=2, text="Another text.")], NOON + timedelta(days=1))
    store.items.update([replace(paper(3), comment="A word more.")], NOON + timedelta(days=1), keep_version=False)
    assert unseen(store) == [21, 26]


def test_what_changes_while_it_is_looked_at_is_looked_at_again(store: Store) -> None:
    looked_at = store.threads.unseen(100)
    store.items.update([replace(paper(20), version=2, text="Another text.")], NOON + timedelta(days=1))
    store.threads.save([], looked_at, NOON)
    assert unseen(store) == [21]


def test_what_is_deleted_waits_for_nothing(store: Store) -> None:
    store.items.delete(paper(20).id, NOON)
    assert unseen(store) == [*range(1, 21), *range(22, 26)]


def test_of_a_large_archive_nothing_is_read_that_is_done(store: Store) -> None:
    seen(store)
    plan = [
        row["detail"]
        for row in store.rows("EXPLAIN QUERY PLAN SELECT i.id FROM thread_todo t CROSS JOIN items i ON i.seq = t.seq")
    ]
    assert plan == ["SCAN t", "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)"]
    assert unseen(store) == []
