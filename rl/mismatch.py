"""Trainer and sampler disagree on the same tokens: how much, and weights that correct for it.

All over the tokens that the policy chose. Long sequences never multiply their ratios up: corrections are by token.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Figures over N tokens, of log-probabilities in nats."""

    tokens: int
    mean: float
    """Mean |Δ log-probability|."""
    p99: float
    largest: float
    k1: float
    """KL(sampler || trainer), the plain estimate: mean of sampler less trainer."""
    k3: float
    """The same, never negative (Schulman): mean of r - 1 - log r with r = trainer / sampler."""
    correlation: float
    """Of the probabilities, as MiniMax-M1 reports it (arXiv 2506.13585, figure 3); NaN for fewer than two tokens."""
    ratio_min: float
    ratio_max: float
    effective: float
    """Effective sample size over N (Kish): (Σr)² / (N Σr²)."""

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def measure(
    trainer: Float[Tensor, "*N"], sampler: Float[Tensor, "*N"], mask: Bool[Tensor, "*N"] | None = None
) -> Mismatch:
    """Compare log-probabilities of the same tokens, of those in the mask where there is one.

    Raises:
        ValueError: there is no token, or a log-probability is NaN, infinite or above zero: nothing to train on.
    """
    chosen = torch.ones_like(trainer, dtype=torch.bool) if mask is None else mask
    ours, theirs = trainer.detach()[chosen].double(), sampler.detach()[chosen].double()
    check(ours, "trainer")
    check(theirs, "sampler")
    if not len(ours):
        raise ValueError("no token to compare")
    gap = ours - theirs
    ratio = gap.exp()
    size = gap.abs()
    return Mismatch(
        tokens=len(ours), mean=float(size.mean()), p99=float(size.quantile(0.99)), largest=float(size.max()),
        k1=float(-gap.mean()), k3=float((gap.expm1() - gap).mean()), correlation=_correlation(ours.exp(), theirs.exp()),
        ratio_min=float(ratio.min()), ratio_max=float(ratio.max()),
        effective=float(ratio.sum() ** 2 / (len(ratio) * (ratio**2).sum())),
    )  # fmt: skip


def check(logprobs: Float[Tensor, "*N"], whose: str) -> None:
    """
    Raises:
        ValueError: a log-probability that cannot be one.
    """
    wrong = ~logprobs.isfinite() | (logprobs > 1e-4)
    if wrong.any():
        place = int(wrong.flatten().nonzero()[0])
        value = float(logprobs.flatten()[place])
        raise ValueError(f"the {whose}'s log-probability of token {place} is {value}; {int(wrong.sum())} such tokens")


def truncated(trainer: Float[Tensor, "*N"], sampler: Float[Tensor, "*N"], *, cap: float = 2.0) -> Float[Tensor, "*N"]:
    """Truncated importance weights min(trainer / sampler, cap), by token, without gradient (Ionides 2008)."""
    return (trainer.detach() - sampler).exp().clamp(max=cap)


def masked(
    trainer: Float[Tensor, "*N"], sampler: Float[Tensor, "*N"], *, low: float = 0.5, high: float = 2.0
) -> Float[Tensor, "*N"]:
    """Importance weights of tokens within [low, high], zero for others: a token too far off teaches nothing."""
    ratio = (trainer.detach() - sampler).exp()
    return ratio.where((ratio >= low) & (ratio <= high), 0)


class Correction(StrEnum):
    """What is done about tokens that the sampler computed differently."""

    NONE = "none"
    TRUNCATED = "truncated"
    MASKED = "masked"


CORRECTIONS: Mapping[Correction, Callable[[Tensor, Tensor], Tensor | None]] = {
    Correction.NONE: lambda trainer, sampler: None,
    Correction.TRUNCATED: truncated,
    Correction.MASKED: masked,
}


def _correlation(a: Tensor, b: Tensor) -> float:
    if len(a) < 2:
        return math.nan
    a, b = a - a.mean(), b - b.mean()
    scale = float(a.norm() * b.norm())
    return float(a @ b) / scale if scale else math.nan
