"""What a causal language model holds between its layers for given tokens, taken from a transformers model by hooks.

The residual stream as it enters each decoder layer, as it leaves the last, what the head is given, and the log-probabilities
of the tokens that came. `rl.engine` takes the same from inside a vLLM engine; `rl.parity` compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rl.head import token_logprobs


@dataclass(frozen=True, slots=True)
class Trace:
    """One sequence of T tokens through a model of N layers. FP32 on the CPU, whatever the model computes in."""

    stream: Float[Tensor, "N+1 T H"]
    """The residual stream entering layers 0 to N - 1, and leaving the last."""
    hidden: Float[Tensor, "T H"]
    """After the final norm: what the head is given, in the body's own precision."""
    logprobs: Float[Tensor, " T-1"]
    """Of tokens 1 to T - 1, each given those before it."""


@torch.no_grad()
def trace(model: Any, ids: Sequence[int], *, fp32_head: bool) -> Trace:
    """Run `ids` through a transformers causal model.

    Args:
        fp32_head: whether the head's products are accumulated and kept in FP32, or in the model's own dtype.
    """
    stream: list[Tensor] = []
    tokens = torch.tensor([list(ids)], device=model.device)
    with _watched(model, lambda place, value: stream.append(value)):
        hidden = model.model(input_ids=tokens, use_cache=False).last_hidden_state[0]
    return Trace(torch.stack(stream), hidden.float().cpu(), head(hidden, model.lm_head.weight, ids, fp32=fp32_head))


@torch.no_grad()
def layer_by_layer(model: Any, ids: Sequence[int], stream: Float[Tensor, "N+1 T H"]) -> Float[Tensor, "N T H"]:
    """What each layer of `model` makes of another model's stream where it enters that layer.

    So a difference at a layer is that layer's own, and not what the ones before it have handed on.
    """
    made: list[Tensor] = []
    hooks = []
    for place, layer in enumerate(model.model.layers):

        def enter(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any], place: int = place) -> Any:
            theirs = stream[place][None].to(model.device, model.dtype)
            if args:
                return (theirs, *args[1:]), kwargs
            return args, {**kwargs, "hidden_states": theirs}

        hooks.append(layer.register_forward_pre_hook(enter, with_kwargs=True))
        hooks.append(layer.register_forward_hook(lambda _, __, out: made.append(_stream(out))))
    try:
        model.model(input_ids=torch.tensor([list(ids)], device=model.device), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(made)


@torch.no_grad()
def head(
    hidden: Float[Tensor, "T H"], weight: Float[Tensor, "V H"], ids: Sequence[int], *, fp32: bool
) -> Float[Tensor, " T-1"]:
    """Log-probabilities of the tokens that came, from hidden states in the body's dtype."""
    targets = torch.tensor(list(ids[1:]), device=hidden.device)
    if fp32:
        return token_logprobs(hidden[:-1], weight, targets).cpu()
    logits = (hidden[:-1].to(weight.dtype) @ weight.T).float()
    return logits.log_softmax(dim=-1).gather(1, targets[:, None])[:, 0].cpu()


@contextmanager
def _watched(model: Any, see: Any) -> Iterator[None]:
    layers = model.model.layers

    def entering(place: int) -> Any:
        def hook(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            see(place, _stream(args[0] if args else kwargs["hidden_states"]))

        return hook

    hooks = [layer.register_forward_pre_hook(entering(n), with_kwargs=True) for n, layer in enumerate(layers)]
    hooks.append(layers[-1].register_forward_hook(lambda _, __, out: see(len(layers), _stream(out))))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _stream(value: Any) -> Tensor:
    """[T, H] of what a transformers layer takes and returns: [1, T, H], alone or first in a tuple."""
    tensor: Tensor = value[0] if isinstance(value, tuple) else value
    return tensor.detach()[0].float().cpu()
