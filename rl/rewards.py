"""What an answer is worth to the reader it was for. Pure: no torch, no model.

A rating is worth a proper scoring rule of the probability that it stands for (Brier 1950), so that the best policy is the one
that says what it believes and not the one that flatters. Subject, grounding, length and form are parts of their own, told
apart in every metric, since a sum that rises hides which part was gamed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from scout.triage.prompting import RATING_LABELS

STANDS_FOR: Mapping[str, float] = {
    label: (place + 0.5) / len(RATING_LABELS) for place, label in enumerate(RATING_LABELS)
}
"""Rating → the probability of a thumb up that it stands for: .1, .3, .5, .7, .9."""
REASON_WEIGHT: Mapping[str, float] = {"off-topic": 1.5, "weak": 0.5, "hype": 0.5, "known": 0.3}
"""What a thumb down says of whether the item was worth showing, by its reason; as the embedded policy weighs them."""
LONGEST_TLDR = 30
"""Words; a sentence longer than this is marked down for its length."""


@dataclass(frozen=True, slots=True)
class Label:
    """A reader's word on an item. Two readers who disagree are two labels, each with its reader's prompt."""

    up: bool | None = None
    reasons: tuple[str, ...] = ()
    subject: str | None = None
    """Slug that the reader corrected the item to."""
    sure: float = 1.0
    """In [0, 1]: less where the thumb is a guess (`rl.guesses`)."""

    @property
    def weight(self) -> float:
        if self.up is not False:
            return self.sure
        return self.sure * min((REASON_WEIGHT.get(reason, 1.0) for reason in self.reasons), default=1.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the policy did, parsed by serving's own parser; None for what it was not asked or did not answer in form."""

    asked: frozenset[str]
    """Of `rating`, `subject`, `summary`."""
    rating: str | None = None
    subject: str | None = None
    supported: float | None = None
    """Share of the summary's sentences that grounding kept."""
    tldr_words: int | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    rating: float = 1.0
    subject: float = 0.5
    grounding: float = 0.5
    length: float = 0.1
    form: float = 0.2


@dataclass(frozen=True, slots=True)
class Reward:
    total: float
    parts: Mapping[str, float] = field(default_factory=dict)
    """Each in [0, 1], before weighing; only those that applied."""


def reward(answer: Answer, label: Label, weights: Weights | None = None) -> Reward:
    """The weighed mean of the parts that apply, in [0, 1].

    A part that was asked for and not answered in form is worth 0, so that saying nothing never pays.
    """
    weights = weights or Weights()
    parts: dict[str, float] = {}
    counts: dict[str, float] = {}
    if "rating" in answer.asked and label.up is not None:
        believed = STANDS_FOR.get(answer.rating or "")
        parts["rating"] = 0.0 if believed is None else brier(believed, up=label.up)
        counts["rating"] = weights.rating * label.weight
    if "subject" in answer.asked and label.subject is not None:
        parts["subject"] = float(answer.subject == label.subject)
        counts["subject"] = weights.subject
    if "summary" in answer.asked:
        parts["grounding"] = answer.supported or 0.0
        parts["length"] = brevity(answer.tldr_words)
        counts |= {"grounding": weights.grounding, "length": weights.length}
    if answer.asked:
        parts["form"] = sum(_in_form(answer, part) for part in sorted(answer.asked)) / len(answer.asked)
        counts["form"] = weights.form
    whole = sum(counts.values())
    return Reward(sum(parts[name] * counts[name] for name in parts) / whole if whole else 0.0, parts)


def brier(probability: float, *, up: bool) -> float:
    """1 less the squared error: 1 for certainty that was right, 0 for certainty that was wrong, .75 for not knowing."""
    return 1 - (probability - float(up)) ** 2


def brevity(words: int | None) -> float:
    """1 up to the longest allowed, then falling; 0 for no sentence at all."""
    if not words:
        return 0.0
    return 1.0 if words <= LONGEST_TLDR else math.exp(1 - words / LONGEST_TLDR)


def _in_form(answer: Answer, part: str) -> bool:
    if part == "rating":
        return answer.rating in STANDS_FOR
    return (answer.subject if part == "subject" else answer.supported) is not None
