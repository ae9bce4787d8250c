"""The rollouts of one step: groups of answers to the same prompt, judged; groups that teach nothing replaced by other prompts'.

What is drawn is a function of the seed, so a step can be drawn again. When and by which policy is `rl.pipeline`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from rl.rewards import Reward
from rl.rollout import Refused, Rollout, Sampler, SamplerFailed
from rl.task import Example, Task

if TYPE_CHECKING:
    from rl.plan import Plan

log = logging.getLogger("scout")
FLAT = 1e-6
"""Rewards of a group that lie no further apart teach nothing."""
_SEEDS = 2**62


@dataclass(frozen=True, slots=True)
class Group:
    place: int
    """Of the example in the task."""
    rollouts: tuple[Rollout, ...]
    texts: tuple[str, ...]
    worth: tuple[Reward, ...]

    @property
    def is_flat(self) -> bool:
        totals = [each.total for each in self.worth]
        return max(totals) - min(totals) < FLAT


@dataclass(frozen=True, slots=True)
class Collected:
    """What one step trains on: as many groups as the plan has prompts; flat ones fill up where too few had spread."""

    groups: tuple[Group, ...]
    version: str
    """The policy that sampled all of it."""
    replaced: int = 0
    """Groups without spread that gave their place to another prompt's."""
    refused: int = 0
    """Groups with an answer that could not be used."""

    @property
    def rollouts(self) -> list[Rollout]:
        return [rollout for group in self.groups for rollout in group.rollouts]

    @property
    def rewards(self) -> torch.Tensor:
        """[groups, size]"""
        return torch.tensor([[each.total for each in group.worth] for group in self.groups])


Decode = Callable[[Sequence[int]], str]


def collect(task: Task, sampler: Sampler, plan: Plan, decode: Decode, *, version: str, seed: int) -> Collected:
    """Sample one step's groups.

    Raises:
        SamplerFailed: no group can be used.
    """
    draws = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(task.examples), generator=draws).tolist()
    kept: list[Group] = []
    flat: list[Group] = []
    refused: list[str] = []
    for _ in range(plan.replace + 1):
        chosen, order = order[: plan.prompts - len(kept)], order[plan.prompts - len(kept) :]
        if not chosen:
            break
        for place, answers in _asked(task, sampler, plan, chosen, version=version, seed=_seed(draws)):
            if reasons := [each.why for each in answers if isinstance(each, Refused)]:
                log.warning("group left out", extra={"example": task.examples[place].id, "why": reasons[0]})
                refused.append(reasons[0])
                continue
            group = judged(task, plan, decode, place, [each for each in answers if isinstance(each, Rollout)])
            (flat if group.is_flat else kept).append(group)
    wanted = min(plan.prompts, len(task.examples))
    filled = flat[: wanted - len(kept)]
    if not kept and not filled:
        raise SamplerFailed(f"none of {len(refused)} groups can be trained on; the first: {refused[0]}")
    return Collected((*kept, *filled), version, replaced=len(flat) - len(filled), refused=len(refused))


def judged(task: Task, plan: Plan, decode: Decode, place: int, rollouts: Sequence[Rollout]) -> Group:
    """A group with its texts and what each is worth."""
    texts = tuple(decode([id for id in rollout.answer if id not in plan.end]) for rollout in rollouts)
    worth = tuple(task.worth(task.examples[place], text) for text in texts)
    return Group(place, tuple(rollouts), texts, worth)


def _asked(
    task: Task, sampler: Sampler, plan: Plan, places: Sequence[int], *, version: str, seed: int
) -> Iterator[tuple[int, list[Rollout | Refused]]]:
    examples: list[Example] = [task.examples[place] for place in places]
    prompts = [example.prompt for example in examples for _ in range(plan.group)]
    answers = sampler.sample(prompts, plan.sampling, version=version, seed=seed)
    if len(answers) != len(prompts):
        raise SamplerFailed(f"{len(prompts)} answers were asked for, {len(answers)} came")
    for n, place in enumerate(places):
        yield place, answers[n * plan.group : (n + 1) * plan.group]


def _seed(draws: torch.Generator) -> int:
    return int(torch.randint(_SEEDS, (), generator=draws))
