"""A database of any earlier scout is brought up to date with nothing lost, after a backup and a rehearsal; or left as it was."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import old_schemas
import pytest
from sqlite_utils import Database

from scout.store import Store, StoreError, copying
from scout.store.migrations import migrations

TURNED_INTO_OTHERS = {"thread_seen"}
"""What it held is in `thread_todo`: see `test_what_was_to_be_linked_still_is`."""


@pytest.fixture
def later() -> Iterator[list[Any]]:
    """Migrations of a scout to come, taken away again afterwards."""
    known = list(migrations._migrations)
    yield migrations._migrations
    migrations._migrations[:] = known


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return old_schemas.rows(connection)


@pytest.mark.parametrize("last", old_schemas.NAMES)
def test_every_released_schema_comes_forward_with_all_it_held(tmp_path: Path, last: str) -> None:
    before = old_schemas.make(tmp_path / "scout.db", last)
    with Store(tmp_path / "scout.db") as store:
        assert store.check() == []
        assert migrations.pending(store.db) == []
        after = old_schemas.rows(store.db.conn)
    for table, rows in before.items():
        if table in TURNED_INTO_OTHERS:
            continue
        assert [row[: len(rows[0])] for row in after[table]] == rows, table
    kept = list((tmp_path / "backups").glob("*.db"))
    if last == old_schemas.NAMES[-1]:
        assert kept == []  # nothing was to be done
    else:
        assert [content(file) for file in kept] == [before]
        assert copying.applied(kept[0])[-1] == last


def test_what_was_to_be_linked_still_is(tmp_path: Path) -> None:
    old_schemas.make(tmp_path / "scout.db", "m0019_harvests")
    with closing(sqlite3.connect(tmp_path / "scout.db", isolation_level=None)) as connection:
        connection.execute(
            "DELETE FROM thread_seen"
        )  # the second item was never looked at, the first is as it was looked at
        connection.execute("INSERT INTO thread_seen SELECT seq, changed_at FROM items WHERE seq = 1")
        connection.execute("DELETE FROM thread_keys")
        connection.executemany("INSERT INTO thread_keys VALUES (?, ?)", [(-5, 1), (9, 1)])
    with Store(tmp_path / "scout.db") as store:
        assert [row["seq"] for row in store.rows("SELECT seq FROM thread_todo")] == [2]
        assert store.keys.sharing([-5, 9, 10], most=60) == {
            -5: [1],
            9: [1],
        }


def test_an_upgrade_that_fails_leaves_the_file_as_it_was_and_says_so(tmp_path: Path, later: list[Any]) -> None:
    path = tmp_path / "scout.db"
    before = old_schemas.make(path, old_schemas.NAMES[-1])

    @migrations()
    def m9998_fine(db: Database) -> None:
        db.execute("CREATE TABLE fine (a)")

    @migrations()
    def m9999_stumbles(db: Database) -> None:
        db.execute("INSERT INTO items (id) VALUES (NULL)")

    with pytest.raises(
        StoreError, match=r"m?failed \(IntegrityError.*the database is as it was.*before-upgrade-m9998_fine"
    ):
        Store(path)
    assert content(path) == before
    assert copying.applied(path) == old_schemas.NAMES
    del later[-2:]
    with Store(path) as store:  # the scout that made it goes on with it
        assert store.items.count() == 2


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM feedback WHERE id = 1", "1 rows of feedback are lost"),
        ("INSERT INTO items_fts(items_fts) VALUES ('delete-all')", "the full-text index does not match"),
    ],
    ids=["lost rows", "lost index"],
)
def test_an_upgrade_that_leaves_damage_behind_is_not_done(
    tmp_path: Path, later: list[Any], statement: str, told: str
) -> None:
    path = tmp_path / "scout.db"
    before = old_schemas.make(path, old_schemas.NAMES[-1])

    @migrations()
    def m9999_harms(db: Database) -> None:
        db.execute(statement)

    with pytest.raises(StoreError, match=f"{told}.*the database is as it was"):
        Store(path)
    assert content(path) == before


def test_without_room_for_copies_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scout.db"
    old_schemas.make(path, old_schemas.NAMES[0])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(shutil, "disk_usage", lambda where: shutil._ntuple_diskusage(10**6, 10**6, 1000))
    with pytest.raises(StoreError, match="free some space, nothing was changed"):
        Store(path)
    assert copying.applied(path) == old_schemas.NAMES[:1]
    assert not (tmp_path / "backups").exists()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_only_the_newest_backups_before_upgrades_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "scout.db"
    for last in old_schemas.NAMES[:4]:
        path.unlink(missing_ok=True)
        old_schemas.make(path, last)
        Store(path).close()
    names = sorted(file.name for file in (tmp_path / "backups").iterdir())
    assert len(names) == copying.KEPT_UPGRADES
    assert [name.split("-")[2] for name in names] == old_schemas.NAMES[3:5]
