"""Do trainer and server compute the same function? By log-probabilities, and if not, where the difference enters.

Traces in, figures and a finding out. A fault is named at the first place where the server does not do what a reference with
the same weights does *with the server's own input*: tokens, embedding, a layer, the final norm, the head. So what one layer
hands on is not blamed on the next. Taking traces is `rl.activations`' and `rl.engine`'s.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rl.activations import Trace, head, layer_by_layer, trace
from rl.mismatch import Mismatch, measure

ROUNDING = {torch.float32: 2**-23, torch.bfloat16: 2**-8, torch.float16: 2**-11}
"""Spacing of numbers near 1."""
TOLERANCE = {torch.float32: 8.0, torch.bfloat16: 4.0, torch.float16: 4.0}
"""A place may be off by so many roundings (RMS): a layer rounds a dozen times on its way, and adds up in another order.
Measured between vLLM and transformers: up to 3.8 in FP32, where sums are rounded as well, up to 0.9 in bf16."""
BUCKETS = (0.0, 0.01, 0.1, 0.5, 0.9, 1.0)
"""Probabilities between which log-probabilities are compared apart: a bf16 head errs where logits are large."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the server is off at one place, against the FP32 reference; [T, H] tensors compared."""

    name: str
    """`embedding`, `layer 0` …, `final norm`."""
    relative_rms: float
    cosine: float
    largest: float
    own: float
    """How far it is off from the reference run on the server's own input to it, in roundings of the body's dtype (RMS)."""
    trainer: float
    """Relative RMS of the trainer at the same place, against the same reference."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Which half of the model the disagreement of log-probabilities comes from: mean |Δ| in nats, trainer against …"""

    both: float
    """… the server."""
    body: float
    """… the trainer's head on the server's hidden states."""
    head: float
    """… the server's log-probabilities, with the trainer's head on the server's hidden states: what the heads differ by."""


@dataclass(frozen=True, slots=True)
class Report:
    mismatch: Mismatch
    buckets: tuple[tuple[float, float, Mismatch], ...]
    """From, to, figures of the tokens whose probability (the trainer's) lies there; empty ones are left out."""
    places: tuple[Place, ...]
    swap: Swap
    fault: str
    """The first place where the server does something else, as a sentence; empty where there is none."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def different_tokens(trainer: Sequence[int], server: Sequence[int]) -> str:
    """Says where two renderings of one conversation part; empty where they do not."""
    for place, (ours, theirs) in enumerate(zip(trainer, server, strict=False)):
        if ours != theirs:
            return f"tokens: the trainer's prompt has {ours} at position {place}, the server's {theirs}"
    if len(trainer) != len(server):
        return f"tokens: the trainer's prompt has {len(trainer)}, the server's {len(server)}; the first {place_of(trainer, server)} agree"
    return ""


def place_of(trainer: Sequence[int], server: Sequence[int]) -> int:
    return min(len(trainer), len(server))


def compare(
    server: Trace, trainer: Any, reference: Any, ids: Sequence[int], *, dtype: torch.dtype, fp32_head: bool
) -> Report:
    """Compare a server's trace with a trainer's model and with the same weights in FP32.

    Args:
        trainer: transformers causal model in `dtype`, the body's.
        reference: the same weights, widened to FP32.
        ids: the tokens that were run; for prompts rendered on both sides see `different_tokens` first.
        fp32_head: whether both sides are said to have an FP32 head.
    """
    ours = trace(trainer, ids, fp32_head=fp32_head)
    true = trace(reference, ids, fp32_head=True)
    own = layer_by_layer(reference, ids, server.stream)
    names = ["embedding", *(f"layer {n}" for n in range(len(own)))]
    expected = [true.stream[0], *own]
    places = [
        _place(name, server.stream[n], true.stream[n], ours.stream[n], _roundings(
            server.stream[n], expected[n], server.stream[n - 1] if n else torch.zeros_like(expected[n]), dtype
        ))
        for n, name in enumerate(names)
    ]  # fmt: skip
    with torch.no_grad():
        normed = reference.model.norm(server.stream[-1].to(reference.device)).float().cpu()
    norm = _roundings(server.hidden, normed, torch.zeros_like(normed), dtype)
    places.append(_place("final norm", server.hidden, true.hidden, ours.hidden, norm))
    on_theirs = head(server.hidden.to(dtype), trainer.lm_head.weight, ids, fp32=fp32_head)
    swap = Swap(
        both=_mean(server.logprobs - ours.logprobs), body=_mean(on_theirs - ours.logprobs),
        head=_mean(server.logprobs - on_theirs),
    )  # fmt: skip
    return Report(
        measure(ours.logprobs, server.logprobs), buckets(ours.logprobs, server.logprobs), tuple(places), swap,
        fault(places, swap, dtype=dtype, fp32_head=fp32_head),
    )  # fmt: skip


def fault(places: Sequence[Place], swap: Swap, *, dtype: torch.dtype, fp32_head: bool) -> str:
    """The first place whose own difference is more than rounding, else the head if its is; empty if all is well."""
    for place in places:
        if not place.own <= TOLERANCE[dtype]:  # NaN is a fault
            return f"{place.name}: {place.own:.3g} roundings off on its own input, where {TOLERANCE[dtype]:g} can be explained"
    # Logits of up to 32, rounded once in the head's precision; an FP32 one also sums in another order.
    nats = 512 * ROUNDING[torch.float32] if fp32_head else 32 * ROUNDING[dtype]
    if not swap.head <= nats:
        return f"head: {swap.head:.2g} nats off on the same hidden states, where rounding explains {nats:.2g}"
    return ""


def buckets(trainer: Float[Tensor, " T"], server: Float[Tensor, " T"]) -> tuple[tuple[float, float, Mismatch], ...]:
    probabilities = trainer.exp()
    found = []
    for low, high in itertools.pairwise(BUCKETS):
        inside = (probabilities >= low) & ((probabilities < high) | (high == 1.0))
        if inside.any():
            found.append((low, high, measure(trainer, server, inside)))
    return tuple(found)


def _place(name: str, server: Tensor, true: Tensor, trainer: Tensor, own: float) -> Place:
    return Place(
        name=name,
        relative_rms=_rms(server - true) / _rms(true),
        cosine=float(torch.nn.functional.cosine_similarity(server.flatten().double(), true.flatten().double(), dim=0)),
        largest=float((server - true).abs().max()),
        own=own,
        trainer=_rms(trainer - true) / _rms(true),
    )


def _roundings(found: Tensor, expected: Tensor, entered: Tensor, dtype: torch.dtype) -> float:
    """RMS of the difference, each number in units of what rounding it, and what was added to it, explains.

    By number, because a few channels of a residual stream are a thousand times larger than the rest.
    """
    explained = ROUNDING[dtype] * (expected.abs() + entered.abs() + _rms(expected - entered))
    return _rms((found - expected) / explained)


def _rms(values: Tensor) -> float:
    return float(values.double().pow(2).mean().sqrt())


def _mean(values: Tensor) -> float:
    return float(values.abs().mean())
