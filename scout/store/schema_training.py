"""The tables of training: runs with their steps, samples, alarms and checkpoints; parity checks; adapters and whom they serve."""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import _run, migrations

_RUNS = (
    """
    CREATE TABLE training_runs (
        id TEXT PRIMARY KEY, reader TEXT NOT NULL,
        recipe TEXT NOT NULL,                       -- how it was trained: the loss
        base TEXT NOT NULL,                         -- the checkpoint that training began with
        settings TEXT NOT NULL, seed INTEGER NOT NULL, planned INTEGER NOT NULL,
        state TEXT NOT NULL,                        -- running, stopped, alarmed, failed, done
        message TEXT NOT NULL DEFAULT '', facts TEXT NOT NULL DEFAULT '{}',
        version TEXT NOT NULL DEFAULT '',           -- the adapter that came of it
        started TEXT NOT NULL, ended TEXT
    ) WITHOUT ROWID
    """,
    "CREATE INDEX training_runs_reader ON training_runs(reader, started)",
    """
    CREATE TABLE training_steps (
        run TEXT NOT NULL REFERENCES training_runs(id) ON DELETE CASCADE, step INTEGER NOT NULL,
        version TEXT NOT NULL,                      -- the policy that sampled
        at TEXT NOT NULL, figures TEXT NOT NULL, parts TEXT NOT NULL,
        PRIMARY KEY (run, step)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE training_samples (
        run TEXT NOT NULL REFERENCES training_runs(id) ON DELETE CASCADE, step INTEGER NOT NULL, place INTEGER NOT NULL,
        item TEXT NOT NULL, answer TEXT NOT NULL, source TEXT NOT NULL, reward REAL NOT NULL, parts TEXT NOT NULL,
        PRIMARY KEY (run, step, place)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE training_alarms (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL REFERENCES training_runs(id) ON DELETE CASCADE,
        step INTEGER NOT NULL, kind TEXT NOT NULL, evidence TEXT NOT NULL, at TEXT NOT NULL
    )
    """,
    "CREATE INDEX training_alarms_run ON training_alarms(run, id)",
    """
    CREATE TABLE training_checkpoints (             -- a run's newest state: each replaces the one before on disk
        run TEXT NOT NULL REFERENCES training_runs(id) ON DELETE CASCADE, steps INTEGER NOT NULL,
        folder TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (run, steps)
    ) WITHOUT ROWID
    """,
)
"""Runs with what they left behind."""
_ADAPTERS = (
    """
    CREATE TABLE parity_checks (                    -- append-only: trainer against server, with one checkpoint
        id INTEGER PRIMARY KEY AUTOINCREMENT, checkpoint TEXT NOT NULL, body TEXT NOT NULL, tokens INTEGER NOT NULL,
        at TEXT NOT NULL, verdict TEXT NOT NULL,    -- why training should not begin; empty where it may
        found TEXT NOT NULL
    )
    """,
    "CREATE INDEX parity_checks_checkpoint ON parity_checks(checkpoint, id)",
    """
    CREATE TABLE adapters (                         -- append-only: a version keeps its name, folder and checksum
        name TEXT PRIMARY KEY, reader TEXT NOT NULL, run TEXT NOT NULL DEFAULT '',
        base TEXT NOT NULL, checksum TEXT NOT NULL, made_at TEXT NOT NULL, facts TEXT NOT NULL DEFAULT '{}'
    ) WITHOUT ROWID
    """,
    "CREATE INDEX adapters_reader ON adapters(reader, made_at)",
    """
    CREATE TABLE adapter_reigns (                   -- append-only: the newest of a reader serves; '' is the model itself
        id INTEGER PRIMARY KEY AUTOINCREMENT, reader TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL
    )
    """,
    "CREATE INDEX adapter_reigns_reader ON adapter_reigns(reader, id)",
)
"""What was found of trainer and server, and what serves whom."""


@migrations()
def m0013_training(db: Database) -> None:
    _run(db, *_RUNS, *_ADAPTERS)


__all__ = ["migrations"]
