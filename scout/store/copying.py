"""A database copied while it is in use, and the way from an old schema to today's: a backup, a rehearsal, then the file itself.

A copy is one moment of the database, whoever writes meanwhile, in a file that needs no log beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from scout.store.migrations import migrations
from scout.store.soundness import faults

PAGES = 2_000
"""Copied at a time, so that an interrupt is heard."""
BEFORE_UPGRADE = "before-upgrade-"
KEPT_UPGRADES = 2
PRECIOUS = ("items", "feedback", "impressions", "digests", "readers", "sources")
"""No upgrade may leave fewer rows in these."""


class UpgradeFailed(Exception):
    """The schema could not be brought up to date; the message says what stands and what to do."""


def copy(source: Path, target: Path, *, step: Callable[[int, int], None] = lambda done, total: None) -> None:
    """`source` as it is now, in the new file `target`. `step` hears of pages copied and of all.

    Raises:
        FileExistsError: there is a `target`.
        sqlite3.Error, OSError: one of them cannot be read or written; no `target` is left behind.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists")
    half = target.with_name(f".{target.name}.part")
    _remove(half)
    try:
        with closing(_reading(source)) as one, closing(sqlite3.connect(half, isolation_level=None)) as other:
            one.execute("BEGIN")
            one.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it is one moment that is read
            one.backup(other, pages=PAGES, progress=lambda _, left, total: step(total - left, total))
            other.execute("PRAGMA journal_mode=DELETE")
        half.replace(target)
    finally:
        _remove(half)


def _reading(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10.0, isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-journal", f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def applied(path: Path) -> list[str]:
    """The names of the migrations that made the schema of the file, in their order; none where it is no database of ours."""
    with closing(_reading(path)) as connection:
        return [migration.name for migration in migrations.applied(Database(connection))]


def upgrade(db: Database, path: Path) -> Path | None:
    """Bring an old schema up to date; the backup that was made first, or None where there was nothing to lose.

    A copy is kept in `backups/` beside the file, another one is upgraded and looked at, and only then the file itself, in one
    transaction. The caller holds the lock under which a schema changes.

    Raises:
        UpgradeFailed: it did not go well on the copy, or the copy is not sound; the file is as it was.
        OSError, sqlite3.Error: no copy could be made; the file is as it was.
    """
    if not migrations.applied(db):
        migrations.apply(db)
        return None
    folder = path.parent / "backups"
    _room(path)
    folder.mkdir(exist_ok=True)
    kept = folder / f"{BEFORE_UPGRADE}{migrations.pending(db)[0].name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.db"
    copy(path, kept)
    _rehearse(path, kept)
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(db)
    except BaseException:
        db.conn.rollback()
        raise
    db.conn.commit()
    for old in sorted(folder.glob(f"{BEFORE_UPGRADE}*.db"), key=lambda file: file.stat().st_mtime_ns)[:-KEPT_UPGRADES]:
        old.unlink()
    return kept


def _room(path: Path) -> None:
    """
    Raises:
        UpgradeFailed: the disk has no room for two copies.
    """
    size = sum(file.stat().st_size for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())
    free = shutil.disk_usage(path.parent).free
    if free < 2.2 * size:
        raise UpgradeFailed(
            f"its schema is older than this scout; to bring it up to date {2.2 * size / 1e6:.0f} MB are needed for a backup and a "
            f"rehearsal, and {free / 1e6:.0f} MB are free; free some space, nothing was changed"
        )


def _rehearse(path: Path, kept: Path) -> None:
    rehearsal = path.with_name(f".{path.name}.rehearsal")
    _remove(rehearsal)
    try:
        copy(kept, rehearsal)
        with closing(sqlite3.connect(rehearsal, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA synchronous=OFF")
            before = rows_of(connection)
            migrations.apply(Database(connection))
            after = rows_of(connection)
            found = [
                f"{before[name] - after.get(name, 0)} rows of {name} are lost"
                for name in before
                if after.get(name, 0) < before[name]
            ]
            found += faults(connection)
    except UpgradeFailed:
        raise
    except Exception as err:  # whatever a migration meets in somebody's data
        raise _failed(kept, f"{type(err).__name__}: {err}") from err
    finally:
        _remove(rehearsal)
    if found:
        raise _failed(kept, f"afterwards {found[0]}")


def rows_of(connection: sqlite3.Connection) -> dict[str, int]:
    """Table → how many rows, of those that nothing may be lost of."""
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {
        name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in PRECIOUS if name in there
    }


def _failed(kept: Path, why: str) -> UpgradeFailed:
    return UpgradeFailed(
        f"its schema is older than this scout, and bringing a copy up to date failed ({why}); the database is as it was and a "
        f"copy of it is {kept}; use the scout that made it, and report this"
    )
