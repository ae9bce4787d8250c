"""Runs: when, of what kind, how they ended."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scout.store.part import Part
from scout.store.rows import moment, moment_or_none, pack, unpack, when


@dataclass(frozen=True, slots=True)
class RunRow:
    id: str
    kind: str
    """The command: run, ingest, triage, digest."""
    started: datetime
    finished: datetime | None
    """None while it runs, or where it was killed."""
    exit_code: int | None
    message: str
    stages: Sequence[Mapping[str, Any]]
    """`{"name", "seconds", "facts"}` of each stage, in order."""


def _row(row: Mapping[str, Any]) -> RunRow:
    return RunRow(
        row["id"], row["kind"], moment(row["started"]), moment_or_none(row["finished"]), row["exit_code"], row["message"],
        unpack(row["stages"]),
    )  # fmt: skip


class Runs(Part):
    def start(self, kind: str, at: datetime) -> str:
        """Note that a run begins; its id, which sorts by time."""
        run = f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        with self.store.writing() as db:
            db.conn.execute("INSERT INTO runs (id, kind, started) VALUES (?, ?, ?)", (run, kind, when(at)))
        return run

    def finish(
        self, run: str, at: datetime, *, exit_code: int, message: str = "", stages: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "UPDATE runs SET finished = ?, exit_code = ?, message = ?, stages = ? WHERE id = ?",
                (when(at), exit_code, message, pack(list(stages)), run),
            )

    def get(self, run: str) -> RunRow | None:
        rows = self.store.rows("SELECT * FROM runs WHERE id = ?", run)
        return _row(rows[0]) if rows else None

    def listing(self, *, limit: int = 50, offset: int = 0) -> list[RunRow]:
        """The newest first."""
        sql = "SELECT * FROM runs ORDER BY started DESC, id DESC LIMIT ? OFFSET ?"
        return [_row(row) for row in self.store.rows(sql, limit, offset)]
