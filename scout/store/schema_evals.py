"""The tables of what evals found; a migration like those of `schema`, which it follows."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import migrations


@migrations()
def m0010_evals(db: Database) -> None:
    for statement in (
        """
        CREATE TABLE eval_runs (                        -- one suite on one model under one condition
            id TEXT PRIMARY KEY,                        -- sorts by time
            suite TEXT NOT NULL, version INTEGER NOT NULL, domain TEXT NOT NULL, kind TEXT NOT NULL,
            seed INTEGER NOT NULL, items INTEGER NOT NULL, epochs INTEGER NOT NULL,
            model TEXT NOT NULL, endpoint TEXT NOT NULL DEFAULT '', release_id TEXT NOT NULL DEFAULT '',
            condition TEXT NOT NULL DEFAULT '',         -- the perturbation; empty for none
            purpose TEXT NOT NULL, options TEXT NOT NULL DEFAULT '{}',
            started TEXT NOT NULL, finished TEXT, message TEXT NOT NULL DEFAULT '',
            label TEXT NOT NULL DEFAULT '',             -- why not to trust it; empty where there is no reason
            checks TEXT NOT NULL DEFAULT '{}', summary TEXT NOT NULL DEFAULT '{}'
        ) WITHOUT ROWID
        """,
        "CREATE INDEX eval_runs_model ON eval_runs(model, suite, started)",
        "CREATE INDEX eval_runs_started ON eval_runs(started)",
        """
        CREATE TABLE eval_items (                       -- what an item scored in each epoch
            run TEXT NOT NULL REFERENCES eval_runs(id) ON DELETE CASCADE,
            item TEXT NOT NULL, family TEXT NOT NULL,
            scores TEXT NOT NULL,                       -- JSON, by epoch; null where nothing was answered
            cut INTEGER NOT NULL DEFAULT 0, tokens INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
            PRIMARY KEY (run, item)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE eval_verdicts (                    -- append-only; the newest of a release stands
            id INTEGER PRIMARY KEY, release_id TEXT NOT NULL, run TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL
        )
        """,
        "CREATE INDEX eval_verdicts_release ON eval_verdicts(release_id, id)",
        """
        CREATE TABLE eval_alarms (                      -- append-only
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, model TEXT NOT NULL, suite TEXT NOT NULL,
            run TEXT NOT NULL, before TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE eval_thumbs (                      -- append-only; on answers to a reader's own questions
            id INTEGER PRIMARY KEY, reader TEXT NOT NULL, run TEXT NOT NULL, item TEXT NOT NULL,
            value TEXT NOT NULL, at TEXT NOT NULL
        )
        """,
        "CREATE INDEX eval_thumbs_reader ON eval_thumbs(reader, run, item, id)",
    ):
        db.execute(statement)


__all__ = ["migrations"]
