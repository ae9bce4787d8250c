"""What a fit may claim: probabilities that biased thumbs do not inflate, a promise where one can be kept, and plain words.

Joins `calibration` and `risk` to a fitted taste; `linear` serves what comes of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import numpy as np
from scipy import special

from scout.triage import calibration, risk
from scout.triage.lanes import Thresholds
from scout.triage.logistic import Doubles
from scout.triage.policy import Targets, Thumbed
from scout.triage.relevance import Taste
from scout.triage.risk import Promise
from scout.triage.training import Pool

BURST = 30
"""Thumbs in one minute above which nobody was reading; a script, or a list that was brought along."""


@dataclass(frozen=True, slots=True)
class Honest:
    taste: Taste
    """Scaled anew; what it foresaw of the held-out thumbs is as it was."""
    thresholds: Thresholds
    promise: Promise | None
    """None where the reader asked for none."""
    lowered: float
    """By how much, in log-odds."""

    def facts(self, thumbs: Sequence[Thumbed]) -> dict[str, Any]:
        return {
            "lowered": round(self.lowered, 4),
            "bursts": bursts(thumbs),
            "promise": None if self.promise is None else _promise(self.promise),
        }


def settle(taste: Taste, pool: Pool, logits: Doubles, weights: Doubles, targets: Targets) -> Honest:
    """`logits` and `weights` are those of usual items, in the order of `pool.usual`."""
    labels = pool.thumbs.labels[np.isin(pool.thumbs.rows, pool.usual)]
    ups = int((labels > 0).sum())
    highest = calibration.most_likely_wanted(targets.base_rate, ups, len(labels) - ups, len(pool.usual))
    by = calibration.excess(logits, weights, highest)
    promise = None
    if targets.recall is not None:
        foreseen = [(day, _moved(score, by), up) for day, score, up in taste.forward]
        promise = risk.promise(foreseen, targets.recall)
    thresholds = Thresholds.fit(
        special.expit(logits - by), weights, targets, line=promise.line if promise else None
    )  # fmt: skip
    return Honest(replace(taste, scaling=taste.scaling.lowered(by)), thresholds, promise, by)


def bursts(thumbs: Sequence[Thumbed]) -> dict[str, int]:
    """How many thumbs came in minutes with more than a person can give."""
    minutes = Counter(thumb.at.astimezone(UTC).replace(second=0, microsecond=0) for thumb in thumbs)
    crowded = [count for count in minutes.values() if count > BURST]
    return {"minutes": len(crowded), "thumbs": sum(crowded)}


def promised(facts: Mapping[str, Any]) -> str:
    """The promise that a fit's facts hold, in a sentence; "" where none was asked for."""
    promise = facts.get("promise") or {}
    return str(promise.get("sentence", ""))


def told_of_bursts(facts: Mapping[str, Any]) -> str:
    """That thumbs came faster than anybody reads, in a sentence; "" where they did not."""
    burst = facts.get("bursts") or {}
    if not burst.get("thumbs"):
        return ""
    return (
        f"{burst['thumbs']} thumbs came within {_minutes(burst['minutes'])}, faster than anybody reads: the policy takes them at "
        "their word, so take them back if a script gave them by mistake."
    )


def _moved(probability: float, by: float) -> float:
    return float(special.expit(special.logit(probability) - by))


def _promise(promise: Promise) -> dict[str, Any]:
    return {
        "recall": promise.recall,
        "confidence": promise.confidence,
        "held_out": promise.held_out,
        "needed": promise.needed,
        "line": None if promise.line is None else round(promise.line, 6),
        "sentence": promise.sentence(),
    }


def _minutes(count: int) -> str:
    return "a minute" if count == 1 else f"{count} minutes"
