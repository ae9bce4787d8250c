"""The one token that a rating is: its log-probabilities, what they are read as, and the losses on them.

One forward a prompt tells everything: the distribution that serving reads, and with it how often each answer would be drawn. So all
answers cost no more than one, and policy and sampler are the same to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from rl.head import token_logprobs
from rl.losses import Batch, Loss, cispo
from rl.monitor import Sample
from rl.rewards import STANDS_FOR, Answer, Label, brier, reward
from rl.task import Example
from rl.thumbs_loss import kto
from scout.triage.llm import SURE, rating_of
from scout.triage.prompting import RATING_LABELS

_FOLLOWED = 0.8
"""How much of what all answers of a batch have in common KTO does not count."""
_READ = math.log((1 - SURE) / SURE)
"""Odds of yes against no, in nats, further from even than which serving reads none."""
_LEAST_SPREAD = 1e-3
"""Of the rewards of a prompt's answers: a policy that is all but sure learns no faster."""


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


def kto_loss(
    logprobs: Tensor,
    reference: Tensor,
    up: Tensor,
    weights: Tensor,
    *,
    beta: float,
    keep: float = 0.0,
    bound: float = 0.0,
) -> Loss:
    """KTO on the yes or no that the ratings are read as: a thumb up likes the yes over the no, a thumb down the no over the yes.

    Thumbs on single labels were tried first: they move all weight to the labels in between, which say nothing.

    Args:
        logprobs, reference: [B, labels] under the policy and under what training began from.
        up: [B] bool. weights: [B] what each thumb counts.
        keep: what a nat costs by which all ratings together became less likely than they were. The odds of yes against no say
            nothing of it, and without this term training let the ratings of SmolLM2 go from 20 in 100 to 6.
        bound: what a nat costs by which the odds are beyond what serving reads (`scout.triage.llm.rating_of`). KTO pulls less and less
            and never stops; without this term four answers in five of SmolLM2 came to lie there, all read alike.

    An answer's margin is how much the policy has moved the odds of yes against no. What it is held against is the mean margin of
    the batch: the paper's estimate, the log-ratio of answers to prompts that they do not belong to, which of a yes and a
    batch is the yes to all its prompts. It is not kept above 0, as it estimates how far the policy leans one way for all
    alike, and that is worth nothing: the model as it comes says yes to 8 in 100, and a baseline that cannot follow has training
    pull at that lean first, until nothing else is left. It follows by `_FOLLOWED`, so that a lean that grows by chance is
    drawn back slowly.
    """
    odds, was = log_odds(logprobs), log_odds(reference)
    found = kto(odds, was, up, baseline=_FOLLOWED * (odds - was), least=-math.inf, beta=beta, weights=weights)
    lost = (reference.logsumexp(dim=1) - logprobs.logsumexp(dim=1)).clamp(min=0).mean()
    beyond = (odds.abs() - _READ).clamp(min=0).mean()
    told = {"lost": float(lost.detach()), "beyond": float(beyond.detach())}
    return Loss(found.value + keep * lost + bound * beyond, {**found.metrics, **told})


def _expected(rating: str, label: Label) -> float:
    """The reward of a rating: by what the thumb is, or where that is guessed, by what it may be. So the best rating of a guess says how
    likely it is, and not that it is certain."""
    right = (1 + label.sure) / 2
    stands, up = STANDS_FOR[rating], bool(label.up)
    return right * brier(stands, up=up) + (1 - right) * brier(stands, up=not up)


def cispo_loss(logprobs: Tensor, given: Sequence[Label], *, reference: Tensor | None = None, beta: float = 0.0) -> Loss:
    """CISPO on ratings rewarded by the thumb, every rating counting as often as the policy gives it.

    That is what the mean over more and more draws from the ratings' distribution comes to, without the noise of drawing: there
    are five answers in all. Policy and sampler are one, so no ratio is clipped.

    Args:
        logprobs: [B, labels] under the policy; what is told of them is their distribution, as serving reads it.
        reference: [B, labels] for a KL term of size `beta`.
    """
    said = logprobs.log_softmax(dim=1)
    shares = said.detach().exp()
    rewards = torch.tensor([[_expected(each, label) for each in RATING_LABELS] for label in given])
    rewards = rewards.to(shares)
    centred = rewards - (shares * rewards).sum(dim=1, keepdim=True)
    spread = (shares * centred**2).sum(dim=1, keepdim=True).sqrt().clamp(min=_LEAST_SPREAD)
    weighed = torch.tensor([replace(label, sure=1.0).weight for label in given]).to(shares)[:, None]
    tokens = said.flatten()[:, None]
    found = cispo(
        Batch(
            logprobs=tokens, old=tokens.detach(), mask=torch.ones_like(tokens, dtype=torch.bool),
            advantages=(centred / spread * weighed).flatten(), weights=(shares * shares.shape[1]).flatten()[:, None],
        )
    )  # fmt: skip
    value, metrics = found.value, {**found.metrics, "drawn": float((shares * rewards).sum(dim=1).mean())}
    if reference is not None:
        apart = (said.exp() * (said - reference.log_softmax(dim=1))).sum(dim=1).mean()
        value, metrics = value + beta * apart, {**metrics, "kl_reference": float(apart.detach())}
    return Loss(value, metrics)
