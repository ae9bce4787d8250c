"""Lanes: two thresholds, fixed when a policy is fitted, so that a decision does not depend on the batch it comes in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scout.items import Lane
from scout.triage.logistic import Doubles
from scout.triage.policy import Targets

_ENOUGH = 40
"""Scores from which a quantile is worth taking."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which an item is for reading, and from which it is at least a maybe."""

    read: float
    unsure: float

    @staticmethod
    def fit(probabilities: Doubles, weights: Doubles, targets: Targets, *, line: float | None = None) -> Thresholds:
        """About `read_per_day` of `items_per_day` items lie above the first, `unsure_per_day` between the two.

        `probabilities` are those of a usual day's items, each counting as `weights` says. Without enough of them the
        thresholds stand where a usual day's would: at three times and twice the odds of the base rate. Where a `line` is
        promised (see `risk`), it is the second threshold, however long the list above it becomes.
        """
        found = Thresholds._by_size(probabilities, weights, targets)
        return found if line is None else Thresholds(max(found.read, line), line)

    @staticmethod
    def _by_size(probabilities: Doubles, weights: Doubles, targets: Targets) -> Thresholds:
        daily = max(targets.items_per_day, 1.0)
        if len(probabilities) < _ENOUGH:
            odds = targets.base_rate / (1 - targets.base_rate)
            return Thresholds(3 * odds / (1 + 3 * odds), 2 * odds / (1 + 2 * odds) if targets.unsure_per_day else 1.0)
        read = _above(probabilities, weights, targets.read_per_day / daily)
        unsure = _above(probabilities, weights, (targets.read_per_day + targets.unsure_per_day) / daily)
        return Thresholds(read, min(unsure, read))

    def lane(self, probability: float) -> Lane:
        if probability >= self.read:
            return Lane.READ
        return Lane.UNSURE if probability >= self.unsure else Lane.SKIP


def _above(probabilities: Doubles, weights: Doubles, share: float) -> float:
    """The value that `share` of the probabilities, by weight, reach."""
    order = np.argsort(-probabilities, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(probabilities[order[min(int(np.searchsorted(reached, share)), len(order) - 1)]])
