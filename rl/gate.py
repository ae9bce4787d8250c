"""Before a run: do trainer and sampler compute one function on this task's own prompts? If not, nothing is trained.

Over tokens that the sampler chose, and, where it tells them, over the prompts' tokens: thousands more, each computed by the server
without its prefix cache. What is wrong, and in which layer, `scout rl parity` finds out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from rl import distributed
from rl.mismatch import Mismatch, measure
from rl.pipeline import version_of
from rl.rollout import Refused, Rollout, Sampler, SamplerFailed, logprobs_of, pack

if TYPE_CHECKING:
    from rl.plan import Plan
    from rl.task import Task

PROMPTS = 4
ANSWERS = 16
"""So many prompts and answers are compared at most."""
_SPREAD = math.sqrt(math.pi / 2 - 1)


class NotOneFunction(SamplerFailed):
    """Trainer and sampler differ by more than the threshold: the message has the figures."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What was compared before a run."""

    sampled: Mismatch
    """Over tokens that the sampler chose, at the sampling temperature."""
    scored: Mismatch | None
    """Over the prompts' own tokens; None where the sampler does not tell these."""


def passed(model: Any, sampler: Sampler, task: Task, plan: Plan, *, step: int) -> Gate:
    """`check` with the task's prompts and the plan's limit, of the policy that this step begins with."""
    prompts = [example.prompt for example in task.examples]
    return check(model, sampler, prompts, plan, version=version_of(step), limit=plan.parity)


def check(
    model: Any, sampler: Sampler, prompts: Sequence[Sequence[int]], plan: Plan, *, version: str, limit: float
) -> Gate:
    """Compare a published version with the model it was made of.

    Args:
        limit: the largest mean |Δ log-probability| in nats that training may begin with.

    Raises:
        NotOneFunction: it is larger.
        SamplerFailed: the sampler gives nothing to compare.
    """
    chosen = list(dict.fromkeys(map(tuple, prompts)))[:PROMPTS]
    asked = [chosen[n % len(chosen)] for n in range(ANSWERS)]
    answers = _first(sampler, lambda: sampler.sample(asked, plan.sampling, version=version, seed=plan.seed))
    usable = [each for each in answers if isinstance(each, Rollout)]
    if not usable:
        raise SamplerFailed(
            f"none of {ANSWERS} answers can be used; {next(e.why for e in answers if isinstance(e, Refused))}"
        )
    sampled = _compared(model, usable, temperature=plan.temperature)
    _judge(sampled, limit, f"{sampled.tokens} tokens that it sampled", hint=_hint(plan))
    score = getattr(sampler, "scored", None)
    if score is None:
        return Gate(sampled, None)
    told = _first(sampler, lambda: [score(ids, version=version).tolist() for ids in chosen if len(ids) > 1])
    rows = [
        Rollout(ids[:1], ids[1:], tuple(values), version, cut=False)
        for ids, values in zip((ids for ids in chosen if len(ids) > 1), told, strict=True)
    ]
    if not rows:
        return Gate(sampled, None)
    scored = _compared(model, rows, temperature=1.0)
    _judge(scored, limit, f"{scored.tokens} tokens of {len(rows)} prompts", hint="")
    return Gate(sampled, scored)


def _first(sampler: Sampler, ask: Any) -> Any:
    """What the sampler says; one elsewhere is asked by the first process alone."""
    if not sampler.overlaps or distributed.world().size == 1:
        return ask()
    return distributed.told_or_raised(ask)


@torch.no_grad()
def _compared(model: Any, rollouts: Sequence[Rollout], *, temperature: float) -> Mismatch:
    packed = pack(rollouts, device=model.device)
    ours, _ = logprobs_of(model, packed, temperature=temperature)
    return measure(ours, packed.old, packed.mask)


def _hint(plan: Plan) -> str:
    return (
        ""
        if plan.temperature == 1
        else f"; at temperature {plan.temperature:g} vLLM needs --logprobs-mode processed_logprobs"
    )


def allowed(limit: float, tokens: int) -> float:
    """The mean with which a run may begin, when it is one over so few tokens: two of its standard errors above the limit.

    Differences are taken as normal, so that the standard deviation of their size is .756 of its mean. Sixteen tokens of a body in
    16 bits are else refused now and then by chance.
    """
    return limit * (1 + 2 * _SPREAD / math.sqrt(tokens))


def _judge(found: Mismatch, limit: float, over: str, *, hint: str) -> None:
    if found.mean > allowed(limit, found.tokens):
        raise NotOneFunction(
            f"trainer and sampler do not compute one function: mean |Δ log-probability| {found.mean:.3g} nats over {over}, where "
            f"{limit:g} is allowed (largest {found.largest:.3g}, KL {found.k3:.3g}){hint}; `scout rl parity` names the place"
        )
