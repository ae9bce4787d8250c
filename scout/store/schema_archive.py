"""The tables of what was moved to files, and of the words that titles are made of; a migration like those of `schema`."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import migrations
from scout.store.words import count_titles


@migrations()
def m0014_archive(db: Database) -> None:
    for statement in (
        """
        CREATE TABLE archive_files (                    -- months of items as Parquet, beside the database
            file TEXT PRIMARY KEY, month TEXT NOT NULL, items INTEGER NOT NULL, sha256 TEXT NOT NULL, made_at TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE archived (                         -- what is in them; no poll brings it back
            id TEXT PRIMARY KEY, file TEXT NOT NULL REFERENCES archive_files(file), title TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX archived_file ON archived(file)",
        """
        CREATE TABLE words (                            -- of titles and authors: what a beginning may become
            word TEXT PRIMARY KEY, items INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)
    count_titles(db)
