"""The loop, on one screen: sample, reward, compare within groups, step, watch, keep.

    prompts ─► rollouts ─► rewards ─► advantages ─► loss through the FP32 head ─► step ─► alarms ─► checkpoint

One process, one device, the sampler in this process: the reference. A run is a function of its settings: the same seed gives
the same weights, also when it was stopped and resumed in between. A server may sample instead (`rl.server_rollout`), and several
processes train (`rl.distributed`). What cannot be trusted is not trained on; an alarm ends the run with its evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rl import checkpoints, distributed, gate
from rl.advantages import group_advantages
from rl.collect import Collected
from rl.losses import LOSSES, Batch
from rl.mismatch import Mismatch, measure, truncated
from rl.monitor import Alarm, Limits, Sample, Step, alarms, repetition
from rl.pipeline import Pipeline, version_of
from rl.recorder import NOBODY, Recorder
from rl.rollout import InProcess, Sampler, Sampling, logprobs_of, pack, sample
from rl.signals import Stop, Stopping, terminable
from rl.task import Example, Task
from rl.timing import Clock, Timed
from scout.progress import SILENT, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run's settings. The optimizer's are those MiniMax-M1 reports (arXiv 2506.13585, section 3.2)."""

    steps: int
    prompts: int = 8
    """A step."""
    group: int = 8
    """Answers a prompt."""
    loss: str = "cispo"
    learning_rate: float = 1e-5
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-15
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    max_tokens: int = 1
    temperature: float = 1.0
    end: frozenset[int] = frozenset()
    seed: int = 0
    held_out_every: int = 10
    keep_every: int = 0
    """Checkpoint after so many steps; 0 for the last alone."""
    limits: Limits = field(default_factory=Limits)
    ahead: int = 0
    """Rollouts are sampled so many steps before they are trained on, by the policy of then; a server does it meanwhile."""
    replace: int = 2
    """How often groups without spread are replaced by other prompts' before a step makes do with what it has."""
    parity: float = 0.05
    """Mean |Δ log-probability|, in nats, between trainer and sampler with which a run may begin (`rl.gate`)."""


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
    model: Any,
    task: Task,
    plan: Plan,
    *,
    decode: Callable[[Sequence[int]], str],
    folder: Path | None = None,
    progress: Progress = SILENT,
    recorder: Recorder = NOBODY,
    sampler: Sampler | None = None,
) -> Ended:
    """Train the parameters of `model` that want gradients; resumes from `folder` where a checkpoint of this plan lies.

    Args:
        sampler: who samples; the model itself, in this process, unless given.

    Raises:
        ValueError: the task has no examples or nothing to tell apart, or the plan names no loss of ours.
        SamplerFailed: rollouts cannot be had, or none that can be trained on; or trainer and sampler are not one function.
        checkpoints.OtherRun: the folder holds a run with other settings.
        checkpoints.NotKept: a checkpoint cannot be written; the one before stands.
    """
    _check(task, plan)
    if distributed.world().rank:  # the first process tells, the others keep step with it
        progress, recorder = SILENT, NOBODY
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, plan.learning_rate, plan.betas, plan.eps, plan.weight_decay)
    generator = torch.Generator().manual_seed(plan.seed)
    before = checkpoints.resume(folder, model, optimizer, generator, plan)
    history = list(before.history)
    progress.stage("steps", plan.steps)
    clock = Clock()
    alone = distributed.world().size == 1  # several processes end together, after a step
    with terminable() as stop:
        sampler = Timed(sampler or InProcess(each=_agreeing(stop)), clock)
        with Pipeline(task, sampler, plan, decode, generator, before.in_flight) as pipeline:

            def keep() -> None:
                if folder:
                    checkpoints.keep(folder, model, optimizer, generator, plan, history, pipeline.in_flight())
                    recorder.kept(len(history), folder)

            for step in range(len(history), plan.steps):
                try:
                    pipeline.begin(step, model)
                    if step == len(before.history):
                        prompts = [example.prompt for example in task.examples]
                        with clock.part("setup"):
                            gate.check(model, sampler.inner, prompts, plan, version=version_of(step), limit=plan.parity)
                    with clock.part("generation" if sampler.overlaps else "collecting"):
                        collected, sampled_at = pipeline.rollouts(stop.look if alone else lambda: None)
                    loss, figures = _stepped(model, weights, optimizer, collected, plan, stop, clock)
                except Stopping:
                    keep()
                    return Ended(tuple(history), stopped=True)
                pipeline.end()
                with clock.part("held-out"):
                    held = held_out(model, task, plan, decode) if _due(step, plan) else (None, 0.0)
                history.append(_told(step, collected, task, plan, loss, held, staleness=step - sampled_at, **figures))
                progress.step(f"reward {history[-1].reward:.3f}")
                recorder.step(history[-1])
                if raised := alarms(history, plan.limits):
                    recorder.alarms(raised)
                    return Ended(tuple(history), raised)
                last = step + 1 == plan.steps
                stopping = distributed.any_of(recorder.stopping() or stop.asked) and not last
                if last or stopping or (plan.keep_every and (step + 1) % plan.keep_every == 0):
                    keep()
                if stopping:
                    return Ended(tuple(history), stopped=True)
    progress.done()
    return Ended(tuple(history), seconds=clock.parts)


def _check(task: Task, plan: Plan) -> None:
    if not task.examples:
        raise ValueError("there is nothing to train on: the task has no examples")
    if plan.loss not in LOSSES:
        raise ValueError(f"no loss is called {plan.loss!r}; there are {', '.join(LOSSES)}")
    if plan.ahead < 0 or plan.replace < 0:
        raise ValueError(f"ahead and replace count steps and tries, so not {plan.ahead} and {plan.replace}")
    thumbs = {example.label.up for example in task.examples}
    if len(task.examples) > 1 and len(thumbs) == 1 and None not in thumbs:
        way = "up" if thumbs == {True} else "down"
        raise ValueError(
            f"all {len(task.examples)} thumbs are {way}: one answer to everything would be best; both kinds are needed"
        )


def _agreeing(stop: Stop) -> Callable[[torch.Tensor], torch.Tensor]:
    def each(drawn: torch.Tensor) -> torch.Tensor:
        if distributed.world().size == 1:
            stop.look()
        return distributed.agreed(drawn)

    return each


def _stepped(
    model: Any, weights: Sequence[Any], optimizer: Any, collected: Collected, plan: Plan, stop: Stop, clock: Clock
) -> tuple[float, dict[str, Any]]:
    """One update from these rollouts.

    None is made, and weights stay as they are, where no group has spread, a figure is no finite number, or trainer and sampler
    differ beyond the limits.
    """
    alone = distributed.world().size == 1
    rollouts, advantages = collected.rollouts, group_advantages(collected.rewards).values.flatten()
    whole = pack(rollouts, device=model.device)
    own = whole.rows(distributed.share(len(rollouts)))
    with clock.part("forward"):
        logprobs, entropies = (
            distributed.together(each, len(rollouts)) for each in logprobs_of(model, own, temperature=plan.temperature)
        )
    apart = measure(logprobs, whole.old, whole.mask)
    batch = Batch(
        logprobs=logprobs, old=logprobs.detach(), mask=whole.mask, advantages=advantages.to(logprobs.device),
        weights=truncated(logprobs, whole.old),
    )  # fmt: skip
    extra = {"length": plan.max_tokens} if plan.loss == "dr_grpo" else {}
    loss = LOSSES[plan.loss](batch, **extra)
    optimizer.zero_grad()
    with clock.part("backward"):
        loss.value.backward()
    norm = float(distributed.whole(torch.nn.utils.clip_grad_norm_(weights, plan.clip_norm)))
    if alone:
        stop.look()
    if (
        math.isfinite(norm)
        and loss.value.isfinite()
        and advantages.any()
        and not plan.limits.parted(apart.k3, apart.effective)
    ):
        optimizer.step()
    return float(loss.value.detach()), {
        "grad_norm": norm, "entropy": float(entropies[whole.mask].mean()), "clipped": loss.metrics["clipped"], "mismatch": apart,
    }  # fmt: skip


def _told(
    step: int, collected: Collected, task: Task, plan: Plan, loss: float, held: tuple[float | None, float], *,
    mismatch: Mismatch, staleness: int, **figures: float,
) -> Step:  # fmt: skip
    """The step as monitors, the store and the page see it."""
    worth = [each for group in collected.groups for each in group.worth]
    samples = tuple(
        Sample(answer=text, source=example.source, id=example.id, reward=each.total, parts=each.parts)
        for group in collected.groups
        for example in (task.examples[group.place],)
        for text, each in zip(group.texts, group.worth, strict=True)
    )
    rollouts = collected.rollouts
    return Step(
        step=step, version=collected.version, reward=float(collected.rewards.mean()), loss=loss,
        parts={
            name: _mean([w.parts[name] for w in worth if name in w.parts]) for name in sorted({n for w in worth for n in w.parts})
        },
        held_out=held[0], held_out_error=held[1], truncated=_mean([float(r.cut and plan.max_tokens > 1) for r in rollouts]),
        length=_mean([float(len(r.answer)) for r in rollouts]), repetition=_mean([repetition(s.answer) for s in samples]),
        k3=mismatch.k3, effective=mismatch.effective, mismatch=mismatch.to_dict(), staleness=staleness,
        replaced=collected.replaced, refused=collected.refused, samples=samples, **figures,
    )  # fmt: skip


def held_out(model: Any, task: Task, plan: Plan, decode: Callable[[Sequence[int]], str]) -> tuple[float | None, float]:
    """Mean worth of answers to the held-out examples, and its standard error; the same draws at every step."""
    if not task.held_out:
        return None, 0.0
    generator = torch.Generator().manual_seed(plan.seed + 1)
    scores = []
    for chunk in _chunks(task.held_out, plan.prompts * plan.group):
        drawn = sample(
            model,
            [e.prompt for e in chunk],
            _sampling(plan),
            version="held-out",
            generator=generator,
            each=distributed.agreed,
        )
        scores += [
            task.worth(example, decode([id for id in each.answer if id not in plan.end])).total
            for example, each in zip(chunk, drawn, strict=True)
        ]
    values = torch.tensor(scores)
    return float(values.mean()), float(values.std() / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _sampling(plan: Plan) -> Sampling:
    return Sampling(plan.max_tokens, plan.temperature, plan.end)


def _due(step: int, plan: Plan) -> bool:
    return step % plan.held_out_every == 0 or step + 1 == plan.steps


def _chunks(values: Sequence[Example], size: int) -> Iterator[Sequence[Example]]:
    for first in range(0, len(values), size):
        yield values[first : first + size]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
