"""What state a database file is in, for `scout doctor` and `scout verify`. Reads only."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from scout.store.migrations import migrations

if TYPE_CHECKING:
    from scout.store.store import Store


def schema_gap(store: Store) -> tuple[list[str], list[str]]:
    """Migrations that the file lacks, and those in it that this scout does not know."""
    applied = {migration.name for migration in migrations.applied(store.db)}
    pending = [migration.name for migration in migrations.pending(store.db)]
    ours = set(pending) | {migration.name for migration in migrations._migrations}
    return pending, sorted(applied - ours)


def search_is_complete(store: Store) -> bool:
    """Whether the full-text index holds as many entries as there are items."""
    return bool(store.value("SELECT (SELECT count(*) FROM items_fts_docsize) = (SELECT count(*) FROM items)"))


def schema_of(connection: sqlite3.Connection) -> tuple[str, list[str]]:
    """The newest migration applied to a database, empty where it is none of ours; and those that this scout does not know."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone():
        return "", []
    rows = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY name", (migrations.name,)
    )
    names = [str(row[0]) for row in rows]
    known = {migration.name for migration in migrations._migrations}
    return (names[-1] if names else ""), [name for name in names if name not in known]


def serving_weights(connection: sqlite3.Connection) -> list[tuple[str, bytes]]:
    """Version and weights of each policy that serves a reader, where it has weights here."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'champions'").fetchone():
        return []
    rows = connection.execute(
        "SELECT p.version, p.weights FROM policies p WHERE length(p.weights) > 0 AND p.version IN "
        "(SELECT version FROM champions c WHERE NOT EXISTS "
        "(SELECT 1 FROM champions d WHERE d.reader = c.reader AND d.id > c.id)) ORDER BY p.version"
    )
    return [(str(version), bytes(weights)) for version, weights in rows]
