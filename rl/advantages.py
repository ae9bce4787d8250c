"""Advantages: what an answer's reward says beside the other answers to the same prompt."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Advantages:
    values: Float[Tensor, "groups size"]
    flat: Bool[Tensor, " groups"]
    """All rewards of the group are equal, so it teaches nothing and its prompt should be replaced."""


def group_advantages(
    rewards: Float[Tensor, "groups size"], *, by_spread: bool = True, least_spread: float = 1e-6
) -> Advantages:
    """Rewards less their group's mean, divided by its standard deviation unless `by_spread` is false (Dr. GRPO).

    Args:
        rewards: one group a prompt.
        least_spread: a smaller standard deviation counts as none.

    Raises:
        ValueError: a reward is not finite, or a group holds fewer than two.
    """
    if rewards.ndim != 2 or rewards.shape[1] < 2:
        raise ValueError(f"rewards are [groups, size] with at least two in a group, not {list(rewards.shape)}")
    if not rewards.isfinite().all():
        group = int((~rewards.isfinite()).any(dim=1).nonzero()[0])
        raise ValueError(f"group {group} has a reward that is not finite: {rewards[group].tolist()}")
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    spread = rewards.std(dim=1, keepdim=True)
    flat = spread[:, 0] < least_spread
    values = centred / spread.clamp(min=least_spread) if by_spread else centred
    return Advantages(torch.where(flat[:, None], 0, values), flat)
