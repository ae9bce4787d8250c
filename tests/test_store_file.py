"""Trouble with the file itself is told in words, and loses nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from scout.clock import now
from scout.items import SourceKind
from scout.store import Store, StoreError


def test_a_new_database_is_sound_and_in_wal(tmp_path: Path) -> None:
    with Store(tmp_path / "deep" / "scout.db") as store:
        assert store.check() == []
        assert store.value("PRAGMA journal_mode") == "wal"
        assert store.value("PRAGMA foreign_keys") == 1


def test_opening_twice_applies_each_migration_once(tmp_path: Path) -> None:
    Store(tmp_path / "scout.db").close()
    with Store(tmp_path / "scout.db") as store:
        names = [row["name"] for row in store.rows("SELECT name FROM _sqlite_migrations ORDER BY id")]
    assert names == sorted(set(names))
    assert len(names) >= 5


def test_a_database_of_a_newer_scout_is_left_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "scout.db") as store:
        store.db.conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('scout', 'm9999_later', '')"
        )
    with pytest.raises(StoreError, match="newer scout"):
        Store(tmp_path / "scout.db")


def test_a_locked_database_says_who_to_wait_for(tmp_path: Path) -> None:
    path = tmp_path / "scout.db"
    Store(path).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with Store(path, busy_seconds=0.05) as store:
        with pytest.raises(StoreError, match="another process is writing"):
            store.sources.add("a", SourceKind.FEED, "https://a.org/feed", at=now())
        holder.execute("ROLLBACK")
        assert store.sources.add("a", SourceKind.FEED, "https://a.org/feed", at=now())
    holder.close()


def test_a_full_disk_is_named_and_what_was_there_stays(tmp_path: Path) -> None:
    with Store(tmp_path / "scout.db") as store:
        store.sources.add("a", SourceKind.FEED, "https://a.org/feed", at=now())
        store.db.conn.execute(f"PRAGMA max_page_count = {store.value('PRAGMA page_count')}")
        with pytest.raises(StoreError, match="disk is full"):
            store.sources.add("b", SourceKind.FEED, "https://b.org/" + "x" * 100_000, at=now())
        assert [row.id for row in store.sources.all()] == ["a"]


@pytest.mark.parametrize("content", [b"hello" * 1000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "scout.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"scout\.db"):
        Store(tmp_path / "scout.db")
    assert (tmp_path / "scout.db").read_bytes()[: len(content)] == content


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StoreError, match="SCOUT_DATA_DIR"):
        Store(tmp_path / "data" / "scout.db")


def test_a_transaction_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with Store(tmp_path / "scout.db") as store:
        with pytest.raises(StoreError, match="half way"), store.writing():
            store.sources.add("a", SourceKind.FEED, "https://a.org/feed", at=now())
            raise StoreError("something went wrong half way")
        assert store.sources.all() == []
