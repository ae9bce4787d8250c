"""Intervals by resampling whole days (Efron 1979): papers of one day compete with each other and are no independent evidence.

Every figure of a ranking is put as sums over days, or pairs of days, so that a draw is a vector of how often each day was
drawn and a thousand draws are a few matrix products: exact, as if each draw's papers had been ranked anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np

from evals.ranking import BINS, Bools, Doubles, Ranked, bin_of, days
from evals.stats import Interval, bootstrap_interval

DRAWS = 2000
LEVEL = 0.95
_ENOUGH = 0.5
"""With fewer of the draws telling anything there is no interval."""

Figure = Callable[[Doubles], Doubles]
"""Weights of days [draws, days] in, one value a draw out; NaN where a draw tells nothing."""


def by_group(
    values_a: Sequence[float], values_b: Sequence[float], groups: Sequence[Hashable], *, draws: int = DRAWS, seed: int = 0
) -> Interval:  # fmt: skip
    """Interval of how much larger the mean of `values_a` is than that of `values_b`, pair by pair, drawing whole groups.

    Raises:
        ValueError: there are no values, or not one of each for every group given.
    """
    if not len(values_a) == len(values_b) == len(groups):
        raise ValueError(f"{len(values_a)} values, {len(values_b)} others and {len(groups)} groups are no pairs")
    apart = [a - b for a, b in zip(values_a, values_b, strict=True)]
    return bootstrap_interval(apart, groups, draws=draws, seed=seed, level=LEVEL)


def drawn(count: int, *, draws: int = DRAWS, seed: int = 0) -> Doubles:
    """[draws + 1, count]: how often each of so many days is drawn. The first row is the days as they are."""
    rng = np.random.default_rng(seed)
    if count == 0:
        return np.zeros((1, 0))
    return np.concatenate([np.ones((1, count)), rng.multinomial(count, np.full(count, 1 / count), size=draws)])


def interval(values: Doubles) -> Interval | None:
    """Of a figure's values by draw, or of the difference of two, the first of them that of the days as they are."""
    told = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or len(told) < _ENOUGH * (len(values) - 1) or not len(told):
        return None
    low, high = np.quantile(told, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def figures(ranked: Ranked, *, probabilities: bool) -> Mapping[str, Figure]:
    """The figures of a ranking by name. With `probabilities` also those that scores which are none do not have."""
    with_days = days(ranked)
    counting = np.array([day.counts for day in with_days], dtype=np.float64)
    found: dict[str, Figure] = {
        "auc": _auc(ranked),
        "average_precision": _average_precision(ranked),
        "p_at_10": _mean(np.array([day.precision or 0.0 for day in with_days]), counting),
        "recall_at_20": _mean(np.array([day.recall or 0.0 for day in with_days]), counting),
    }
    if probabilities:
        found |= {"brier_skill": _brier_skill(ranked), "ece": _ece(ranked)}
    return found


def _auc(ranked: Ranked) -> Figure:
    """w' A w / (w'ups · w'downs), where A[d, e] counts how often a pick of day d stands above another paper of day e."""
    total = len(ranked.days)
    ups, downs = _ups(ranked), _per_day(ranked, ~ranked.labels)
    day_of_pick, score_of_pick = ranked.day_of[ranked.labels], ranked.scores[ranked.labels]
    above = np.zeros((total, total))
    for day in range(total):
        others = np.sort(ranked.scores[(ranked.day_of == day) & ~ranked.labels])
        wins = np.searchsorted(others, score_of_pick, "left") + np.searchsorted(others, score_of_pick, "right")
        above[:, day] = np.bincount(day_of_pick, weights=wins / 2, minlength=total)
    return lambda weights: _ratio(((weights @ above) * weights).sum(axis=1), (weights @ ups) * (weights @ downs))


def _average_precision(ranked: Ranked) -> Figure:
    """For each pick the papers, and the picks, of each day that score as high: their weighted ratio is its precision."""
    total = len(ranked.days)
    day_of_pick, score_of_pick = ranked.day_of[ranked.labels], ranked.scores[ranked.labels]
    every, picks = (np.zeros((len(score_of_pick), total)) for _ in range(2))
    for day in range(total):
        here = ranked.day_of == day
        for found, rows in ((every, here), (picks, here & ranked.labels)):
            scores = np.sort(ranked.scores[rows])
            found[:, day] = len(scores) - np.searchsorted(scores, score_of_pick, "left")
    ups = _ups(ranked)

    def figure(weights: Doubles) -> Doubles:
        values = np.empty(len(weights))
        for start in range(0, len(weights), 256):
            part = weights[start : start + 256]
            precision = (picks @ part.T) / np.maximum(every @ part.T, 1)  # a pick whose day is not drawn counts nothing
            values[start : start + 256] = _ratio((precision * part.T[day_of_pick]).sum(axis=0), part @ ups)
        return values

    return figure


def _mean(values: Doubles, counting: Doubles) -> Figure:
    return lambda weights: _ratio(weights @ (values * counting), weights @ counting)


def _brier_skill(ranked: Ranked) -> Figure:
    errors = np.bincount(
        ranked.day_of, weights=(ranked.scores - ranked.labels) ** 2, minlength=len(ranked.days)
    ).astype(np.float64)
    ups, papers = _ups(ranked), _per_day(ranked, np.ones_like(ranked.labels))

    def figure(weights: Doubles) -> Doubles:
        rate = _ratio(weights @ ups, weights @ papers)
        return 1 - _ratio(weights @ errors, (weights @ papers) * rate * (1 - rate))

    return figure


def _ece(ranked: Ranked) -> Figure:
    """The bins are those of all test papers, in every draw."""
    cell = ranked.day_of * BINS + bin_of(ranked.scores)
    shape = (len(ranked.days), BINS)
    apart = np.bincount(cell, weights=ranked.scores - ranked.labels, minlength=shape[0] * BINS).reshape(shape)
    papers = _per_day(ranked, np.ones_like(ranked.labels))
    return lambda weights: _ratio(np.abs(weights @ apart).sum(axis=1), weights @ papers)


def _ups(ranked: Ranked) -> Doubles:
    return _per_day(ranked, ranked.labels)


def _per_day(ranked: Ranked, rows: Bools) -> Doubles:
    return np.bincount(ranked.day_of[rows], minlength=len(ranked.days)).astype(np.float64)


def _ratio(above: Doubles, below: Doubles) -> Doubles:
    found: Doubles = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return found
