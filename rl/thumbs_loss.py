"""KTO: learning from single thumbs, up or down, that no pair stands behind (arXiv 2402.01306)."""

from __future__ import annotations

from torch import Tensor

from rl.losses import Loss


def kto(
    logprobs: Tensor, reference: Tensor, up: Tensor, *, baseline: Tensor | float = 0.0, least: float = 0.0,
    beta: float = 0.1, up_weight: float = 1.0, down_weight: float = 1.0, weights: Tensor | None = None,
) -> Loss:  # fmt: skip
    """Prospect-theoretic loss of answers that were thumbed.

    Args:
        logprobs: [B] log-probability of each whole answer under the trained policy.
        reference: [B] the same under the policy that training started from.
        up: [B] bool.
        baseline: [] or [K] log-ratios (policy less reference) of mismatched answers; their mean, not below `least`, is what an
            answer is held against. It carries no gradient.
        least: 0 in the paper, as the mean estimates a divergence.
        beta: how far the policy may go from the reference: the smaller the farther.
        up_weight, down_weight: what a thumb counts; with n_up up and n_down down they should balance.
        weights: [B] what each single thumb counts beside that, by its reason.

    Raises:
        ValueError: the thumbs are all of one kind. Such a batch moves every answer one way and ends in NaN.
    """
    if not (up.any() and (~up).any()):
        raise ValueError(f"KTO needs both thumbs in a batch; these {len(up)} are all {'up' if up.any() else 'down'}")
    margin = logprobs - reference
    held = baseline.detach().mean().clamp(min=least) if isinstance(baseline, Tensor) else max(least, baseline)
    liked = 1 - (beta * (margin - held)).sigmoid()
    disliked = 1 - (beta * (held - margin)).sigmoid()
    terms = (up_weight * liked).where(up, down_weight * disliked)
    value = (terms if weights is None else terms * weights).mean()
    told = margin.detach()
    return Loss(
        value,
        {
            "margin_up": float(told[up].mean()),
            "margin_down": float(told[~up].mean()),
            "baseline": float(held),
            "right": float(((told > held) == up).float().mean()),
        },
    )
