"""Training runs as they went: settings, figures a step, samples, alarms, checkpoints, and parity checks. What they mean is rl's."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from scout.store.part import Part
from scout.store.rows import moment, moment_or_none, pack, unpack, when, when_or_none


class State(StrEnum):
    RUNNING = "running"
    """Under way, or killed: a checkpoint tells from where it can be resumed."""
    STOPPED = "stopped"
    """By whoever started it, its state kept."""
    ALARMED = "alarmed"
    """By a monitor, with evidence."""
    FAILED = "failed"
    DONE = "done"


RESUMABLE = (State.RUNNING, State.STOPPED, State.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    id: str
    reader: str
    recipe: str
    base: str
    settings: Mapping[str, Any]
    seed: int
    planned: int
    """Steps."""
    started: datetime
    state: State = State.RUNNING
    message: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Thumbs trained on and held out, the days between them, parity."""
    version: str = ""
    """The adapter that came of it."""
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    step: int
    version: str
    at: datetime
    figures: Mapping[str, float | None]
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    item: str
    answer: str
    source: str
    reward: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    run: str
    step: int
    kind: str
    evidence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    steps: int
    folder: str
    """Relative to the data directory."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityRow:
    checkpoint: str
    body: str
    tokens: int
    at: datetime
    verdict: str
    found: Mapping[str, Any]
    id: int = 0


class Training(Part):
    def start(self, run: TrainingRun) -> None:
        """Note that a run begins, or goes on: then only its state, plan and message change."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO training_runs (id, reader, recipe, base, settings, seed, planned, state, message, facts, version, "
                "started, ended) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET "
                "planned = excluded.planned, state = excluded.state, message = '', ended = NULL",
                (run.id, run.reader, run.recipe, run.base, pack(dict(run.settings)), run.seed, run.planned, run.state,
                 run.message, pack(dict(run.facts)), run.version, when(run.started), when_or_none(run.ended)),
            )  # fmt: skip

    def finish(self, run: str, at: datetime, *, state: State, message: str = "", version: str = "") -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "UPDATE training_runs SET state = ?, message = ?, ended = ?, version = ? WHERE id = ?",
                (state, message, when(at), version, run),
            )

    def get(self, run: str) -> TrainingRun | None:
        rows = self.store.rows("SELECT * FROM training_runs WHERE id = ?", run)
        return _run(rows[0]) if rows else None

    def listing(self, reader: str, *, limit: int = 50) -> list[TrainingRun]:
        """The newest first."""
        sql = "SELECT * FROM training_runs WHERE reader = ? ORDER BY started DESC, id DESC LIMIT ?"
        return [_run(row) for row in self.store.rows(sql, reader, limit)]

    def step(self, run: str, row: StepRow, samples: Sequence[SampleRow] = ()) -> None:
        """A step's figures and samples; one that is done again after a resume takes the place of what it left before."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT OR REPLACE INTO training_steps (run, step, version, at, figures, parts) VALUES (?,?,?,?,?,?)",
                (run, row.step, row.version, when(row.at), pack(dict(row.figures)), pack(dict(row.parts))),
            )
            db.conn.execute("DELETE FROM training_samples WHERE run = ? AND step = ?", (run, row.step))
            db.conn.executemany(
                "INSERT INTO training_samples (run, step, place, item, answer, source, reward, parts) VALUES (?,?,?,?,?,?,?,?)",
                [
                    (run, row.step, place, each.item, each.answer, each.source, each.reward, pack(dict(each.parts)))
                    for place, each in enumerate(samples)
                ],
            )

    def steps(self, run: str) -> list[StepRow]:
        """The first first."""
        return [
            StepRow(
                step=row["step"], version=row["version"], at=moment(row["at"]), figures=unpack(row["figures"]),
                parts=unpack(row["parts"]),
            )
            for row in self.store.rows("SELECT * FROM training_steps WHERE run = ? ORDER BY step", run)
        ]  # fmt: skip

    def counts(self, reader: str) -> dict[str, int]:
        """Run → steps done."""
        sql = (
            "SELECT run, count(*) AS n FROM training_steps WHERE run IN (SELECT id FROM training_runs WHERE reader = ?) "
            "GROUP BY run"
        )
        return {row["run"]: row["n"] for row in self.store.rows(sql, reader)}

    def sampled(self, run: str) -> list[int]:
        """Steps of which samples were kept."""
        rows = self.store.rows("SELECT DISTINCT step FROM training_samples WHERE run = ? ORDER BY step", run)
        return [row["step"] for row in rows]

    def samples(self, run: str, step: int) -> list[SampleRow]:
        sql = "SELECT * FROM training_samples WHERE run = ? AND step = ? ORDER BY place"
        return [
            SampleRow(
                item=row["item"], answer=row["answer"], source=row["source"], reward=row["reward"], parts=unpack(row["parts"]),
            )
            for row in self.store.rows(sql, run, step)
        ]  # fmt: skip

    def alarm(self, alarm: AlarmRow) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO training_alarms (run, step, kind, evidence, at) VALUES (?,?,?,?,?)",
                (alarm.run, alarm.step, alarm.kind, alarm.evidence, when(alarm.at)),
            )

    def alarms(self, reader: str, *, limit: int = 50) -> list[AlarmRow]:
        """Of all of a reader's runs, the newest first."""
        sql = "SELECT a.* FROM training_alarms a JOIN training_runs r ON r.id = a.run WHERE r.reader = ? ORDER BY a.id DESC LIMIT ?"
        return [
            AlarmRow(run=row["run"], step=row["step"], kind=row["kind"], evidence=row["evidence"], at=moment(row["at"]))
            for row in self.store.rows(sql, reader, limit)
        ]

    def checkpoint(self, run: str, row: CheckpointRow) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT OR REPLACE INTO training_checkpoints (run, steps, folder, at) VALUES (?,?,?,?)",
                (run, row.steps, row.folder, when(row.at)),
            )

    def checkpoints(self, run: str) -> list[CheckpointRow]:
        """The newest first."""
        rows = self.store.rows("SELECT * FROM training_checkpoints WHERE run = ? ORDER BY steps DESC", run)
        return [CheckpointRow(steps=row["steps"], folder=row["folder"], at=moment(row["at"])) for row in rows]

    def compared(self, row: ParityRow) -> int:
        """Keep a parity check; its id."""
        with self.store.writing() as db:
            cursor = db.conn.execute(
                "INSERT INTO parity_checks (checkpoint, body, tokens, at, verdict, found) VALUES (?,?,?,?,?,?)",
                (row.checkpoint, row.body, row.tokens, when(row.at), row.verdict, pack(dict(row.found))),
            )
            return int(cursor.lastrowid or 0)

    def parity(self, checkpoint: str | None = None, *, limit: int = 20) -> list[ParityRow]:
        """The newest first, of one checkpoint or of all."""
        sql = "SELECT * FROM parity_checks WHERE coalesce(checkpoint = ?, 1) ORDER BY id DESC LIMIT ?"
        return [
            ParityRow(
                id=row["id"], checkpoint=row["checkpoint"], body=row["body"], tokens=row["tokens"], at=moment(row["at"]),
                verdict=row["verdict"], found=unpack(row["found"]),
            )
            for row in self.store.rows(sql, checkpoint, limit)
        ]  # fmt: skip


def new_run(at: datetime) -> str:
    """A run's id, which sorts by time and can name a folder."""
    return f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def _run(row: Mapping[str, Any]) -> TrainingRun:
    return TrainingRun(
        id=row["id"], reader=row["reader"], recipe=row["recipe"], base=row["base"], settings=unpack(row["settings"]),
        seed=row["seed"], planned=row["planned"], state=State(row["state"]), message=row["message"],
        facts=unpack(row["facts"]), version=row["version"], started=moment(row["started"]),
        ended=moment_or_none(row["ended"]),
    )  # fmt: skip
