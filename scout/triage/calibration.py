"""Probabilities that mean what they say: Platt scaling on held-out logits, shrunk towards leaving them as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from scout.triage.logistic import Doubles

NEEDED = 30
"""Held-out thumbs of each kind below which nothing is corrected: a line through a few points is worse than none."""
_SHRINKAGE = 4.0


@dataclass(frozen=True, slots=True)
class Scaling:
    """logit' = slope · logit + shift."""

    slope: float = 1.0
    shift: float = 0.0

    def probability(self, logits: Doubles) -> Doubles:
        scaled: Doubles = special.expit(self.slope * logits + self.shift)
        return scaled


def platt(folds: Sequence[tuple[Doubles, Doubles]]) -> Scaling:
    """Platt (1999) on (logits, labels) of held-out items, in order of time, with a prior around the identity.

    Every fold has a shift of its own, as each was scored by a model of its own; the last is the nearest to what serves.
    The slope stays between a third and three: what is beyond says that the reader changed, not that the scale is off.
    """
    labels = np.concatenate([np.zeros(0), *(fold[1] for fold in folds)])
    if min(labels.sum(), len(labels) - labels.sum()) < NEEDED:
        return Scaling()
    logits = np.concatenate([fold[0] for fold in folds])
    fold_of = np.repeat(np.arange(len(folds)), [len(fold[1]) for fold in folds])

    def loss(point: Doubles) -> tuple[float, Doubles]:
        slope, shifts = np.exp(point[0]), point[1:]
        scaled = slope * logits + shifts[fold_of]
        error = special.expit(scaled) - labels
        value = (np.logaddexp(0, scaled) - labels * scaled).sum() + _SHRINKAGE * (
            2 * point[0] ** 2 + 0.5 * shifts @ shifts
        )
        by_fold = np.bincount(fold_of, weights=error, minlength=len(folds)) + _SHRINKAGE * shifts
        return float(value), np.concatenate([[error @ logits * slope + _SHRINKAGE * 4 * point[0]], by_fold])

    bounds = [(-np.log(3), np.log(3)), *[(-4.0, 4.0)] * len(folds)]
    found = optimize.minimize(loss, np.zeros(1 + len(folds)), jac=True, method="L-BFGS-B", bounds=bounds).x
    return Scaling(float(np.exp(found[0])), float(found[-1]))
