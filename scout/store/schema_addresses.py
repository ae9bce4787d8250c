"""What finds an item by the address it is shown with, and an archived one by its version; a migration like those of `schema`."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import _run, migrations


@migrations()
def m0018_addresses(db: Database) -> None:
    _run(
        db,
        "CREATE INDEX items_url ON items(url)",
        "ALTER TABLE archived ADD COLUMN version INTEGER",  # NULL of what was archived before this was kept
    )


__all__ = ["migrations"]
