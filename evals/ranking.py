"""How good a ranking is, over all papers and a day at a time, and how far its probabilities can be believed.

Scores, labels and days in, numbers out. Ties count for what chance would make of them. What cannot be told (no positives,
one class only) is None, never NaN. Intervals are `bootstrap`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import special

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
LEAST_PAPERS = 50
"""Days with fewer papers, or without a pick, have no part in the means over days."""
P_AT, RECALL_AT = 10, 20
BINS = 10
_CLOSEST = 1e-6
"""Probabilities are kept so far from 0 and 1 where their logit is taken."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Test papers with a score each; higher means sooner."""

    scores: Doubles
    labels: Bools
    day_of: NDArray[np.int64]
    """Index into `days`."""
    days: tuple[date, ...]

    @staticmethod
    def of(scores: Sequence[float] | Doubles, labels: Sequence[bool] | Bools, days: Sequence[date]) -> Ranked:
        distinct = sorted(set(days))
        place = {day: index for index, day in enumerate(distinct)}
        return Ranked(
            np.asarray(scores, dtype=np.float64),
            np.asarray(labels, dtype=np.bool_),
            np.array([place[day] for day in days], dtype=np.int64),
            tuple(distinct),
        )

    def by_day(self) -> Iterator[tuple[date, Doubles, Bools]]:
        for index, day in enumerate(self.days):
            rows = np.flatnonzero(self.day_of == index)
            yield day, self.scores[rows], self.labels[rows]


@dataclass(frozen=True, slots=True)
class Day:
    """What a reader met on one day."""

    day: date
    papers: int
    picks: int
    precision: float | None
    """Of the first ten; None on a day that does not count."""
    recall: float | None
    """Of the first twenty."""

    @property
    def counts(self) -> bool:
        return self.precision is not None


def auc(scores: Doubles, labels: Bools) -> float | None:
    """Area under the ROC curve: how often a pick stands above another paper, ties counting half (Hanley & McNeil 1982)."""
    ups, downs = np.sort(scores[labels]), np.sort(scores[~labels])
    if not len(ups) or not len(downs):
        return None
    below, upto = np.searchsorted(downs, ups, "left"), np.searchsorted(downs, ups, "right")
    return float((below + upto).sum() / 2 / (len(ups) * len(downs)))


def average_precision(scores: Doubles, labels: Bools) -> float | None:
    """Mean, over picks, of the share of picks among all that score as high: scikit-learn's, without interpolation."""
    ups, every = np.sort(scores[labels]), np.sort(scores)
    if not len(ups):
        return None
    found = len(ups) - np.searchsorted(ups, ups, "left")
    reached = len(every) - np.searchsorted(every, ups, "left")
    return float((found / reached).mean())


def hits_at(scores: Doubles, labels: Bools, count: int) -> float:
    """How many picks are among the first `count`, in the mean over every order of what ties."""
    if len(scores) <= count:
        return float(labels.sum())
    edge = np.partition(scores, -count)[-count]
    above, level = scores > edge, scores == edge
    return float(labels[above].sum() + labels[level].sum() * (count - above.sum()) / level.sum())


def days(ranked: Ranked) -> tuple[Day, ...]:
    """Every test day, in order."""
    found = []
    for day, scores, labels in ranked.by_day():
        picks = int(labels.sum())
        if len(labels) >= LEAST_PAPERS and picks:
            precision = hits_at(scores, labels, P_AT) / P_AT
            recall = hits_at(scores, labels, RECALL_AT) / picks
            found.append(Day(day, len(labels), picks, precision, recall))
        else:
            found.append(Day(day, len(labels), picks, None, None))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Bin:
    """Papers of about one probability, and what became of them."""

    papers: int
    foreseen: float
    """Mean probability."""
    found: float
    """Share of picks."""


@dataclass(frozen=True, slots=True)
class Reliability:
    bins: tuple[Bin, ...]
    ece: float
    """Expected calibration error: the mean distance of foreseen and found, by papers (Naeini et al. 2015)."""
    slope: float | None
    """Of a logistic regression of labels on logits (Cox 1958): 1 is right, below 1 too sure."""
    brier_skill: float | None
    """1 - Brier score / that of saying the test base rate every time."""


def reliability(probabilities: Doubles, labels: Bools) -> Reliability | None:
    """Ten bins of equally many papers; what ties stays in one bin. None without papers."""
    if not len(labels):
        return None
    bins = [
        Bin(len(rows), float(probabilities[rows].mean()), float(labels[rows].mean()))
        for rows in _bins(probabilities)
        if len(rows)
    ]
    ece = sum(each.papers * abs(each.foreseen - each.found) for each in bins) / len(labels)
    return Reliability(tuple(bins), float(ece), slope(probabilities, labels), brier_skill(probabilities, labels))


def bin_of(probabilities: Doubles) -> NDArray[np.int64]:
    """The bin of each paper, from 0: equally many in each, but that what ties stays together."""
    edges = np.quantile(probabilities, np.arange(1, BINS) / BINS) if len(probabilities) else np.zeros(0)
    return np.searchsorted(edges, probabilities, "left").astype(np.int64)


def _bins(probabilities: Doubles) -> Iterator[NDArray[np.intp]]:
    places = bin_of(probabilities)
    for place in range(BINS):
        yield np.flatnonzero(places == place)


def brier_skill(probabilities: Doubles, labels: Bools) -> float | None:
    if not len(labels) or not 0 < labels.sum() < len(labels):
        return None
    rate = float(labels.mean())
    return float(1 - ((probabilities - labels) ** 2).mean() / (rate * (1 - rate)))


def slope(probabilities: Doubles, labels: Bools) -> float | None:
    """None where it has no finite value: one class only, one probability only, or classes that do not overlap."""
    held = np.clip(probabilities, _CLOSEST, 1 - _CLOSEST)
    logits = special.logit(held)
    if not 0 < labels.sum() < len(labels) or np.ptp(logits) == 0:
        return None
    if logits[labels].min() > logits[~labels].max() or logits[labels].max() < logits[~labels].min():
        return None
    columns = np.column_stack([np.ones(len(logits)), logits])
    point = np.array([0.0, 1.0])
    for _ in range(50):
        shares = special.expit(columns @ point)
        gradient = columns.T @ (labels - shares)
        hessian = (columns * (shares * (1 - shares))[:, None]).T @ columns + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        point = point + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-9:
            break
    return float(point[1]) if np.isfinite(point).all() else None
