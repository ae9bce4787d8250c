"""What evals found: runs with their summaries, items' scores by epoch, verdicts on releases, alarms, thumbs on answers.

A run's summary is kept ready, so that a page over many runs reads one row a run and no item. What the figures mean, and
how they are made, is `evals.results`'; answers in full are files beside the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from scout.items import Verdict
from scout.store.part import Part
from scout.store.rows import batches, marks, moment, moment_or_none, pack, unpack, when

NAMED = "(coalesce(nullif(release_id, ''), model) || coalesce(' ' || json_extract(options, '$.variant'), ''))"
"""A run's `released`, in SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalRun:
    """One suite on one model under one condition."""

    id: str
    suite: str
    version: int
    domain: str
    kind: str
    """`single`, `agentic` or `open`, as the suite's."""
    seed: int
    items: int
    """How many were to be asked."""
    epochs: int
    model: str
    endpoint: str = ""
    release_id: str = ""
    """The release that this model is; empty where that is not known."""
    condition: str = ""
    """The perturbation; empty for none."""
    purpose: str = "manual"
    """`manual`, `watch`, `served`, `reference` or `import`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    started: datetime
    finished: datetime | None = None
    """None while it runs, or where it stopped half-way."""
    message: str = ""
    label: str = ""
    """Why not to trust it; empty where there is no reason."""
    checks: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return self.finished is not None

    @property
    def variant(self) -> str:
        """What tells this way of asking or serving from others of the same model; empty for the usual one."""
        return str(self.options.get("variant", ""))

    @property
    def released(self) -> str:
        """What names the model to people: the release where known, else the name as served, and its variant."""
        return " ".join(filter(None, (self.release_id or self.model, self.variant)))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalItem:
    """What an item scored in each epoch; None where there was no answer to judge."""

    item: str
    family: str
    scores: tuple[float | None, ...]
    cut: int = 0
    """Epochs whose answer ran into its token limit."""
    tokens: int = 0
    """Written by the model, over all epochs."""
    seconds: float = 0.0

    @property
    def judged(self) -> tuple[float, ...]:
        return _judged(self.scores)

    @property
    def mean(self) -> float | None:
        """Over the epochs that were judged; None where none was."""
        return _mean(self.scores)


@lru_cache(maxsize=16_384)
def _judged(scores: tuple[float | None, ...]) -> tuple[float, ...]:
    return tuple(score for score in scores if score is not None)


@lru_cache(maxsize=16_384)
def _mean(scores: tuple[float | None, ...]) -> float | None:
    return sum(judged) / len(judged) if (judged := _judged(scores)) else None


@lru_cache(maxsize=16_384)
def _scores(text: str) -> tuple[float | None, ...]:
    """Read once for all items that score alike: thousands do."""
    return tuple(unpack(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalAlarm:
    kind: str
    """`regression`: what is served dropped; `drift`: the reference moved."""
    model: str
    suite: str
    run: str
    before: str
    text: str
    at: datetime


class Evals(Part):
    def start(self, run: EvalRun) -> None:
        """Note that a run begins; one of that id is begun again."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT OR REPLACE INTO eval_runs (id, suite, version, domain, kind, seed, items, epochs, model, endpoint, "
                "release_id, condition, purpose, options, started, finished, message, label, checks, summary) "
                "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (run.id, run.suite, run.version, run.domain, run.kind, run.seed, run.items, run.epochs, run.model,
                 run.endpoint, run.release_id, run.condition, run.purpose, pack(dict(run.options)), when(run.started),
                 when(run.finished) if run.finished else None, run.message, run.label, pack(dict(run.checks)),
                 pack(dict(run.summary))),
            )  # fmt: skip

    def save(self, run: EvalRun, items: Iterable[EvalItem]) -> None:
        """A run as it stands, in place of what was known of it."""
        with self.store.writing() as db:
            self.start(run)
            db.conn.execute("DELETE FROM eval_items WHERE run = ?", (run.id,))
            db.conn.executemany(
                "INSERT INTO eval_items (run, item, family, scores, cut, tokens, seconds) VALUES (?,?,?,?,?,?,?)",
                [
                    (run.id, each.item, each.family, pack(list(each.scores)), each.cut, each.tokens, round(each.seconds, 3))
                    for each in items
                ],
            )  # fmt: skip

    def get(self, id: str) -> EvalRun | None:
        rows = self.store.rows("SELECT * FROM eval_runs WHERE id = ?", id)
        return _run(rows[0]) if rows else None

    def listing(
        self,
        *,
        suite: str | None = None,
        domain: str | None = None,
        model: str | None = None,
        limit: int = 1000,
        only_done: bool = False,
    ) -> list[EvalRun]:
        """The newest first. `model` is a name as served, a release, or either with a variant."""
        where, values = ["1"], []
        if suite is not None:
            where.append("suite = ?")
            values.append(suite)
        if domain is not None:
            where.append("domain = ?")
            values.append(domain)
        if model is not None:
            where.append(f"(model = ? OR release_id = ? OR {NAMED} = ?)")
            values += [model, model, model]
        if only_done:
            where.append("finished IS NOT NULL")
        sql = f"SELECT * FROM eval_runs WHERE {' AND '.join(where)} ORDER BY started DESC, id DESC LIMIT ?"
        return [_run(row) for row in self.store.rows(sql, *values, limit)]

    def items(self, run: str) -> list[EvalItem]:
        """By item."""
        sql = "SELECT item, family, scores, cut, tokens, seconds FROM eval_items WHERE run = ? ORDER BY item"
        return [
            EvalItem(item=item, family=family, scores=_scores(scores), cut=cut, tokens=tokens, seconds=seconds)
            for item, family, scores, cut, tokens, seconds in self.store.db.conn.execute(sql, (run,)).fetchall()
        ]

    def judge(self, verdict: Verdict, at: datetime) -> None:
        """Say of a release what evals found; a digest carries it from then on."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO eval_verdicts (release_id, run, text, at) VALUES (?, ?, ?, ?)",
                (verdict.release_id, verdict.run, verdict.text, when(at)),
            )
            db.conn.execute("UPDATE releases SET verdict = ? WHERE id = ?", (verdict.text, verdict.release_id))

    def verdicts(self, *, limit: int = 20) -> list[tuple[Verdict, datetime]]:
        """The newest of each release, the newest first."""
        sql = (
            "SELECT * FROM eval_verdicts v WHERE NOT EXISTS (SELECT 1 FROM eval_verdicts w WHERE "
            "w.release_id = v.release_id AND w.id > v.id) ORDER BY id DESC LIMIT ?"
        )
        return [
            (Verdict(row["release_id"], row["text"], row["run"]), moment(row["at"]))
            for row in self.store.rows(sql, limit)
        ]

    def alarm(self, alarm: EvalAlarm) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO eval_alarms (kind, model, suite, run, before, text, at) VALUES (?,?,?,?,?,?,?)",
                (alarm.kind, alarm.model, alarm.suite, alarm.run, alarm.before, alarm.text, when(alarm.at)),
            )

    def alarms(self, *, limit: int = 20) -> list[EvalAlarm]:
        """The newest first."""
        return [
            EvalAlarm(
                kind=row["kind"], model=row["model"], suite=row["suite"], run=row["run"], before=row["before"],
                text=row["text"], at=moment(row["at"]),
            )
            for row in self.store.rows("SELECT * FROM eval_alarms ORDER BY id DESC LIMIT ?", limit)
        ]  # fmt: skip

    def thumb(self, reader: str, run: str, item: str, value: str, at: datetime) -> None:
        """A reader's word on an answer; an empty `value` takes it back."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO eval_thumbs (reader, run, item, value, at) VALUES (?, ?, ?, ?, ?)",
                (reader, run, item, value, when(at)),
            )

    def thumbs(self, reader: str, runs: Sequence[str]) -> dict[tuple[str, str], str]:
        """(run, item) → the reader's newest word."""
        found: dict[tuple[str, str], str] = {}
        for batch in batches(runs):
            sql = f"SELECT run, item, value FROM eval_thumbs WHERE reader = ? AND run IN ({marks(batch)}) ORDER BY id"
            found |= {(row["run"], row["item"]): row["value"] for row in self.store.rows(sql, reader, *batch)}
        return {key: value for key, value in found.items() if value}


def new_id(suite: str, at: datetime) -> str:
    """A run's id, which sorts by time and can name a folder."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in suite)[:40]
    return f"{at:%Y%m%dT%H%M%S}-{plain}-{secrets.token_hex(3)}"


def _run(row: Mapping[str, Any]) -> EvalRun:
    values = dict(row)
    for key in ("options", "checks", "summary"):
        values[key] = unpack(values[key])
    return EvalRun(**{**values, "started": moment(row["started"]), "finished": moment_or_none(row["finished"])})
