"""The policy of a served model: the embedded one's decision, moved by how the model routes and rates the item. Pure.

The model's rating is read as a distribution over five labels. With r its mean scaled to (0, 1) and l = logit(r):

    logit(p) = logit(p of the embedded policy) + clamp(weight · (l - centre), ±limit)

Without enough thumbs weight is `UNPROVEN`: a small, fixed one. With 30 thumbs of each kind on items that the model has
rated, it is the one of `WEIGHTS` under which the two together would have foreseen those thumbs best (`weigh`). Subjects
are the geometric mean of both distributions. The same label tokens are the actions that rl trains.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from scout.items import Contribution, Decision, Item
from scout.serving.messages import Message
from scout.triage.calibration import NEEDED, platt
from scout.triage.explain import BASE, REST
from scout.triage.lanes import Thresholds
from scout.triage.policy import Policy
from scout.triage.prompting import LABEL_CHARS, RATING_LABELS, Rubric, rate_messages, route_messages, shown

RECIPE = "llm-1"
RATING = "model's rating"
RULE = "rule:"
BLOCK = "rule: block"
WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0)
SURE = 0.02
"""No rating counts as certain: r stays this far from 0 and 1."""
_LEAST_SHARE = 1e-3

Ask = Callable[[Sequence[Message], Sequence[str]], Mapping[str, float]]
"""Messages and labels → the probability of each label as the answer's one token."""


@dataclass(frozen=True, slots=True)
class Weight:
    """How far a rating may move a decision."""

    weight: float
    centre: float = 0.0
    """The rating, as a logit, that moves nothing."""
    limit: float = 1.0

    def moves(self, rating: float) -> float:
        return max(-self.limit, min(self.limit, self.weight * (logit(rating) - self.centre)))


UNPROVEN = Weight(0.25)


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating of the past and what became of it: both scores as they were before the thumb was known."""

    embedded: float
    """Probability."""
    rating: float
    up: bool


def weigh(past: Sequence[Rated]) -> Weight:
    """How much this model's ratings are worth for this reader, by the reader's thumbs; the smallest weight that does best."""
    ups = sum(each.up for each in past)
    if min(ups, len(past) - ups) < NEEDED:
        return UNPROVEN
    embedded = np.array([logit(each.embedded) for each in past])
    ratings = np.array([logit(each.rating) for each in past])
    labels = np.array([float(each.up) for each in past])
    centre = float(ratings.mean())

    def loss(weight: float) -> float:
        logits = embedded + weight * (ratings - centre)
        probabilities = platt([(logits, labels)]).probability(logits)
        return float(-special.xlogy(labels, probabilities).sum() - special.xlog1py(1 - labels, -probabilities).sum())

    best = min(WEIGHTS, key=lambda weight: (round(loss(weight), 6), weight))
    return Weight(best, centre, limit=2.5)


def rating_of(told: Mapping[str, float]) -> float:
    """The mean of the distribution over `RATING_LABELS`, from 0 for surely 1 to 1 for surely 5, kept off both ends."""
    steps = len(RATING_LABELS) - 1
    mean = math.fsum(told.get(label, 0.0) * step for step, label in enumerate(RATING_LABELS)) / steps
    return min(1 - SURE, max(SURE, mean))


def logit(probability: float) -> float:
    probability = min(1 - 1e-9, max(1e-9, probability))
    return math.log(probability / (1 - probability))


def version(model: str, rubric: Rubric, base: str) -> str:
    """Names what decided: the model, all that it is asked, and the recipe of the embedded policy that it moves."""
    return f"{RECIPE}:{model}:{rubric.hash}:{base}"


def is_blocked(decision: Decision) -> bool:
    """Whether the reader's own rule says never: such an item is not put before a model."""
    return any(part.feature.startswith(BLOCK) for part in decision.why)


@dataclass(frozen=True, slots=True)
class LlmPolicy:
    """The same interface as the embedded policy's; `ask` is whatever gets an answer, so that nothing here does I/O."""

    embedded: Policy
    rubric: Rubric
    model: str
    thresholds: Thresholds
    """The embedded policy's: they fill the lanes as the reader asked."""
    ask: Ask | None = None
    weight: Weight = UNPROVEN

    @property
    def recipe(self) -> str:
        return RECIPE

    @property
    def version(self) -> str:
        return version(self.model, self.rubric, self.embedded.recipe)

    def decide(self, items: Sequence[Item]) -> list[Decision]:
        decisions = self.embedded.decide(items)
        return [self._decide(item, decision) for item, decision in zip(items, decisions, strict=True)]

    def _decide(self, item: Item, decision: Decision) -> Decision:
        if self.ask is None or is_blocked(decision):
            return decision
        text = shown(item, limit=LABEL_CHARS)
        routed = self.ask(route_messages(self.rubric, text), tuple(self.rubric.labels))
        return self.judge(decision, routed, self.ask(rate_messages(self.rubric, text), RATING_LABELS))

    def judge(self, decision: Decision, routed: Mapping[str, float], rated: Mapping[str, float]) -> Decision:
        """`decision` moved by what the model said; `routed` by the rubric's letters, empty where it said nothing."""
        moved = round(self.weight.moves(rating_of(rated)), 4)
        probability = 1 / (1 + math.exp(-(logit(decision.probability) + moved)))
        said = {self.rubric.labels[letter]: share for letter, share in routed.items()}
        subjects = pooled(decision.subjects, said) if said else dict(decision.subjects)
        allowed = any(part.feature.startswith(RULE) for part in decision.why)
        return replace(
            decision,
            policy=self.version,
            subjects=subjects,
            subject=max(subjects, key=lambda slug: subjects[slug], default=decision.subject),
            probability=round(probability, 6),
            lane=decision.lane if allowed else self.thresholds.lane(probability),
            why=_with(decision.why, Contribution(RATING, moved)),
        )


def pooled(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """The geometric mean of two distributions over subjects, renormalised; what only one knows is unlikely to the other."""
    slugs = list(dict.fromkeys([*one, *other]))
    raw = {s: math.sqrt(max(one.get(s, 0.0), _LEAST_SHARE) * max(other.get(s, 0.0), _LEAST_SHARE)) for s in slugs}
    total = math.fsum(raw.values())
    shares = {slug: round(value / total, 4) for slug, value in raw.items()}
    best = max(shares, key=lambda slug: shares[slug])
    shares[best] = round(1.0 - math.fsum(share for slug, share in shares.items() if slug != best), 4)
    return shares


def _with(why: Sequence[Contribution], part: Contribution) -> tuple[Contribution, ...]:
    """The parts with one more: rules first, then the largest, and what is left over last."""

    def place(each: Contribution) -> tuple[int, float]:
        if each.feature.startswith(RULE):
            return 0, 0.0
        return (2, 0.0) if each.feature in (REST, BASE) else (1, -abs(each.weight))

    kept = [each for each in why if each.feature != RATING]
    return tuple(sorted([*kept, part], key=place))
