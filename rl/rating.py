"""The one token that a rating is: its log-probabilities, what they are read as, and the losses on them.

One forward a prompt tells everything: the distribution that serving reads, and any number of draws from it. So a group of
answers costs no more than one, and policy and sampler are the same to the bit.
"""

from __future__ import annotations

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

_LEAST = 1e-4
"""No belief comes nearer to 0 or 1."""


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


def believed(logprobs: Tensor) -> Tensor:
    """[B] `read` with its gradient: the probability of a thumb up that the distribution stands for."""
    steps = torch.linspace(0, 1, logprobs.shape[1], device=logprobs.device)
    return (logprobs.softmax(dim=1) * steps).sum(dim=1).clamp(_LEAST, 1 - _LEAST)


def kto_loss(logprobs: Tensor, reference: Tensor, up: Tensor, weights: Tensor, *, beta: float) -> Loss:
    """KTO on the yes or no that the ratings are read as: a thumb up likes the one and dislikes the other.

    Thumbs on single labels were tried first: they move all weight to the labels in between, which say nothing.

    Args:
        logprobs, reference: [B, labels] under the policy and under what training began from.
        up: [B] bool. weights: [B] what each thumb counts.

    The baseline is the KL divergence of the policy from the reference over yes and no, exactly, where the paper
    estimates it from mismatched answers.
    """
    yes, was = believed(logprobs), believed(reference)
    held = yes.detach()
    apart = held * (held / was).log() + (1 - held) * ((1 - held) / (1 - was)).log()
    return kto(
        torch.cat([yes.log(), (1 - yes).log()]), torch.cat([was.log(), (1 - was).log()]), torch.cat([up, ~up]),
        baseline=apart, beta=beta, weights=torch.cat([weights, weights]),
    )  # fmt: skip


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
