"""Rollouts: answers as token ids, with the log-probabilities and the policy version they were sampled with.

Ids are carried, never text that is tokenized again. `Sampler` is what the loop knows of whoever samples; `InProcess` samples in
the trainer's own process, the reference to which any other is held (`rl.server_rollout` asks a running server). What a
rollout is worth is `rl.task`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rl.distributed import gathered
from rl.head import IGNORED, token_logprobs


@dataclass(frozen=True, slots=True)
class Rollout:
    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    """At least one token; ends with the end token unless it was cut."""
    logprobs: tuple[float, ...]
    """Of the answer's tokens, at the temperature they were sampled with."""
    version: str
    """The policy that sampled."""
    cut: bool
    """Ended for want of room."""


@dataclass(frozen=True, slots=True)
class Sampling:
    max_tokens: int
    temperature: float = 1.0
    end: frozenset[int] = frozenset()
    """Ids that end an answer."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Rollouts as tensors, right-padded. N sequences of at most S tokens."""

    ids: Int[Tensor, "N S"]
    attention: Bool[Tensor, "N S"]
    targets: Int[Tensor, "N S-1"]
    """The next token where it belongs to the answer, else `IGNORED`."""
    old: Float[Tensor, "N S-1"]
    """Log-probabilities when sampled, 0 where nothing was."""

    @property
    def mask(self) -> Bool[Tensor, "N S-1"]:
        return self.targets != IGNORED

    def rows(self, which: Sequence[int]) -> Packed:
        """Some of the sequences, padded as they are."""
        at = torch.tensor(which, device=self.ids.device)
        return Packed(self.ids[at], self.attention[at], self.targets[at], self.old[at])


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that came and cannot be trained on; its group is left out and the reason told."""

    why: str


class SamplerFailed(Exception):
    """No rollouts can be had, or what comes is not what was asked for: nothing to train on. The message says what to do."""


class Sampler(Protocol):
    """Whoever turns prompts into rollouts."""

    @property
    def overlaps(self) -> bool:
        """Whether it samples elsewhere, with weights of its own, so that training may go on meanwhile."""

    def publish(self, model: Any, version: str) -> None:
        """From now on sample with the model's weights as they are, under this version.

        Raises:
            SamplerFailed: it cannot take them.
        """

    def sample(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, *, version: str, seed: int
    ) -> list[Rollout | Refused]:
        """One answer a prompt, in order, by a version that was published.

        Raises:
            SamplerFailed: there are none.
        """

    def give_up(self) -> None:
        """Nobody waits any more for what is being sampled now."""


class InProcess:
    """Samples with the trained model itself: always its newest version, and the same draws for the same seed."""

    overlaps = False

    def __init__(self, *, each: Callable[[Tensor], Tensor] = lambda drawn: drawn) -> None:
        self._each = each
        self._model: Any = None

    def publish(self, model: Any, version: str) -> None:
        self._model = model

    def give_up(self) -> None:
        return None

    def sample(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, *, version: str, seed: int
    ) -> list[Rollout | Refused]:
        generator = torch.Generator().manual_seed(seed)
        try:
            return [*sample(self._model, prompts, sampling, version=version, generator=generator, each=self._each)]
        except ValueError as err:
            raise SamplerFailed(str(err)) from err


@torch.no_grad()
def sample(
    model: Any, prompts: Sequence[Sequence[int]], sampling: Sampling, *, version: str, generator: torch.Generator,
    each: Callable[[Tensor], Tensor] = lambda drawn: drawn,
) -> list[Rollout]:  # fmt: skip
    """One answer a prompt, from a transformers causal model in this process. Left-padded, one forward a token.

    Args:
        each: handed the [N] tokens drawn at each place, gives those that count: where processes agree, or work is cut short.

    Raises:
        ValueError: a prompt is empty, or the model gives what is no distribution.
    """
    if not all(prompts):
        raise ValueError(f"prompt {[bool(prompt) for prompt in prompts].index(False)} is empty")
    device, distinct = model.device, list(dict.fromkeys(map(tuple, prompts)))
    longest = max(map(len, distinct))
    ids = torch.tensor([[0] * (longest - len(p)) + list(p) for p in distinct], device=device)
    attention = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in distinct], device=device)
    asks = torch.tensor([distinct.index(tuple(prompt)) for prompt in prompts], device=device)
    weight, body = gathered(model.get_output_embeddings().weight), body_of(model)
    answers: list[list[int]] = [[] for _ in prompts]
    logprobs: list[list[float]] = [[] for _ in prompts]
    open_ = torch.ones(len(prompts), dtype=torch.bool)
    cache = None
    for place in range(sampling.max_tokens):
        positions = (attention.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        out = body(
            input_ids=ids, attention_mask=attention, position_ids=positions, past_key_values=cache,
            use_cache=sampling.max_tokens > 1,
        )  # fmt: skip
        hidden, cache = out.last_hidden_state[:, -1], out.past_key_values
        if not place:  # a prompt that is asked several times is read once
            hidden, attention = hidden[asks], attention[asks]
            if cache is not None:
                cache.batch_select_indices(asks)
        logits = hidden.float() @ weight.float().T / sampling.temperature
        if not logits.isfinite().all():
            raise ValueError(f"policy {version} gives logits that are no numbers")
        drawn = each(torch.multinomial(logits.softmax(dim=-1).cpu(), 1, generator=generator)[:, 0])
        said = token_logprobs(hidden, weight, drawn.to(device), temperature=sampling.temperature)
        for row in open_.nonzero()[:, 0].tolist():
            answers[row].append(int(drawn[row]))
            logprobs[row].append(float(said[row]))
            open_[row] = int(drawn[row]) not in sampling.end
        if not open_.any():
            break
        ids = drawn[:, None].to(device)
        attention = torch.cat([attention, torch.ones_like(ids)], dim=1)
    return [
        Rollout(tuple(prompt), tuple(answer), tuple(told), version, cut=answer[-1] not in sampling.end)
        for prompt, answer, told in zip(prompts, answers, logprobs, strict=True)
    ]


def body_of(model: Any) -> Any:
    """The body of a causal model, whether or not an adapter is around it."""
    return model.get_base_model().model if hasattr(model, "get_base_model") else model.model


def pack(rollouts: Sequence[Rollout], *, device: torch.device | str = "cpu") -> Packed:
    """Rollouts side by side, for the trainer's forward."""
    longest = max(len(r.prompt) + len(r.answer) for r in rollouts)
    ids = torch.zeros(len(rollouts), longest, dtype=torch.long)
    attention = torch.zeros(len(rollouts), longest, dtype=torch.bool)
    targets = torch.full((len(rollouts), longest - 1), IGNORED)
    old = torch.zeros(len(rollouts), longest - 1)
    for row, each in enumerate(rollouts):
        first, whole = len(each.prompt), len(each.prompt) + len(each.answer)
        ids[row, :whole] = torch.tensor(each.prompt + each.answer)
        attention[row, :whole] = True
        targets[row, first - 1 : whole - 1] = torch.tensor(each.answer)
        old[row, first - 1 : whole - 1] = torch.tensor(each.logprobs)
    return Packed(ids.to(device), attention.to(device), targets.to(device), old.to(device))


def logprobs_of(
    model: Any, packed: Packed, *, temperature: float = 1.0, at_once: int = 0
) -> tuple[Float[Tensor, "N S-1"], Float[Tensor, "N S-1"]]:
    """Log-probabilities of the answers' tokens under the model, and their entropies, through the FP32 head.

    Args:
        at_once: rows that backward keeps what it needs of; with more rows than that all are computed again in backward, so
            many at a time. 0 for all. It changes memory and time, and no number.
    """
    rows = len(packed.ids)
    if not at_once or rows <= at_once:
        return _logprobs_of(model, packed, temperature)
    parts = [packed.rows(range(first, min(first + at_once, rows))) for first in range(0, rows, at_once)]
    if not torch.is_grad_enabled():
        found = [_logprobs_of(model, part, temperature) for part in parts]
    else:
        found = [checkpoint(_logprobs_of, model, part, temperature, use_reentrant=False) for part in parts]
    return torch.cat([part[0] for part in found]), torch.cat([part[1] for part in found])


def _logprobs_of(model: Any, packed: Packed, temperature: float) -> tuple[Tensor, Tensor]:
    """Rows that are fed the same tokens, such as a prompt and one token to each of its answers, go through the body once."""
    fed = packed.attention[:, 1:]  # the last token of a row is a target, and is never read
    told, row = torch.where(fed, packed.ids[:, :-1], -1).unique(dim=0, return_inverse=True)
    states = body_of(model)(
        input_ids=told.clamp(min=0), attention_mask=told >= 0, use_cache=False
    ).last_hidden_state  # fmt: skip
    mask = packed.mask
    at, place = mask.nonzero(as_tuple=True)
    said, entropies = token_logprobs(
        states[row[at], place], model.get_output_embeddings().weight, packed.targets[mask], temperature=temperature, entropy=True
    )  # fmt: skip
    empty = torch.zeros(mask.shape, dtype=said.dtype, device=said.device)
    return empty.masked_scatter(mask, said), empty.masked_scatter(mask, entropies.detach())
