"""What state the database file is in, for `scout doctor`. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scout.store.schema import migrations

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
