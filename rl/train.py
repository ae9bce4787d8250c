"""The loop, on one screen: sample, reward, compare within groups, step, watch, keep.

    prompts ─► rollouts ─► rewards ─► advantages ─► loss through the FP32 head ─► step ─► alarms ─► checkpoint

One process, one device, the sampler in this process: the reference. A run is a function of its settings: the same seed gives
the same weights, also when it was stopped and resumed in between. An alarm ends it with its evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rl import checkpoints
from rl.advantages import group_advantages
from rl.losses import LOSSES, Batch
from rl.mismatch import measure, truncated
from rl.monitor import Alarm, Limits, Sample, Step, alarms
from rl.recorder import NOBODY, Recorder
from rl.rollout import Rollout, Sampling, logprobs_of, pack, sample
from rl.task import Example, Task
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


@dataclass(frozen=True, slots=True)
class Ended:
    steps: tuple[Step, ...]
    alarms: tuple[Alarm, ...] = ()
    """Why it stopped early."""
    stopped: bool = False
    """The recorder wished it; the state is kept."""


def train(
    model: Any,
    task: Task,
    plan: Plan,
    *,
    decode: Callable[[Sequence[int]], str],
    folder: Path | None = None,
    progress: Progress = SILENT,
    recorder: Recorder = NOBODY,
) -> Ended:
    """Train the parameters of `model` that want gradients; resumes from `folder` where a checkpoint of this plan lies.

    Raises:
        ValueError: the task has no examples, or the plan names no loss of ours.
        checkpoints.OtherRun: the folder holds a run with other settings.
    """
    if not task.examples:
        raise ValueError("there is nothing to train on: the task has no examples")
    if plan.loss not in LOSSES:
        raise ValueError(f"no loss is called {plan.loss!r}; there are {', '.join(LOSSES)}")
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, plan.learning_rate, plan.betas, plan.eps, plan.weight_decay)
    generator = torch.Generator().manual_seed(plan.seed)
    history = checkpoints.resume(folder, model, optimizer, generator, plan)
    progress.stage("steps", plan.steps)
    for step in range(len(history), plan.steps):
        version = f"step-{step}"
        chosen = _drawn(task.examples, plan.prompts, generator)
        prompts = [example.prompt for example in chosen for _ in range(plan.group)]
        rollouts = sample(model, prompts, _sampling(plan), version=version, generator=generator)
        texts = [decode([id for id in rollout.answer if id not in plan.end]) for rollout in rollouts]
        worth = [task.worth(chosen[place // plan.group], text) for place, text in enumerate(texts)]
        rewards = torch.tensor([each.total for each in worth]).view(len(chosen), plan.group)
        found = group_advantages(rewards)
        loss, figures = _stepped(model, weights, optimizer, rollouts, found.values.flatten(), plan)
        parts = {
            name: _mean([w.parts[name] for w in worth if name in w.parts])
            for name in sorted({n for w in worth for n in w.parts})
        }
        held, error = held_out(model, task, plan, decode) if _due(step, plan) else (None, 0.0)
        samples = tuple(
            Sample(answer=text, source=each.source, id=each.id, reward=worth[n].total, parts=worth[n].parts)
            for n, text in enumerate(texts)
            for each in (chosen[n // plan.group],)
        )
        history.append(
            Step(
                step=step, version=version, reward=float(rewards.mean()), loss=loss, parts=parts, held_out=held,
                held_out_error=error, truncated=_mean([float(r.cut and plan.max_tokens > 1) for r in rollouts]),
                length=_mean([float(len(r.answer)) for r in rollouts]), samples=samples, **figures,
            )
        )  # fmt: skip
        progress.step(f"reward {history[-1].reward:.3f}")
        recorder.step(history[-1])
        if raised := alarms(history, plan.limits):
            recorder.alarms(raised)
            return Ended(tuple(history), raised)
        stopping = recorder.stopping() and step + 1 < plan.steps
        if folder and (step + 1 == plan.steps or stopping or (plan.keep_every and (step + 1) % plan.keep_every == 0)):
            checkpoints.keep(folder, model, optimizer, generator, plan, history)
            recorder.kept(step + 1, folder)
        if stopping:
            return Ended(tuple(history), stopped=True)
    progress.done()
    return Ended(tuple(history))


def _stepped(
    model: Any,
    weights: Sequence[Any],
    optimizer: Any,
    rollouts: Sequence[Rollout],
    advantages: torch.Tensor,
    plan: Plan,
) -> tuple[float, dict[str, float]]:
    """One update from these rollouts. One that is no finite number is not made: weights stay as they are."""
    packed = pack(rollouts, device=model.device)
    logprobs, entropies = logprobs_of(model, packed, temperature=plan.temperature)
    apart = measure(logprobs, packed.old, packed.mask)
    batch = Batch(
        logprobs=logprobs, old=logprobs.detach(), mask=packed.mask, advantages=advantages.to(logprobs.device),
        weights=truncated(logprobs, packed.old),
    )  # fmt: skip
    extra = {"length": plan.max_tokens} if plan.loss == "dr_grpo" else {}
    loss = LOSSES[plan.loss](batch, **extra)
    optimizer.zero_grad()
    loss.value.backward()
    norm = float(torch.nn.utils.clip_grad_norm_(weights, plan.clip_norm))
    if math.isfinite(norm) and loss.value.isfinite():
        optimizer.step()
    return float(loss.value.detach()), {
        "grad_norm": norm, "entropy": float(entropies[packed.mask].mean()), "clipped": loss.metrics["clipped"],
        "k3": apart.k3, "effective": apart.effective,
    }  # fmt: skip


def held_out(model: Any, task: Task, plan: Plan, decode: Callable[[Sequence[int]], str]) -> tuple[float | None, float]:
    """Mean worth of answers to the held-out examples, and its standard error; the same draws at every step."""
    if not task.held_out:
        return None, 0.0
    generator = torch.Generator().manual_seed(plan.seed + 1)
    scores = []
    for chunk in _chunks(task.held_out, plan.prompts * plan.group):
        drawn = sample(model, [e.prompt for e in chunk], _sampling(plan), version="held-out", generator=generator)
        scores += [
            task.worth(example, decode([id for id in each.answer if id not in plan.end])).total
            for example, each in zip(chunk, drawn, strict=True)
        ]
    values = torch.tensor(scores)
    return float(values.mean()), float(values.std() / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _drawn(examples: Sequence[Example], count: int, generator: torch.Generator) -> list[Example]:
    return [examples[place] for place in torch.randperm(len(examples), generator=generator)[:count].tolist()]


def _sampling(plan: Plan) -> Sampling:
    return Sampling(plan.max_tokens, plan.temperature, plan.end)


def _due(step: int, plan: Plan) -> bool:
    return step % plan.held_out_every == 0 or step + 1 == plan.steps


def _chunks(values: Sequence[Example], size: int) -> Iterator[Sequence[Example]]:
    for first in range(0, len(values), size):
        yield values[first : first + size]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
