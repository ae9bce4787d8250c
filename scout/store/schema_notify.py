"""The table of which digest was sent where; a migration like those of `schema`."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import migrations


@migrations()
def m0016_notify(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE deliveries (
            reader TEXT NOT NULL, date TEXT NOT NULL,   -- of the digest
            channel TEXT NOT NULL,                      -- mail, slack, discord, feishu, webhook
            sent INTEGER NOT NULL DEFAULT 0,            -- written after it was taken: never sent again
            failures INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '', at TEXT NOT NULL,
            PRIMARY KEY (reader, date, channel)
        ) WITHOUT ROWID
        """
    )


__all__ = ["migrations"]
