"""Writes a run's steps, samples, checkpoints and alarms into the store, as they come. What they are is `rl.monitor`'s."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rl.monitor import Alarm, Step
from scout.clock import now
from scout.store import Store
from scout.store.training import AlarmRow, CheckpointRow, SampleRow, StepRow

FIGURES = (
    "reward", "loss", "held_out", "held_out_error", "grad_norm", "entropy", "clipped", "truncated", "length", "repetition",
    "kl_reference", "k3", "effective", "staleness", "replaced", "refused",
)  # fmt: skip
SAMPLES = 32
"""Answers kept of a step at the most."""
LONGEST = 2_000
"""Characters of an answer, and of the text it is about."""


class StoreRecorder:
    """A `rl.recorder.Recorder`. It belongs to the thread of its store."""

    def __init__(
        self, store: Store, run: str, *, data_dir: Path, sample_every: int, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._store, self._run, self._data_dir, self._every = store, run, data_dir, sample_every
        self._stopping = stopping

    def step(self, step: Step) -> None:
        row = StepRow(
            step=step.step, version=step.version, at=now(), parts=finite(step.parts),
            figures={
                **{name: _finite(getattr(step, name)) for name in FIGURES},
                **{f"mismatch_{name}": value for name, value in finite(step.mismatch).items()},
            },
        )  # fmt: skip
        self._store.training.step(self._run, row, _samples(step) if step.step % self._every == 0 else ())

    def kept(self, steps: int, folder: Path) -> None:
        place = str(folder.relative_to(self._data_dir)) if folder.is_relative_to(self._data_dir) else str(folder)
        self._store.training.checkpoint(self._run, CheckpointRow(steps=steps, folder=place, at=now()))

    def alarms(self, raised: Sequence[Alarm]) -> None:
        for alarm in raised:
            self._store.training.alarm(
                AlarmRow(run=self._run, step=alarm.step, kind=str(alarm.kind), evidence=alarm.evidence, at=now())
            )

    def stopping(self) -> bool:
        return self._stopping()


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """Those that are numbers: JSON has no word for the others."""
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _samples(step: Step) -> list[SampleRow]:
    """Spread over the step's answers, so that a large group does not take all the places."""
    every = max(1, math.ceil(len(step.samples) / SAMPLES))
    return [
        SampleRow(
            item=each.id, answer=each.answer[:LONGEST], source=each.source[:LONGEST], reward=_finite(each.reward) or 0.0,
            parts=finite(each.parts),
        )
        for each in step.samples[::every]
    ]  # fmt: skip
