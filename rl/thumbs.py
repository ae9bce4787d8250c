"""Learn a reader's thumbs: an adapter whose rating token says what they would thumb up. KTO first, then CISPO.

    prompts ─► states of the last token ─► log-probabilities of the ratings (FP32 head) ─► KTO or CISPO ─► step ─► held-out AUC

The prompt is serving's own, and what is measured is what serving reads: the mean of the ratings' distribution. A run is a
function of its plan: stopped after some minutes, it goes on from its folder where it was, to the same weights.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rl import checkpoints, lora
from rl.monitor import Alarm, Step, alarms
from rl.recorder import NOBODY, Recorder
from rl.task import Example
from rl.thumbs_run import ONCE, Plan, Run, batches
from rl.timing import Clock
from scout.progress import SILENT, Progress

BETWEEN = "between.json"
"""What the model said between KTO and CISPO, while a run is under way."""

__all__ = ["Learned", "Plan", "learn"]


@dataclass(frozen=True, slots=True)
class Learned:
    adapter: Path | None
    """A PEFT folder; None where the run has not ended yet, or an alarm ended it."""
    steps: tuple[Step, ...]
    seconds: Mapping[str, float]
    """By part, of this call."""
    processor: float = 0.0
    """Seconds of processor time of this call, all threads together."""
    alarms: tuple[Alarm, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    """What the trained model says of each held-out example and of those only asked about, by its id; once it has ended."""
    before: Mapping[str, float] = field(default_factory=dict)
    """What the model said before it was trained."""
    between: Mapping[str, float] = field(default_factory=dict)
    """What it said when KTO had ended and CISPO was to follow; empty where a run has but one of them."""


def learn(
    checkpoint: Path, examples: Sequence[Example], held_out: Sequence[Example], plan: Plan, *, folder: Path,
    ask: Sequence[Example] = (), minutes: float = math.inf, progress: Progress = SILENT,
    recorder: Recorder = NOBODY,
) -> Learned:  # fmt: skip
    """Train an adapter on `examples`, watching `held_out`; resumes from `folder`, and keeps the adapter in `folder/adapter`.

    Args:
        ask: further examples that are scored once at the end, and looked at for nothing else.
        minutes: stop at a checkpoint after so many; call again to go on.

    Raises:
        ValueError: there are not both thumbs among the examples, or a rating is no single token of the model.
        checkpoints.OtherRun: the folder holds a run with another plan.
    """
    if len({example.label.up for example in examples}) < 2:
        raise ValueError("thumbs of one kind alone teach nothing: at least one up and one down are needed")
    plan = replace(plan, data=_digest([*examples, *held_out, *ask], plan))
    clock, begun, worked = Clock(), time.monotonic(), time.process_time()
    with clock.part("setup"):
        run = Run(checkpoint, examples, [*held_out, *ask], plan, folder, progress)
    total = len(batches(run.train, plan, 0)) * (plan.kto_epochs + plan.cispo_epochs)
    progress.stage("steps", total)
    for step, places in run.todo():
        run.history.append(run.step(step, places, clock, looked=_due(step, total, plan), held=len(held_out)))
        recorder.step(replace(run.history[-1], samples=run.shown))
        progress.step(_said(run.history))
        if step + 1 == run.kto_steps < total and ask:
            _keep(folder / BETWEEN, run, progress)
        if raised := alarms(run.history, plan.limits):
            recorder.alarms(raised)
            return Learned(None, tuple(run.history), clock.parts, time.process_time() - worked, raised)
        stops = step + 1 < total and (recorder.stopping() or time.monotonic() - begun > 60 * minutes)
        if stops or (step + 1) % plan.keep_every == 0 or step + 1 == total:
            checkpoints.keep(folder, run.model, run.optimizer, run.generator, plan, run.history)  # type: ignore[arg-type]
            recorder.kept(step + 1, folder)
        if stops:
            return Learned(None, tuple(run.history), clock.parts, time.process_time() - worked)
    between = _kept(folder / BETWEEN)
    adapter = lora.save(run.model, folder / "adapter")
    progress.stage("scores", 2 * len(run.watched.examples))
    with clock.part("held-out"):
        scores = run.said(progress)
        with run.model.disable_adapter():
            before = run.said(progress)
    for name in (ONCE, BETWEEN):
        (folder / name).unlink(missing_ok=True)
    progress.done()
    spent = time.process_time() - worked
    return Learned(adapter, tuple(run.history), clock.parts, spent, scores=scores, before=before, between=between)


def _keep(place: Path, run: Run, progress: Progress) -> None:
    """What the model says now, kept in the folder: a run that is stopped later goes on behind this."""
    half = place.with_suffix(".part")
    half.write_text(json.dumps(run.said(progress)), encoding="utf-8")
    half.replace(place)


def _kept(place: Path) -> dict[str, float]:
    try:
        found: dict[str, float] = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _due(step: int, total: int, plan: Plan) -> bool:
    return (step + 1) % plan.held_out_every == 0 or step + 1 == total


def _said(history: Sequence[Step]) -> str:
    seen = [step.held_out for step in history if step.held_out is not None]
    return f"reward {history[-1].reward:.3f}" + (f", AUC {seen[-1]:.3f}" if seen else "")


def _digest(examples: Sequence[Example], plan: Plan) -> str:
    told = repr([plan.first_layer, plan.body, *((example.id, example.prompt, example.label) for example in examples)])
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
