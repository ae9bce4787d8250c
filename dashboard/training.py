"""What the Training page reads: runs, a run's figures, samples, parity checks, alarms, and which adapters read. Nothing here draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.charts_training import Point
from scout import adapters
from scout.store import Store
from scout.store.promotions import Challenge, Promotion
from scout.store.training import AlarmRow, ParityRow, SampleRow, State, StepRow, TrainingRun

SHOWN = 600
"""Steps drawn at the most: of a longer run every so many-th, and the last."""
NATS = {"mismatch_mean": "mean |Δ|", "mismatch_p99": "p99 |Δ|", "mismatch_k1": "k1", "k3": "k3"}
RATIOS = {"mismatch_ratio_max": "largest ratio", "effective": "effective sample size"}
"""What trainer and sampler differ by, in nats and as ratios."""


@dataclass(frozen=True, slots=True)
class Overview:
    runs: tuple[TrainingRun, ...]
    """The newest first."""
    done: Mapping[str, int]
    """Run → its steps so far."""
    parity: tuple[ParityRow, ...]
    alarms: tuple[AlarmRow, ...]
    challenges: tuple[Challenge, ...]
    """Of adapters."""
    promotions: tuple[Promotion, ...]
    reads: str
    """The adapter that reads now; empty for none."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One run, looked at."""

    run: TrainingRun
    steps: tuple[StepRow, ...]
    sampled: tuple[int, ...]


def overview(store: Store, reader: str) -> Overview:
    return Overview(
        runs=tuple(store.training.listing(reader)), done=store.training.counts(reader),
        parity=tuple(store.training.parity()), alarms=tuple(store.training.alarms(reader)),
        challenges=tuple(c for c in store.promotions.challenges(reader) if c.challenger.startswith(adapters.PREFIX)),
        promotions=tuple(p for p in store.promotions.listing(reader) if p.recipe.startswith(adapters.PREFIX)),
        reads=store.adapters.serving(reader),
    )  # fmt: skip


def looked(store: Store, run: TrainingRun) -> Looked:
    return Looked(run, tuple(thinned(store.training.steps(run.id))), tuple(store.training.sampled(run.id)))


def thinned(steps: Sequence[StepRow]) -> list[StepRow]:
    """Steps to draw: all that have a held-out figure, and of the others as many as there is room for."""
    every = -(-len(steps) // SHOWN)
    last = len(steps) - 1
    return [
        row for n, row in enumerate(steps) if n % every == 0 or n == last or row.figures.get("held_out") is not None
    ]


def points(steps: Sequence[StepRow], names: Mapping[str, str]) -> list[Point]:
    """Those figures of the steps that are there, under the names that people read."""
    found = []
    for figure, name in names.items():
        for row in steps:
            value = row.figures.get(figure)
            if value is not None:
                error = row.figures.get("held_out_error") if figure == "held_out" else None
                found.append(Point(row.step, name, value, error or 0.0))
    return found


def parts(steps: Sequence[StepRow]) -> list[Point]:
    """What the reward is made of, and what else the loss tells, each a line."""
    return [Point(row.step, name.replace("_", " "), value) for row in steps for name, value in row.parts.items()]


def sampled(steps: Sequence[StepRow]) -> bool:
    """Whether there was a sampler to differ from: a loss that reads the distribution itself needs none."""
    return any("mismatch_mean" in row.figures for row in steps)


def samples(store: Store, run: str, step: int) -> list[tuple[SampleRow, str]]:
    """A step's answers with the titles of what they are about; an empty one where the item is gone."""
    rows = store.training.samples(run, step)
    items = store.items.many({row.item for row in rows})
    return [(row, items[row.item].title if row.item in items else "") for row in rows]


def thumbs(run: TrainingRun) -> str:
    """What the run learned from and is judged by, in words."""
    learn, held = run.facts.get("learn") or {}, run.facts.get("held_out") or {}
    if not learn:
        return ""
    return f"{learn.get('thumbs', 0)} ({learn.get('up', 0)} up); {held.get('thumbs', 0)} held out"


def table(check: ParityRow) -> list[Mapping[str, Any]]:
    """The rows of a precision table; a running server has the one head that it was started with."""
    told = check.found
    rows: list[Mapping[str, Any]] = told.get("rows") or []
    if not rows and "fp32" in told:
        rows = [
            {"trainer_fp32": head, "mismatch": told[name]}
            for name, head in (("rounded", False), ("fp32", True))
            if told.get(name)
        ]
    return rows


ENDS = {
    State.RUNNING: ("running", "running, or killed"), State.STOPPED: ("cooling", "stopped"), State.ALARMED: ("failed", "alarm"),
    State.FAILED: ("failed", "failed"), State.DONE: ("done", "done"),
}  # fmt: skip
