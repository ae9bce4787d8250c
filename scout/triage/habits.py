"""What corrections say of words and people, counted: how much likelier each subject is where a feature occurs.

A softmax regression learns what a few hundred words weigh beside each other; counts know a little of each of the hundred
thousand others, and of authors with a single paper. Each example's own label is left out of its counts while they are
weighed (leave one out), so that a name that occurs once is no proof. The weighed counts are the offset from which the
regression of `routing` goes on: naive Bayes feeding a discriminative model (Wang and Manning 2012; Raina et al. 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special

from scout.triage.features import AUTHOR, COMMENT, TEXT, TITLE, WIDTH, Floats, Matrix
from scout.triage.logistic import Doubles

NEEDED = 200
"""Corrections from which counting pays; below, every name would be taken for a habit."""
COUNTED = ((TEXT, 4, 5.0), (TITLE, 2, 2.0), (AUTHOR, 1, 2.0), (COMMENT, 2, 2.0))
"""Blocks, how many examples must have a feature, and as how many examples without opinion the base rates count."""
_RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class Habits:
    """Log-odds that each feature adds to each subject."""

    columns: NDArray[np.int32]
    """Features that were counted, ascending."""
    weights: Floats
    """[columns, subjects + 1]"""
    base: Floats
    """[subjects + 1]"""
    trust: float = 1.0
    """By what the logits of the subjects' descriptions are to be multiplied: many corrections know better."""

    @staticmethod
    def none(classes: int) -> Habits:
        return Habits(np.zeros(0, np.int32), np.zeros((0, classes), np.float32), np.zeros(classes, np.float32))

    def logits(self, features: Matrix) -> Doubles:
        """[items, subjects + 1]"""
        found = np.tile(self.base.astype(np.float64), (features.shape[0], 1))
        for block, _, _ in COUNTED:
            first, last = np.searchsorted(self.columns, (block.offset, block.end))
            if last > first:
                present = _present(features, self.columns[first:last])
                found += _share(present, np.asarray(present @ self.weights[first:last], dtype=np.float64))
        return found


def learn(features: Matrix, labels: NDArray[np.int64], offsets: Doubles) -> tuple[Habits, Doubles]:
    """Habits of these examples, and the logits [rows, subjects + 1] that they give each without its own label."""
    classes = offsets.shape[1]
    rates = (np.bincount(labels, minlength=classes) + 0.5) / (len(labels) + 0.5 * classes)
    found, scores = [], []
    for block, least, prior in COUNTED:
        often = np.bincount(features.indices, minlength=WIDTH)[block.offset : block.end]
        columns = (np.flatnonzero(often >= least) + block.offset).astype(np.int32)
        present = _present(features, columns)
        ratios, score = _counted(present, labels, prior * rates)
        found.append((columns, ratios))
        scores.append(_share(present, score))
    spread = max(1e-6, float(np.std(np.concatenate(scores, axis=1), axis=0).mean()))
    columns_of = [np.ones((len(labels), 1)), *(score / spread for score in scores)]
    weighed, trust = _weigh(np.concatenate(columns_of, axis=1), labels, offsets)
    parts = [
        ratios @ weighed[1 + classes * place : 1 + classes * (place + 1)] / spread
        for place, (_, ratios) in enumerate(found)
    ]
    habits = Habits(
        np.concatenate([columns for columns, _ in found]), np.concatenate(parts).astype(np.float16).astype(np.float32),
        weighed[0].astype(np.float32), trust,
    )  # fmt: skip
    return habits, trust * offsets + np.asarray(np.concatenate(columns_of, axis=1) @ weighed, dtype=np.float64)


def _present(features: Matrix, columns: NDArray[np.int32]) -> Matrix:
    """[rows, columns]: 1 where a feature occurs."""
    place = np.full(features.shape[1], -1, dtype=np.int32)
    place[columns] = np.arange(len(columns), dtype=np.int32)
    at = place[features.indices]
    kept = at >= 0
    starts = np.concatenate([[0], np.cumsum(kept)])[features.indptr].astype(np.int32)
    ones = np.ones(int(kept.sum()), dtype=np.float32)
    return sparse.csr_matrix((ones, at[kept], starts), shape=(features.shape[0], len(columns)))


def _share(present: Matrix, score: Doubles) -> Doubles:
    """Scores by the root of how many features made them: a long text is no surer than a short one."""
    shared: Doubles = score / np.sqrt(np.maximum(1, np.diff(present.indptr)))[:, None]
    return shared


def _counted(present: Matrix, labels: NDArray[np.int64], prior: Doubles) -> tuple[Doubles, Doubles]:
    """Log-ratios [columns, classes], and the sums [rows, classes] of them, each row without its own part."""
    wanted = np.eye(len(prior))[labels]
    each = np.asarray(present.T @ wanted, dtype=np.float64)
    total = each.sum(axis=1, keepdims=True)
    strength, rates = prior.sum(), prior / prior.sum()
    ratios = np.log((each + prior) / ((total + strength) * rates))
    without = np.log((each + prior) / ((np.maximum(total - 1, 0) + strength) * rates))
    own = np.log((np.maximum(each - 1, 0) + prior) / (each + prior))
    score = np.asarray(present @ without, dtype=np.float64)
    score += np.asarray(present @ own, dtype=np.float64) * wanted
    return ratios, score


def _weigh(columns: Doubles, labels: NDArray[np.int64], offsets: Doubles) -> tuple[Doubles, float]:
    """[columns, classes]: weights with a small ridge that make the labels likeliest, and the trust in the offsets."""
    shape = (columns.shape[1], offsets.shape[1])
    wanted = np.eye(shape[1])[labels]

    def loss(point: Doubles) -> tuple[float, Doubles]:
        weights, doubt = point[:-1].reshape(shape), point[-1]
        log_share = special.log_softmax(columns @ weights + (1 - doubt) * offsets, axis=1)
        value = -(wanted * log_share).sum() + 0.5 * _RIDGE * float(point @ point)
        error = np.exp(log_share) - wanted
        slope = np.append((columns.T @ error + _RIDGE * weights).ravel(), _RIDGE * doubt - (error * offsets).sum())
        return float(value), slope

    start, limits = np.zeros(shape[0] * shape[1] + 1), [(None, None)] * (shape[0] * shape[1]) + [(0.0, 1.0)]
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": 150})
    return found.x[:-1].reshape(shape), float(1 - found.x[-1])
