"""The table of bulk readings of arXiv, each with the place where it goes on; a migration like those of `schema`."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import migrations


@migrations()
def m0019_harvests(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE harvests (                         -- of a set, of records that changed in a stretch of days
            set_name TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL,
            day TEXT NOT NULL,                          -- the first day of the slice under way
            token TEXT NOT NULL DEFAULT '',             -- the server's, for the slice's next page
            records INTEGER NOT NULL DEFAULT 0, new INTEGER NOT NULL DEFAULT 0, updated INTEGER NOT NULL DEFAULT 0,
            deleted INTEGER NOT NULL DEFAULT 0, left_out INTEGER NOT NULL DEFAULT 0, pages INTEGER NOT NULL DEFAULT 0,
            started TEXT NOT NULL, finished TEXT,
            PRIMARY KEY (set_name, first, last)
        ) WITHOUT ROWID
        """
    )
