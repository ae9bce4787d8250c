"""Policy-gradient losses: a batch in, a loss with its metrics out. Pure functions of log-probabilities.

Every loss is a per-token term, summed up as its paper does. Ratios are those of the trained policy to the one that sampled
(`Batch.old`); what a server computed differently from the trainer is corrected apart, by `rl.mismatch`'s weights. Where
advantages come from is `rl.advantages`', where log-probabilities come from `rl.head`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """B sampled answers, padded to L tokens. FP32; only `logprobs` carries a gradient."""

    logprobs: Float[Tensor, "B L"]
    """Of the policy that is trained."""
    old: Float[Tensor, "B L"]
    """The same tokens under the policy as it was when they were sampled, computed by the trainer, or told by whoever sampled
    where the trainer no longer is that policy."""
    mask: Bool[Tensor, "B L"]
    """Tokens that the policy chose. What stands elsewhere is never looked at."""
    advantages: Float[Tensor, " B"]
    weights: Float[Tensor, "B L"] | None = None
    """Corrections for what the sampler computed differently (`rl.mismatch`)."""
    reference: Float[Tensor, "B L"] | None = None
    """Log-probabilities under a fixed policy, for a KL term."""


@dataclass(frozen=True, slots=True)
class Loss:
    value: Float[Tensor, ""]
    """To be minimized."""
    metrics: Mapping[str, float]
    """`ratio_mean`, `ratio_max`, `clipped` (share of tokens that the clip kept from counting), `kl` (to `old`, the k3
    estimate), `tokens`, and `kl_reference` where there is one."""


def cispo(batch: Batch, *, cap: float = 5.0, beta: float = 0.0) -> Loss:
    """Clipped importance weights that carry no gradient (MiniMax-M1, arXiv 2506.13585, eq. 4 and 5): no token is dropped.

    `cap` is the largest ratio that counts, from above only, as the paper leaves it. Averaged over all tokens of the batch.
    """
    ratio = _ratio(batch)
    weight = ratio.clamp(max=cap).detach()
    return _loss(batch, -weight * _advantages(batch) * _logprobs(batch), ratio, ratio > cap, over=_tokens, beta=beta)


def grpo(batch: Batch, *, low: float = 0.2, high: float = 0.2, beta: float = 0.0) -> Loss:
    """Clipped surrogate (DeepSeekMath, arXiv 2402.03300, eq. 3), averaged within each answer, then over answers."""
    return _clipped(batch, low=low, high=high, over=_answers, beta=beta)


def dr_grpo(batch: Batch, *, length: int, low: float = 0.2, high: float = 0.2, beta: float = 0.0) -> Loss:
    """GRPO without its bias towards long wrong answers (arXiv 2503.20783): sums are divided by B times the constant
    `length`, the longest answer allowed. Advantages should be centred but not divided by their spread."""
    return _clipped(batch, low=low, high=high, over=lambda terms, mask: terms.sum() / (len(terms) * length), beta=beta)


def dapo(batch: Batch, *, low: float = 0.2, high: float = 0.28, beta: float = 0.0) -> Loss:
    """More room upwards than downwards, and every token of the batch counts the same (arXiv 2503.14476, eq. 8)."""
    return _clipped(batch, low=low, high=high, over=_tokens, beta=beta)


def gspo(batch: Batch, *, low: float = 3e-4, high: float = 4e-4, beta: float = 0.0) -> Loss:
    """One ratio an answer, the geometric mean of its tokens' (arXiv 2507.18071, eq. 5 and 7), clipped as a whole."""
    lengths = batch.mask.sum(dim=1, keepdim=True).clamp(min=1)
    ratio = ((_log_ratio(batch)).sum(dim=1, keepdim=True) / lengths).exp().expand_as(batch.logprobs)
    return _clipped(batch, low=low, high=high, over=_answers, beta=beta, ratio=ratio)


LOSSES: Mapping[str, Callable[..., Loss]] = {
    "cispo": cispo,
    "grpo": grpo,
    "dr_grpo": dr_grpo,
    "dapo": dapo,
    "gspo": gspo,
}


def _clipped(
    batch: Batch,
    *,
    low: float,
    high: float,
    over: Callable[[Tensor, Tensor], Tensor],
    beta: float,
    ratio: Tensor | None = None,
) -> Loss:
    ratio = _ratio(batch) if ratio is None else ratio
    advantages = _advantages(batch)
    free, held = ratio * advantages, ratio.clamp(1 - low, 1 + high) * advantages
    return _loss(batch, -torch.minimum(free, held), ratio, held < free, over=over, beta=beta)


def _loss(
    batch: Batch,
    terms: Tensor,
    ratio: Tensor,
    clipped: Tensor,
    *,
    over: Callable[[Tensor, Tensor], Tensor],
    beta: float,
) -> Loss:
    if beta and batch.reference is None:
        raise ValueError("a KL term (beta) needs the reference's log-probabilities")
    if batch.weights is not None:
        terms = terms * batch.weights
    kl = None if batch.reference is None else _k3(_masked(batch, batch.reference) - _logprobs(batch))
    if beta and kl is not None:
        terms = terms + beta * kl
    with torch.no_grad():
        chosen = ratio[batch.mask]
        log_ratio = _log_ratio(batch)[batch.mask]
        metrics = {
            "ratio_mean": _figure(chosen.mean()) if len(chosen) else 1.0,
            "ratio_max": _figure(chosen.max()) if len(chosen) else 1.0,
            "clipped": _figure(clipped[batch.mask].float().mean()) if len(chosen) else 0.0,
            "kl": _figure(_k3(-log_ratio).mean()) if len(chosen) else 0.0,
            "tokens": float(len(chosen)),
        }
        if kl is not None:
            metrics["kl_reference"] = _figure(kl[batch.mask].mean()) if len(chosen) else 0.0
    return Loss(over(terms.where(batch.mask, 0), batch.mask), metrics)


def _tokens(terms: Tensor, mask: Tensor) -> Tensor:
    return terms.sum() / mask.sum().clamp(min=1)


def _answers(terms: Tensor, mask: Tensor) -> Tensor:
    return (terms.sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()


def _k3(log_ratio: Tensor) -> Tensor:
    """Schulman's estimate of KL(p || q) from samples of p, of log q/p: unbiased, and never negative."""
    return log_ratio.expm1() - log_ratio


def _logprobs(batch: Batch) -> Tensor:
    return _masked(batch, batch.logprobs)


def _masked(batch: Batch, values: Tensor) -> Tensor:
    """Zero outside of the mask, whatever stands there: no padding may turn a gradient into NaN."""
    return values.where(batch.mask, 0)


def _log_ratio(batch: Batch) -> Tensor:
    return _logprobs(batch) - _masked(batch, batch.old)


def _ratio(batch: Batch) -> Tensor:
    return _log_ratio(batch).exp()


def _advantages(batch: Batch) -> Tensor:
    return batch.advantages[:, None]


def _figure(value: Tensor) -> float:
    return float(value.detach())
