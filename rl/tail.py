"""Runs many prompts that begin alike through the upper layers of a model, where only the last token is read.

What the prompts share (serving's rubric) is run once a batch and its keys and values are handed to all of them, gradients
included; the layers below `first`, which training leaves as they are, are run once for good; of the last layer all tokens have
their keys and values computed, the last ones alone the rest. None of it changes anything but the time.
For bodies of Llama's build: embedding, layers with a rotary embedding, norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor


def body_of(model: Any) -> Any:
    """The body of a causal model, whether or not an adapter is around it."""
    return model.get_base_model().model if hasattr(model, "get_base_model") else model.model


def shared_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts begin with; each has at least one that is its own."""
    if not prompts:
        return 0
    least = min(map(len, prompts)) - 1
    return sum(1 for _ in takewhile(lambda place: len({p[place] for p in prompts}) == 1, range(max(0, least))))


class Kept:
    """Keys and values of the prefix by layer, handed to whatever follows: the part of a cache that layers know."""

    def __init__(self) -> None:
        self._by_layer: dict[int, tuple[Tensor, Tensor]] = {}

    def update(self, keys: Tensor, values: Tensor, layer: int, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        if layer not in self._by_layer:
            self._by_layer[layer] = (keys, values)
            return keys, values
        before = [each.expand(len(keys), -1, -1, -1) for each in self._by_layer[layer]]
        return torch.cat([before[0], keys], dim=2), torch.cat([before[1], values], dim=2)

    def add(self, keys: Tensor, values: Tensor, layer: int) -> None:
        """Have these follow what is kept of the layer."""
        self._by_layer[layer] = self.update(keys, values, layer)

    def of(self, layer: int) -> tuple[Tensor, Tensor]:
        return self._by_layer[layer]


@dataclass(frozen=True, slots=True)
class Below:
    """Prompts as the first layer that is trained finds them."""

    prefix: Tensor
    """[1, P, H]"""
    rest: tuple[Tensor, ...]
    """[S, H] each: of what follows the prefix."""
    kept: Kept | None = None
    """What the lower layers made of the prefix, so that more prompts can follow it."""

    def chosen(self, places: Sequence[int]) -> Below:
        return Below(self.prefix, tuple(self.rest[place] for place in places))


@torch.no_grad()
def below(
    model: Any, prompts: Sequence[Sequence[int]], *, first: int, prefix: int, known: Below | None = None
) -> Below:
    """The states that enter layer `first`, for prompts whose first `prefix` tokens are the same.

    Args:
        known: found before for prompts of the same prefix, which then is not run again.

    Raises:
        ValueError: there is no prefix, or a prompt does not begin like the others or is no longer than the prefix.
    """
    if prefix < 1:
        raise ValueError("the prompts begin with different tokens: a chat template gives them at least one in common")
    for place, prompt in enumerate(prompts):
        if len(prompt) <= prefix or list(prompt[:prefix]) != list(prompts[0][:prefix]):
            raise ValueError(f"prompt {place} has no token of its own after {prefix} that all share")
    body, device = body_of(model), model.device
    layers = body.layers[:first]
    if known is None or known.kept is None:
        kept = Kept()
        start = body.embed_tokens(torch.tensor([list(prompts[0][:prefix])], dtype=torch.long, device=device))
        head = _prefix_run(body, layers, start, kept)
    else:
        kept, head = known.kept, known.prefix
    rest = []
    for prompt in prompts:
        states = body.embed_tokens(torch.tensor([list(prompt[prefix:])], dtype=torch.long, device=device))
        rest.append(_rest_run(body, layers, states, kept, prefix)[0])
    return Below(head, tuple(rest), kept)


def last_states(model: Any, found: Below, *, first: int) -> Tensor:
    """[B, H] of each prompt's last token behind the body's norm; differentiable in the layers from `first` on."""
    body, kept, prefix = body_of(model), Kept(), found.prefix.shape[1]
    *layers, last = body.layers[first:]
    before = _prefix_run(body, layers, found.prefix, kept)
    lengths = torch.tensor([len(rest) for rest in found.rest], device=found.prefix.device)
    padded = torch.nn.utils.rnn.pad_sequence(list(found.rest), batch_first=True)
    states = _rest_run(body, layers, padded, kept, prefix)
    for part, start in ((before, 0), (states, prefix)):
        _keys_and_values(body, last, part, kept, start)
    return body.norm(_last_run(body, last, states, kept, prefix, lengths - 1))  # type: ignore[no-any-return]


class _Enough(Exception):
    """A layer has handed over its keys and values, and nothing more is wanted of it."""


class _Keeper:
    """A cache that lets a layer go no further than its keys and values."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def update(self, keys: Tensor, values: Tensor, layer: int, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        self._kept.add(keys, values, layer)
        raise _Enough


class _Reader:
    """A cache that holds the token asked about already."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def update(self, keys: Tensor, values: Tensor, layer: int, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        return self._kept.of(layer)


def _keys_and_values(body: Any, layer: Any, states: Tensor, kept: Kept, start: int) -> None:
    """Of all tokens of `states` [B, S, H], added to what is kept of the layer. By the layer's own code, whatever it does to them."""
    positions = torch.arange(start, start + states.shape[1], device=states.device)
    with suppress(_Enough):
        _run(body, [layer], states, _Keeper(kept), positions[None], mask=None)


def _last_run(body: Any, layer: Any, states: Tensor, kept: Kept, prefix: int, places: Tensor) -> Tensor:
    """[B, H] what the layer makes of the tokens at `places` [B] of the states [B, S, H], whose keys and values are kept."""
    own = (prefix + places)[:, None]
    mask = torch.arange(prefix + states.shape[1], device=states.device)[None] <= own
    asked = states[torch.arange(len(places), device=states.device), places][:, None]
    return _run(body, [layer], asked, _Reader(kept), own, mask[:, None, None])[:, 0]


def _prefix_run(body: Any, layers: Any, states: Tensor, kept: Kept) -> Tensor:
    return _run(body, layers, states, kept, torch.arange(states.shape[1], device=states.device)[None], mask=None)


def _rest_run(body: Any, layers: Any, states: Tensor, kept: Kept, prefix: int) -> Tensor:
    """[B, S, H]. Padding comes last, so that no token ever looks at it."""
    size = states.shape[1]
    mask = torch.ones(size, prefix + size, dtype=torch.bool, device=states.device).tril(diagonal=prefix)
    positions = torch.arange(prefix, prefix + size, device=states.device)[None]
    return _run(body, layers, states, kept, positions, mask[None, None])


def _run(body: Any, layers: Any, states: Tensor, kept: Any, positions: Tensor, mask: Tensor | None) -> Tensor:
    """`positions` are [1, S], or [B, S] where they differ."""
    rope = body.rotary_emb(states, position_ids=positions)
    for layer in layers:
        states = layer(
            states, attention_mask=mask, position_ids=positions, past_key_values=kept, use_cache=True, position_embeddings=rope
        )  # fmt: skip
    return states
