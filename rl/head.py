"""Log-probabilities of given tokens under an FP32 LM head, without ever holding [T, V] logits.

The head is the function that an FP32-head server computes: operands as the body rounded them, products accumulated in
FP32, logits in FP32. Logits exist for one chunk of tokens and vocabulary at a time. A frozen head sums what its backward
needs while it goes forward, so nothing is computed twice; a trained one computes the logits again. What to do with the
log-probabilities is `rl.losses`'.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, overload

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from rl.distributed import gathered
from rl.softmax import RunningSoftmax

IGNORED = -100
"""A target that is no token: its log-probability and entropy are 0 and nothing flows back from it."""
CHUNK_TOKENS = 1024
CHUNK_VOCAB = 4096
_FLOATS = (torch.bfloat16, torch.float16, torch.float32, torch.float64)


@overload
def token_logprobs(
    hidden: Float[Tensor, "T H"], weight: Float[Tensor, "V H"], targets: Int[Tensor, " T"], *, temperature: float = ...,
    chunk_tokens: int = ..., chunk_vocab: int = ..., entropy: Literal[False] = ...,
) -> Float[Tensor, " T"]: ...  # fmt: skip
@overload
def token_logprobs(
    hidden: Float[Tensor, "T H"], weight: Float[Tensor, "V H"], targets: Int[Tensor, " T"], *, temperature: float = ...,
    chunk_tokens: int = ..., chunk_vocab: int = ..., entropy: Literal[True],
) -> tuple[Float[Tensor, " T"], Float[Tensor, " T"]]: ...  # fmt: skip


def token_logprobs(
    hidden: Float[Tensor, "T H"], weight: Float[Tensor, "V H"], targets: Int[Tensor, " T"], *, temperature: float = 1.0,
    chunk_tokens: int = CHUNK_TOKENS, chunk_vocab: int = CHUNK_VOCAB, entropy: bool = False,
) -> Float[Tensor, " T"] | tuple[Float[Tensor, " T"], Float[Tensor, " T"]]:  # fmt: skip
    """log softmax(hidden @ weight.T / temperature) at `targets`, in FP32.

    Args:
        hidden: bf16, fp16 or fp32 as the body made it (fp64 computes in fp64, for tests).
        weight: the LM head, which may be the embedding itself: widened inside, left as it is. A sharded one (FSDP2) is
            gathered, as it is rounded, before it is widened.
        targets: in [0, V), or `IGNORED`.
        temperature: what the sampler divided its logits by.
        chunk_tokens, chunk_vocab: the largest piece of the logits that is held at once; they need not divide T and V.
        entropy: whether to return the entropies of the distributions as well.

    Returns:
        Log-probabilities, and entropies in nats where asked for; FP32, differentiable in hidden and weight.
        Gradients are summed over all chunks in FP32 and rounded to their tensor's dtype once.

    Raises:
        ValueError: shapes, dtypes, devices, targets, a temperature or a chunk size that make no sense.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is a positive number, not {temperature}")
    if chunk_tokens < 1 or chunk_vocab < 1:
        raise ValueError(f"a chunk holds at least one token, not {chunk_tokens} by {chunk_vocab}")
    weight = gathered(weight)
    _check(hidden, weight, targets)
    plan = _Plan(1 / temperature, chunk_tokens, chunk_vocab, entropy)
    logprobs, entropies = _Head.apply(hidden, weight, targets, plan)
    return (logprobs, entropies) if entropy else logprobs


def _check(hidden: Tensor, weight: Tensor, targets: Tensor) -> None:
    if hidden.ndim != 2 or weight.ndim != 2 or hidden.shape[1] != weight.shape[1] or not len(weight):
        raise ValueError(f"hidden [T, H] and weight [V, H] do not fit: {list(hidden.shape)} and {list(weight.shape)}")
    if targets.shape != hidden.shape[:1] or targets.is_floating_point() or targets.dtype == torch.bool:
        raise ValueError(f"targets are [{len(hidden)}] integers, not {list(targets.shape)} of {targets.dtype}")
    if hidden.dtype not in _FLOATS or weight.dtype not in _FLOATS:
        raise ValueError(f"hidden and weight are bf16, fp16 or fp32, not {hidden.dtype} and {weight.dtype}")
    if not hidden.device == weight.device == targets.device:
        raise ValueError(f"one device, please, not {hidden.device}, {weight.device} and {targets.device}")
    strange = targets[((targets < 0) | (targets >= len(weight))) & (targets != IGNORED)]
    if len(strange):
        raise ValueError(f"target {int(strange[0])} is not one of {len(weight)} tokens; for none, use {IGNORED}")


@dataclass(frozen=True, slots=True)
class _Plan:
    scale: float
    """What logits are multiplied with: one over the temperature."""
    chunk_tokens: int
    chunk_vocab: int
    entropy: bool


class _Head(torch.autograd.Function):
    """`carries`: the gradient of hidden is summed in forward, which a frozen head allows."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, plan: _Plan) -> tuple[Tensor, Tensor]:
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        ctx.carries, ctx.plan, ctx.dtype = wants_hidden and not wants_weight, plan, hidden.dtype
        ctx.set_materialize_grads(False)  # entropies that are only looked at cost no backward
        sums = RunningSoftmax(
            len(hidden), size=hidden.shape[1] if ctx.carries else 0, entropy=plan.entropy,
            dtype=_wide(hidden, weight), device=hidden.device,
        )  # fmt: skip
        operand = _operand(hidden, weight)
        for first, piece in _pieces(weight, plan.chunk_vocab):
            wide = piece.to(_wide(hidden, weight))
            for at in _spans(len(hidden), plan.chunk_tokens):
                sums.add(at, _scaled(_product(operand[at], piece, wide), plan), targets[at] - first, wide)
        kept = targets != IGNORED
        logprobs = sums.logprobs.where(kept, 0)
        entropies = sums.entropies.where(kept, 0) if plan.entropy else torch.zeros_like(logprobs)
        if ctx.carries:
            ctx.save_for_backward(kept, *sums.gradients(weight[targets.clamp(min=0)].to(logprobs.dtype)))
        elif wants_weight:
            mean = sums.mean if plan.entropy else None
            ctx.save_for_backward(kept, hidden, weight, targets, sums.peak, sums.own, sums.others, mean)
        if not plan.entropy:
            ctx.mark_non_differentiable(entropies)
        return logprobs, entropies

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, by_logprob: Tensor | None, by_entropy: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None, None, None]:
        kept, *saved = ctx.saved_tensors
        by_logprob = torch.zeros_like(kept, dtype=torch.float32) if by_logprob is None else by_logprob.where(kept, 0)
        by_logprob = by_logprob * ctx.plan.scale
        by_entropy = None if by_entropy is None else by_entropy.where(kept, 0) * ctx.plan.scale
        if not ctx.carries:
            return *_computed_again(ctx, by_logprob, by_entropy, *saved), None, None
        of_logprob, of_entropy = saved
        # Masked tokens are set to zero, not multiplied by it: what is not finite there must not flow back.
        grad = (of_logprob * by_logprob[:, None]).masked_fill_(~kept[:, None], 0)
        if by_entropy is not None:
            grad += (of_entropy * by_entropy[:, None]).masked_fill_(~kept[:, None], 0)
        return grad.to(ctx.dtype), None, None, None


def _computed_again(
    ctx: Any, by_logprob: Tensor, by_entropy: Tensor | None, hidden: Tensor, weight: Tensor, targets: Tensor, peak: Tensor,
    own: Tensor, others: Tensor, mean: Tensor | None,
) -> tuple[Tensor | None, Tensor | None]:  # fmt: skip
    """Gradients of hidden and weight, from logits computed again chunk by chunk. `by_…` hold the scale already."""
    plan: _Plan = ctx.plan
    total = own + others
    kept = targets != IGNORED
    dropped = None if bool(kept.all()) else ~kept
    operand, wide_hidden = _operand(hidden, weight), hidden.to(peak.dtype)
    grad_hidden = torch.zeros_like(hidden, dtype=peak.dtype) if ctx.needs_input_grad[0] else None
    grad_weight = torch.empty_like(weight)
    for first, piece in _pieces(weight, plan.chunk_vocab):
        wide = piece.to(peak.dtype)
        rows = torch.zeros_like(wide)
        for at in _spans(len(hidden), plan.chunk_tokens):
            logits = _scaled(_product(operand[at], piece, wide), plan).sub_(peak[at, None])
            column = targets[at] - first
            here = ((column >= 0) & (column < len(piece))).nonzero()[:, 0]
            moment = None
            if by_entropy is not None and mean is not None:
                moment = (logits - mean[at, None]).mul_((by_entropy[at] / total[at])[:, None])
            unnormed = logits.exp_()  # the softmax is this over `total`, which is multiplied in with what follows
            moment = None if moment is None else moment.mul_(unnormed)
            by_logit = unnormed.mul_((-by_logprob[at] / total[at])[:, None])
            by_logit[here, column[here]] = (by_logprob[at] * others[at] / total[at])[here]
            if moment is not None:
                by_logit -= moment
            if dropped is not None:
                by_logit.masked_fill_(dropped[at, None], 0)
            if grad_hidden is not None:
                grad_hidden[at].addmm_(by_logit, wide)
            rows.addmm_(by_logit.T, wide_hidden[at])
        grad_weight[first : first + len(piece)] = rows
    return None if grad_hidden is None else grad_hidden.to(ctx.dtype), grad_weight


def _operand(hidden: Tensor, weight: Tensor) -> Tensor:
    """Hidden as `_product` takes it: widened once where it would be for every piece."""
    return hidden if _as_they_are(hidden, weight) else hidden.to(_wide(hidden, weight))


def _as_they_are(hidden: Tensor, weight: Tensor) -> bool:
    return hidden.is_cuda and hidden.dtype == weight.dtype and hidden.dtype in (torch.bfloat16, torch.float16)


def _scaled(logits: Tensor, plan: _Plan) -> Tensor:
    return logits if plan.scale == 1 else logits.mul_(plan.scale)


def _product(hidden: Tensor, weight: Tensor, wide: Tensor) -> Tensor:
    """[t, v] logits: products of the operands as they are, accumulated and returned in the wide dtype."""
    if _as_they_are(hidden, weight):
        return torch.mm(hidden, weight.T, out_dtype=wide.dtype)
    return hidden.to(wide.dtype) @ wide.T


def _wide(hidden: Tensor, weight: Tensor) -> torch.dtype:
    return torch.float64 if torch.float64 in (hidden.dtype, weight.dtype) else torch.float32


def _pieces(weight: Tensor, size: int) -> Iterator[tuple[int, Tensor]]:
    for first in range(0, len(weight), size):
        yield first, weight[first : first + size]


def _spans(length: int, size: int) -> Iterator[slice]:
    for first in range(0, length, size):
        yield slice(first, min(first + size, length))
