"""What a step is told as: its figures for monitors, the store and the page, and the held-out score beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from rl import distributed
from rl.collect import Collected
from rl.monitor import Sample, Step, repetition
from rl.plan import Plan
from rl.rollout import sample
from rl.task import Task
from rl.update import Update


def told(
    step: int, collected: Collected, update: Update, task: Task, plan: Plan, *, staleness: int, held: tuple[float | None, float]
) -> Step:  # fmt: skip
    """
    Args:
        held: the held-out score and its standard error; None where this step has none.
    """
    worth = [each for group in collected.groups for each in group.worth]
    samples = tuple(
        Sample(answer=text, source=example.source, id=example.id, reward=each.total, parts=each.parts)
        for group in collected.groups
        for example in (task.examples[group.place],)
        for text, each in zip(group.texts, group.worth, strict=True)
    )
    rollouts, apart = collected.rollouts, update.mismatch
    return Step(
        step=step, version=collected.version, reward=float(collected.rewards.mean()), loss=update.loss,
        parts={
            name: _mean([w.parts[name] for w in worth if name in w.parts]) for name in sorted({n for w in worth for n in w.parts})
        },
        held_out=held[0], held_out_error=held[1], grad_norm=update.grad_norm, entropy=update.entropy, clipped=update.clipped,
        truncated=_mean([float(r.cut and plan.max_tokens > 1) for r in rollouts]),
        length=_mean([float(len(r.answer)) for r in rollouts]), repetition=_mean([repetition(s.answer) for s in samples]),
        kl_reference=update.kl_reference, k3=apart.k3, effective=apart.effective, mismatch=apart.to_dict(),
        staleness=staleness, replaced=collected.replaced, refused=collected.refused, samples=samples,
    )  # fmt: skip


def held_out(model: Any, task: Task, plan: Plan, decode: Callable[[Sequence[int]], str]) -> tuple[float | None, float]:
    """Mean worth of answers to the held-out examples, and its standard error; the same draws at every step."""
    if not task.held_out:
        return None, 0.0
    generator, scores = torch.Generator().manual_seed(plan.seed + 1), []
    size = (plan.at_once or plan.prompts) * plan.group
    for first in range(0, len(task.held_out), size):
        chunk = task.held_out[first : first + size]
        drawn = sample(
            model, [e.prompt for e in chunk], plan.sampling, version="held-out", generator=generator, each=distributed.agreed
        )  # fmt: skip
        scores += [
            task.worth(example, decode([id for id in each.answer if id not in plan.end])).total
            for example, each in zip(chunk, drawn, strict=True)
        ]
    values = torch.tensor(scores)
    return float(values.mean()), float(values.std() / math.sqrt(len(values))) if len(values) > 1 else 0.0


def due(step: int, plan: Plan) -> bool:
    """Whether the step is one with a held-out score."""
    return step % plan.held_out_every == 0 or step + 1 == plan.steps


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
