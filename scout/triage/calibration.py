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
_OLDER = 0.5
"""What a fold weighs beside the next: a model of fewer thumbs is surer of itself than one of more should be."""
_SLACK = 0.2
"""How far a share counted from thumbs may be off."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """logit' = slope · logit + shift."""

    slope: float = 1.0
    shift: float = 0.0

    def lowered(self, by: float) -> Scaling:
        return Scaling(self.slope, self.shift - by)

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
    weights = _OLDER ** (len(folds) - 1.0 - fold_of)

    def loss(point: Doubles) -> tuple[float, Doubles]:
        slope, shifts = np.exp(point[0]), point[1:]
        scaled = slope * logits + shifts[fold_of]
        error = weights * (special.expit(scaled) - labels)
        value = weights @ (np.logaddexp(0, scaled) - labels * scaled) + _SHRINKAGE * (
            2 * point[0] ** 2 + 0.5 * shifts @ shifts
        )
        by_fold = np.bincount(fold_of, weights=error, minlength=len(folds)) + _SHRINKAGE * shifts
        return float(value), np.concatenate([[error @ logits * slope + _SHRINKAGE * 4 * point[0]], by_fold])

    bounds = [(-np.log(3), np.log(3)), *[(-4.0, 4.0)] * len(folds)]
    found = optimize.minimize(loss, np.zeros(1 + len(folds)), jac=True, method="L-BFGS-B", bounds=bounds).x
    return Scaling(float(np.exp(found[0])), float(found[-1]))


def excess(logits: Doubles, weights: Doubles, highest: float) -> float:
    """By how much logits must be lowered for their mean probability, over usual items, not to be above `highest`.

    Thumbs come on what was shown, or half up and half down: their share of thumbs up says nothing of all items (prior
    shift; Saerens, Latinne and Decaestecker 2002). What is too low is left: rare interests are rare.
    """
    if not len(logits):
        return 0.0

    def over(by: float) -> float:
        return float(weights @ special.expit(logits - by) / weights.sum()) - highest

    return float(optimize.brentq(over, 0.0, 40.0, xtol=1e-6)) if over(0.0) > 0 else 0.0


def most_likely_wanted(base_rate: float, ups: int, downs: int, usual: int) -> float:
    """The largest share of usual items that a reader can be taken to want.

    What the read lane is for, as without any thumb, unless the thumbs on these very items say otherwise: it is not below
    the share thumbed up, nor above what the share thumbed down leaves, each give or take a fifth.
    """
    count = max(usual, 1)
    return max((1 + _SLACK) * ups / count, min(1 - (1 - _SLACK) * downs / count, base_rate))
