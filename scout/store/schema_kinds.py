"""What counts the items of each kind without reading them; a migration like those of `schema`."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import _run, migrations


@migrations()
def m0022_kinds(db: Database) -> None:
    _run(db, "CREATE INDEX items_kind ON items(kind)")  # for counts alone: most items are of one kind


__all__ = ["migrations"]
