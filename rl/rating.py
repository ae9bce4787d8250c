"""The one token that a rating is: its log-probabilities, what they are read as, and the losses on them.

One forward a prompt tells everything: the distribution that serving reads, and any number of draws from it. So a group of
answers costs no more than one, and policy and sampler are the same to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rl.advantages import group_advantages
from rl.head import token_logprobs
from rl.losses import Batch, Loss, cispo
from rl.monitor import Sample
from rl.rewards import STANDS_FOR, Answer, Label, brier, reward
from rl.task import Example
from rl.thumbs_loss import kto
from scout.triage.llm import rating_of
from scout.triage.prompting import RATING_LABELS

def label_ids(tokenizer: object) -> tuple[int, ...]:
    """The token of each rating.

    Raises:
        ValueError: a rating is more than one token to this tokenizer, so that it cannot be read off one.
    """
    found = [tokenizer.encode(label, add_special_tokens=False) for label in RATING_LABELS]  # type: ignore[attr-defined]
    if long := [label for label, ids in zip(RATING_LABELS, found, strict=True) if len(ids) != 1]:
        raise ValueError(f"the rating {long[0]!r} is no single token of this model")
    return tuple(ids[0] for ids in found)


def label_logprobs(states: Tensor, weight: Tensor, labels: Sequence[int]) -> Tensor:
    """[B, labels] log-probability of each label among all tokens, by the FP32 head: of the first by a pass over all tokens, of the
    others by how far their logits are from its.

    Args:
        states: [B, H] behind the body's norm.
        weight: [V, H] the head.
    """
    first = torch.full((len(states),), labels[0], dtype=torch.long, device=states.device)
    found = token_logprobs(states, weight, first)
    logits = states.to(found.dtype) @ weight[list(labels)].to(found.dtype).T
    return found[:, None] + (logits - logits[:, :1])


def read(logprobs: Tensor) -> list[float]:
    """[B, labels] → what serving makes of each distribution: the mean rating, scaled to (0, 1)."""
    shares = logprobs.detach().softmax(dim=1).tolist()
    return [rating_of(dict(zip(RATING_LABELS, row, strict=True))) for row in shares]


def worth(logprobs: Tensor, up: Tensor) -> Tensor:
    """[B] what a draw from each distribution is worth on average, by the proper scoring rule of `rl.rewards`."""
    stands = torch.tensor([STANDS_FOR[label] for label in RATING_LABELS], device=logprobs.device)
    scores = 1 - (stands[None] - up.float()[:, None]) ** 2
    return (logprobs.detach().exp() * scores).sum(dim=1)


def shown(logprobs: Tensor, examples: Sequence[Example]) -> tuple[Sample, ...]:
    """[B, labels] → the likeliest rating of each, as an answer to look at, with what it is worth by part."""
    said = [RATING_LABELS[place] for place in logprobs.detach().argmax(dim=1).tolist()]
    found = []
    for label, example in zip(said, examples, strict=True):
        told = reward(Answer(frozenset({"rating"}), rating=label), example.label)
        found.append(Sample(answer=label, source=example.source, id=example.id, reward=told.total, parts=told.parts))
    return tuple(found)


def log_odds(logprobs: Tensor) -> Tensor:
    """[B, labels] → [B] logit of what `read` reads, differentiable: the odds of the thumb up that the distribution stands for.

    From sums of logarithms, so that an answer that is all but sure still has a gradient.
    """
    yes = torch.linspace(0, 1, logprobs.shape[1], dtype=logprobs.dtype, device=logprobs.device)
    return (logprobs + yes.log()).logsumexp(dim=1) - (logprobs + yes.flip(0).log()).logsumexp(dim=1)


def kto_loss(logprobs: Tensor, reference: Tensor, up: Tensor, weights: Tensor, *, beta: float) -> Loss:
    """KTO on the yes or no that the ratings are read as: a thumb up likes the yes over the no, a thumb down the no over the yes.

    Thumbs on single labels were tried first: they move all weight to the labels in between, which say nothing.

    Args:
        logprobs, reference: [B, labels] under the policy and under what training began from.
        up: [B] bool. weights: [B] what each thumb counts.

    An answer's margin is how much the policy has moved the odds of yes against no. What it is held against is the mean margin of
    the batch: the paper's estimate, the log-ratio of answers to prompts that they do not belong to, which of a yes and a
    batch is the yes to all its prompts. It is not kept above 0, as it estimates how far the policy leans one way for all
    alike, and that is worth nothing: the model as it comes says yes to 8 in 100, and a baseline that cannot follow has training
    pull at that lean first, with a rate that upsets all else.
    """
    odds, was = log_odds(logprobs), log_odds(reference)
    return kto(odds, was, up, baseline=odds - was, least=-math.inf, beta=beta, weights=weights)


def cispo_loss(
    states: Tensor, weight: Tensor, labels: Sequence[int], given: Sequence[Label], *, group: int, generator: torch.Generator,
    reference: Tensor | None = None, beta: float = 0.0,
) -> Loss:  # fmt: skip
    """CISPO on `group` ratings drawn for each prompt from all tokens, rewarded by the thumb; a token that is none is worth 0.

    Args:
        states: [B, H] behind the body's norm.
        reference: [B, labels] for a KL term of size `beta`, over the labels drawn.
    """
    with torch.no_grad():
        logits = states.float() @ weight.float().T
        drawn = torch.multinomial(logits.softmax(dim=1).cpu(), group, replacement=True, generator=generator)
        place = {id: rank for rank, id in enumerate(labels)}
        rewards = torch.tensor(
            [[_brier(place.get(id), label) for id in row] for row, label in zip(drawn.tolist(), given, strict=True)]
        )
        weighed = torch.tensor([label.weight for label in given])[:, None]
        advantages = (group_advantages(rewards).values * weighed).flatten().to(states.device)
    targets = drawn.flatten().to(states.device)
    said = token_logprobs(states.repeat_interleave(group, dim=0), weight, targets)[:, None]
    fixed = None
    if reference is not None:
        known = torch.tensor([[place.get(id, -1) for id in row] for row in drawn.tolist()], device=states.device)
        fixed = reference.gather(1, known.clamp(min=0)).where(known >= 0, said.detach().view_as(known)).view(-1, 1)
    found = cispo(
        Batch(logprobs=said, old=said.detach(), mask=torch.ones_like(said, dtype=torch.bool), advantages=advantages, reference=fixed),
        beta=beta,
    )  # fmt: skip
    return Loss(found.value, {**found.metrics, "drawn": float(rewards.mean())})


def _brier(rank: int | None, label: Label) -> float:
    return 0.0 if rank is None else brier(STANDS_FOR[RATING_LABELS[rank]], up=bool(label.up))
