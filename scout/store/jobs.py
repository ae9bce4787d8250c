"""Jobs: long work that a page asked for, taken up by the worker process in the order it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from scout.store.part import Part
from scout.store.rows import marks, moment, moment_or_none, pack, unpack, when

LONG = ("research",)
"""Kinds that may take many minutes: done beside the others, and ended on request while they run."""


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """Whoever asked did not want it any more."""


@dataclass(frozen=True, slots=True)
class JobRow:
    id: int
    kind: str
    payload: Mapping[str, Any]
    state: JobState
    asked_at: datetime
    started: datetime | None
    finished: datetime | None
    progress: float
    """From 0 to 1."""
    message: str
    stop: bool = False
    """It is asked to end."""


def _row(row: Mapping[str, Any]) -> JobRow:
    return JobRow(
        row["id"], row["kind"], unpack(row["payload"]), JobState(row["state"]), moment(row["asked_at"]),
        moment_or_none(row["started"]), moment_or_none(row["finished"]), row["progress"], row["message"],
        bool(row["stop"]),
    )  # fmt: skip


class Jobs(Part):
    def ask(self, kind: str, payload: Mapping[str, Any], at: datetime) -> int:
        """Queue a job; the same one still waiting is not asked twice. Its id."""
        with self.store.writing() as db:
            text = pack(dict(payload))
            found = db.conn.execute(
                "SELECT id FROM jobs WHERE kind = ? AND payload = ? AND state = 'queued'", (kind, text)
            ).fetchone()
            if found:
                return int(found[0])
            cursor = db.conn.execute(
                "INSERT INTO jobs (kind, payload, asked_at) VALUES (?, ?, ?)", (kind, text, when(at))
            )
            return int(cursor.lastrowid or 0)

    def take(self, at: datetime, *, only: Sequence[str] = (), but: Sequence[str] = ()) -> JobRow | None:
        """The oldest waiting job, now running and ours; None where none waits. Of certain kinds, or of all but those."""
        kinds = f" AND kind IN ({marks(only)})" if only else f" AND kind NOT IN ({marks(but)})" if but else ""
        with self.store.writing() as db:
            found = db.conn.execute(
                f"SELECT id FROM jobs WHERE state = 'queued'{kinds} ORDER BY id LIMIT 1", (*(only or but),)
            ).fetchone()
            if not found:
                return None
            db.conn.execute("UPDATE jobs SET state = 'running', started = ? WHERE id = ?", (when(at), found[0]))
            return self.get(int(found[0]))

    def requeue_orphans(self) -> int:
        """Jobs that a worker left running when it died wait again. Only the one worker, at its start, may say so."""
        with self.store.writing() as db:
            db.conn.execute("UPDATE jobs SET state = 'stopped' WHERE state = 'running' AND stop = 1")
            return db.conn.execute(
                "UPDATE jobs SET state = 'queued', started = NULL, progress = 0 WHERE state = 'running'"
            ).rowcount

    def stop(self, id: int, at: datetime) -> None:
        """Take a waiting job back; ask one that runs to end, which it does where it can."""
        with self.store.writing() as db:
            db.conn.execute("UPDATE jobs SET stop = 1 WHERE id = ? AND state IN ('queued', 'running')", (id,))
            db.conn.execute(
                "UPDATE jobs SET state = 'stopped', finished = ? WHERE id = ? AND state = 'queued'", (when(at), id)
            )

    def is_to_stop(self, id: int) -> bool:
        return bool(self.store.value("SELECT stop FROM jobs WHERE id = ?", id))

    def report(self, id: int, *, progress: float, message: str) -> None:
        with self.store.writing() as db:
            db.conn.execute("UPDATE jobs SET progress = ?, message = ? WHERE id = ?", (progress, message, id))

    def finish(self, id: int, at: datetime, *, state: JobState, message: str) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "UPDATE jobs SET state = ?, finished = ?, progress = 1, message = ? WHERE id = ?",
                (state, when(at), message, id),
            )

    def get(self, id: int) -> JobRow | None:
        rows = self.store.rows("SELECT * FROM jobs WHERE id = ?", id)
        return _row(rows[0]) if rows else None

    def listing(self, *, limit: int = 20) -> list[JobRow]:
        """The newest first."""
        return [_row(row) for row in self.store.rows("SELECT * FROM jobs ORDER BY id DESC LIMIT ?", limit)]

    def active(self) -> list[JobRow]:
        """Those waiting or running, in order."""
        return [
            _row(row) for row in self.store.rows("SELECT * FROM jobs WHERE state IN ('queued', 'running') ORDER BY id")
        ]
