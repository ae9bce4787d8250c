"""The tables of what belongs together; a migration like those of `schema`, which it follows."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import migrations


@migrations()
def m0009_threads(db: Database) -> None:
    for statement in (
        """
        CREATE TABLE thread_keys (                      -- items that share one may belong together
            key INTEGER NOT NULL, seq INTEGER NOT NULL, -- a hash; items.seq
            PRIMARY KEY (key, seq)
        ) WITHOUT ROWID
        """,
        "CREATE TABLE thread_seen (seq INTEGER PRIMARY KEY, at TEXT NOT NULL)",  # whose keys and links are made
        """
        CREATE TABLE links (
            later TEXT NOT NULL, earlier TEXT NOT NULL,
            kind TEXT NOT NULL,                         -- duplicate, sequel, cites, same-authors
            strength REAL NOT NULL, why TEXT NOT NULL, made_at TEXT NOT NULL,
            PRIMARY KEY (later, earlier)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX links_earlier ON links(earlier)",
    ):
        db.execute(statement)
