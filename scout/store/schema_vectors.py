"""The table of vectors that a served model made of items; a migration like those of `schema`, which it follows."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import _run, migrations


@migrations()
def m0017_vectors(db: Database) -> None:
    _run(
        db,
        """
        CREATE TABLE vectors (
            model TEXT NOT NULL, item_id TEXT NOT NULL,
            text_hash TEXT NOT NULL,                    -- of the title and text that the vector was made from
            vector BLOB NOT NULL,                       -- little-endian float16, of length 1
            made_at TEXT NOT NULL,
            PRIMARY KEY (model, item_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX vectors_made ON vectors(made_at)",
    )


__all__ = ["migrations"]
