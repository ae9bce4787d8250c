"""The loop, on one screen: sample, reward, compare within groups, step, watch, keep.

    prompts ─► rollouts ─► rewards ─► advantages ─► loss through the FP32 head ─► step ─► alarms ─► checkpoint

One process, one device, the sampler in this process: the reference. A run is a function of its settings: the same seed gives
the same weights, also when it was stopped and resumed in between. A server may sample instead (`rl.server_rollout`), and several
processes train (`rl.distributed`). What cannot be trusted is not trained on; an alarm ends the run with its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rl import checkpoints, distributed, gate
from rl.master import MasterAdamW
from rl.monitor import Alarm, Step, alarms
from rl.pipeline import Pipeline
from rl.plan import Plan, check
from rl.recorder import NOBODY, Recorder
from rl.rollout import InProcess, Sampler
from rl.signals import Stopping, terminable
from rl.task import Task
from rl.timing import Clock, Timed
from rl.update import updated
from rl.watching import due, held_out, told
from scout.progress import SILENT, Progress

__all__ = ["Ended", "Plan", "train"]


@dataclass(frozen=True, slots=True)
class Ended:
    steps: tuple[Step, ...]
    alarms: tuple[Alarm, ...] = ()
    """Why it stopped early."""
    stopped: bool = False
    """The recorder wished it, or SIGTERM; the state is kept where there is a folder."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Of a run that came to its end, by part (`rl.timing`)."""


def train(
    model: Any, task: Task, plan: Plan, *, decode: Callable[[Sequence[int]], str], folder: Path | None = None,
    progress: Progress = SILENT, recorder: Recorder = NOBODY, sampler: Sampler | None = None,
) -> Ended:  # fmt: skip
    """Train the parameters of `model` that want gradients; resumes from `folder` where a checkpoint of this plan lies. The model
    itself samples, in this process, unless a `sampler` is given.

    Raises:
        ValueError: the task or the plan makes no sense (`rl.plan.check`), or the model's figures are no numbers.
        SamplerFailed: rollouts cannot be had, or none that can be trained on; or trainer and sampler are not one function.
        checkpoints.OtherRun: the folder holds a run with other settings.
        checkpoints.NotKept: a checkpoint cannot be written; the one before stands.
    """
    check(task, plan)
    if distributed.world().rank:  # the first process tells, the others keep step with it
        progress, recorder = SILENT, NOBODY
    optimizer = MasterAdamW([weight for weight in model.parameters() if weight.requires_grad], plan)
    generator, clock = torch.Generator().manual_seed(plan.seed), Clock()
    before = checkpoints.resume(folder, model, optimizer, generator, plan)
    history = list(before.history)
    progress.stage("steps", plan.steps - len(history))
    with terminable(recorder.stopping) as stop:
        sampler = Timed(sampler or InProcess(each=lambda drawn: distributed.agreed(stop.passing(drawn))), clock)
        with Pipeline(task, sampler, plan, decode, generator, before.in_flight) as pipeline:

            def keep() -> None:
                if folder:
                    checkpoints.keep(folder, model, optimizer, generator, plan, history, pipeline.in_flight())
                    recorder.kept(len(history), folder)

            for step in range(len(history), plan.steps):
                try:
                    pipeline.publish(step, model)
                    if step == len(before.history):
                        with clock.part("setup"):
                            gate.passed(model, sampler.inner, task, plan, step=step)
                    pipeline.begin(step)
                    with clock.part("generation" if sampler.overlaps else "collecting"):
                        sampled, staleness = pipeline.rollouts(stop.look)
                    update = updated(model, optimizer, sampled, plan, staleness=staleness, clock=clock, look=stop.look)
                except Stopping:
                    keep()
                    return Ended(tuple(history), stopped=True)
                pipeline.end()
                with clock.part("held-out"):
                    held = held_out(model, task, plan, decode) if due(step, plan) else (None, 0.0)
                history.append(told(step, sampled, update, task, plan, staleness=staleness, held=held))
                progress.step(f"reward {history[-1].reward:.3f}")
                recorder.step(history[-1])
                if raised := alarms(history, plan.limits):
                    recorder.alarms(raised)
                    return Ended(tuple(history), raised)
                stopping = distributed.any_of(stop.asked) and step + 1 < plan.steps
                if stopping or checkpoints.due(step, plan):
                    keep()
                if stopping:
                    return Ended(tuple(history), stopped=True)
    progress.done()
    return Ended(tuple(history), seconds=clock.parts)
