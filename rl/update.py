"""One update of the weights: log-probabilities through the FP32 head, the loss, its gradient, a step that may be left out.

What rollouts are trained on is `rl.collect`'s, what becomes of the figures `rl.monitor`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rl import distributed
from rl.advantages import group_advantages
from rl.collect import Collected
from rl.losses import LOSSES, Batch, Loss
from rl.master import MasterAdamW
from rl.mismatch import CORRECTIONS, Mismatch, measure
from rl.plan import Plan
from rl.rollout import Packed, logprobs_of, pack
from rl.timing import Clock


@dataclass(frozen=True, slots=True)
class Update:
    """What an update left behind."""

    loss: float
    grad_norm: float
    entropy: float
    """Of the distributions that answers' tokens were drawn from, by the policy as it was before, in nats."""
    clipped: float
    kl_reference: float
    """0 where there is no reference."""
    mismatch: Mismatch
    made: bool
    """Whether weights were changed."""


def updated(
    model: Any, optimizer: MasterAdamW, collected: Collected, plan: Plan, *, staleness: int, clock: Clock,
    look: Callable[[], None] = lambda: None,
) -> Update:  # fmt: skip
    """Train on these rollouts once.

    Weights stay as they are where no group has spread, a figure is no finite number, or trainer and sampler differ beyond the
    plan's limits.

    Args:
        staleness: updates that the policy has had since it sampled.
        look: called before weights are changed; may raise.

    Raises:
        ValueError: a log-probability is no number, or KL is asked for without an adapter.
    """
    rollouts = collected.rollouts
    advantages = group_advantages(collected.rewards, by_spread=plan.loss != "dr_grpo").values.flatten()
    whole = pack(rollouts, device=model.device)
    with clock.part("forward"):
        logprobs, entropies = _logprobs(model, whole, plan)
        reference = _reference(model, whole, plan)
    apart = measure(logprobs, whole.old, whole.mask)
    batch = _batch(logprobs, whole, advantages.to(logprobs.device), plan, reference, staleness=staleness)
    loss = _loss(batch, plan)
    optimizer.zero_grad()
    with clock.part("backward"):
        loss.value.backward()
    norm = float(distributed.whole(optimizer.clipped()))
    look()
    sound = math.isfinite(norm) and bool(loss.value.isfinite()) and not plan.limits.parted(apart.k3, apart.effective)
    made = sound and bool(advantages.any())
    if made:
        optimizer.step()
    return Update(
        loss=float(loss.value.detach()), grad_norm=norm, entropy=float(entropies[whole.mask].mean()),
        clipped=loss.metrics["clipped"], kl_reference=loss.metrics.get("kl_reference", 0.0), mismatch=apart, made=made,
    )  # fmt: skip


def _batch(
    logprobs: Float[Tensor, "N S-1"], whole: Packed, advantages: Float[Tensor, " N"], plan: Plan,
    reference: Float[Tensor, "N S-1"] | None, *, staleness: int,
) -> Batch:  # fmt: skip
    """What the loss is a function of.

    Of fresh rollouts the sampler's policy is the trainer's: the ratio is 1, and what was computed differently is corrected by
    weights. Of older ones the ratio is to the sampler's own log-probabilities, as nobody else knows that policy any more: the
    loss's clip then bounds what the policy has moved and what was computed differently in one.
    """
    old = whole.old if staleness else logprobs.detach()
    weights = None if staleness else CORRECTIONS[plan.correction](logprobs, whole.old)
    return Batch(
        logprobs=logprobs, old=old, mask=whole.mask, advantages=advantages, weights=weights, reference=reference
    )


def _loss(batch: Batch, plan: Plan) -> Loss:
    extra = {"length": plan.max_tokens} if plan.loss == "dr_grpo" else {}
    return LOSSES[plan.loss](batch, beta=plan.beta, **extra)


def _logprobs(model: Any, whole: Packed, plan: Plan) -> tuple[Float[Tensor, "N S-1"], Float[Tensor, "N S-1"]]:
    """Log-probabilities and entropies of all rollouts; those of this process's share carry a gradient."""
    rows = len(whole.ids)
    own = whole.rows(distributed.share(rows))
    found = logprobs_of(model, own, temperature=plan.temperature, at_once=plan.at_once * plan.group)
    return distributed.together(found[0], rows), distributed.together(found[1], rows)


def _reference(model: Any, whole: Packed, plan: Plan) -> Float[Tensor, "N S-1"] | None:
    """Log-probabilities by the model beneath the adapter, where KL to it is asked for."""
    if not plan.beta:
        return None
    if not hasattr(model, "disable_adapter"):
        raise ValueError(
            "KL to where training began (beta) needs an adapter, beneath which that policy stays as it was"
        )
    with torch.no_grad(), model.disable_adapter():
        return _logprobs(model, whole, plan)[0]
