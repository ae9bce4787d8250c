"""The table of items that a model could not read, and the request to end a job; a migration like those of `schema`."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import migrations


@migrations()
def m0012_attempts(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE attempts (                         -- what a model gave no answer for; gone once it is read
            item_id TEXT NOT NULL, stage TEXT NOT NULL, reader TEXT NOT NULL DEFAULT '',
            policy TEXT NOT NULL DEFAULT '', prompt_hash TEXT NOT NULL DEFAULT '', model TEXT NOT NULL DEFAULT '',
            text_hash TEXT NOT NULL,                    -- another text is another attempt
            failures INTEGER NOT NULL DEFAULT 0,        -- tries alone, in as many runs, that the item itself failed
            message TEXT NOT NULL DEFAULT '',           -- the newest reason
            first_at TEXT NOT NULL, last_at TEXT NOT NULL, run TEXT,
            PRIMARY KEY (item_id, stage, reader, policy, prompt_hash, model)
        ) WITHOUT ROWID
        """
    )
    db.execute("ALTER TABLE jobs ADD COLUMN stop INTEGER NOT NULL DEFAULT 0")  # whoever asked wants it to end
