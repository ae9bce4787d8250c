"""The table of what a model made of items; a migration like those of `schema`, which it follows."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import migrations


@migrations()
def m0007_readings(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE readings (                         -- the newest of each model on each item for each reader
            item_id TEXT NOT NULL, reader TEXT NOT NULL, model TEXT NOT NULL,
            policy TEXT NOT NULL,                       -- version, such as llm-1:<model>:<prompt hash>
            outcome TEXT NOT NULL, message TEXT NOT NULL DEFAULT '',
            embedded REAL NOT NULL,                     -- the embedded policy's probability when it was rated
            rating REAL,                                -- the model's, 0 to 1; NULL where it gave none
            points INTEGER NOT NULL DEFAULT 0,          -- written, before grounding
            dropped TEXT NOT NULL DEFAULT '{}',         -- reason: how many
            new TEXT, matters TEXT,                     -- [text, [sentence numbers]]
            text_hash TEXT NOT NULL, made_at TEXT NOT NULL, run TEXT,
            PRIMARY KEY (item_id, reader, model)
        ) WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX readings_reader ON readings(reader, policy)")


__all__ = ["migrations"]
