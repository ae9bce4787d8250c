"""The tables of who may serve a reader and why, of what was sampled to judge by, and of measures that were kept."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import _run, migrations


@migrations()
def m0008_gate(db: Database) -> None:
    _run(
        db,
        "ALTER TABLE impressions ADD COLUMN slot TEXT NOT NULL DEFAULT 'digest'",  # digest, ask, missed
        """
        CREATE TABLE missed_pages (                     -- frozen once drawn
            reader TEXT NOT NULL, week TEXT NOT NULL,   -- its Monday
            made_at TEXT NOT NULL, snapshot TEXT NOT NULL,
            PRIMARY KEY (reader, week)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE challenges (                       -- append-only: every time a recipe met the champion
            id INTEGER PRIMARY KEY AUTOINCREMENT, reader TEXT NOT NULL,
            champion TEXT NOT NULL, challenger TEXT NOT NULL,           -- recipes
            at TEXT NOT NULL, by TEXT NOT NULL, passed INTEGER NOT NULL, evidence TEXT NOT NULL
        )
        """,
        "CREATE INDEX challenges_reader ON challenges(reader, id)",
        """
        CREATE TABLE promotions (                       -- append-only: taking one back is another row
            id INTEGER PRIMARY KEY AUTOINCREMENT, reader TEXT NOT NULL,
            action TEXT NOT NULL,                       -- promote, rollback, restore
            recipe TEXT NOT NULL, version TEXT NOT NULL,                -- who serves from now on
            from_recipe TEXT NOT NULL, from_version TEXT NOT NULL,      -- who served until now
            at TEXT NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL DEFAULT '', forced INTEGER NOT NULL DEFAULT 0,
            evidence TEXT NOT NULL DEFAULT '{}',
            undoes INTEGER REFERENCES promotions(id)
        )
        """,
        "CREATE INDEX promotions_reader ON promotions(reader, id)",
        """
        CREATE TABLE measures (                         -- append-only: results worth a line over time
            id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, recipe TEXT NOT NULL,
            at TEXT NOT NULL, figures TEXT NOT NULL, about TEXT NOT NULL DEFAULT '{}'
        )
        """,
        "CREATE INDEX measures_kind ON measures(kind, id)",
    )


__all__ = ["migrations"]
