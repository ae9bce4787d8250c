"""Databases as earlier scouts left them: the migrations up to one of them, with a row or two in every table there was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from scout.store.migrations import migrations

NAMES = [migration.name for migration in migrations._migrations]
_TIME = "2025-12-01T06:00:00.000000+00:00"
_INNER = ("sqlite_", "_sqlite_", "items_fts")
QUEUE = "thread_todo"
"""What triggers fill from the items, so that nothing else is to be put in."""


def make(path: Path, last: str) -> dict[str, list[tuple[Any, ...]]]:
    """The database of the scout whose newest migration was `last`; its rows by table."""
    later = NAMES[NAMES.index(last) + 1 :]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        migrations.apply(Database(connection), stop_before=later[:1])
        connection.execute("BEGIN")
        for table in tables(connection):
            for n in (1, 2) if table != QUEUE else ():
                _insert(connection, table, n)
        connection.execute("COMMIT")
        return rows(connection)


def tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name = 'items' DESC, rowid"
    )
    return [name for (name,) in found if not name.startswith(_INNER)]


def rows(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables(connection)
    }


def _insert(connection: sqlite3.Connection, table: str, n: int) -> None:
    """A row whose references hold: to the nth item, run or research."""
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    refers = {row[3]: row for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
    values: dict[str, Any] = {}
    for _, name, kind, not_null, default, key in columns:
        if name in refers:
            if refers[name][2] == table:
                continue
            parent, column = refers[name][2], refers[name][4]
            values[name] = connection.execute(
                f"SELECT {column} FROM {parent} ORDER BY 1 LIMIT 1 OFFSET {n - 1}"
            ).fetchone()[0]
        elif name == "item_id" or (table == "items" and name == "id"):
            values[name] = f"arxiv:2512.0000{n}"
        elif kind == "INTEGER" and (key or not_null) and default is None:
            values[name] = n
        elif kind == "REAL":
            values[name] = n / 2
        elif kind == "BLOB":
            values[name] = b"\x00weights"
        elif (not_null or key) and default is None:
            values[name] = _TIME if name in ("at", "made_at", "first_seen", "started", "changed_at") else f"{name} {n}"
    names = ", ".join(values)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})", tuple(values.values()))
