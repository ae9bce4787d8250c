"""Intervals: what is one, Wilson's for a share, the bootstrap's for a mean. Import from `evals.stats`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats

Floats = npt.NDArray[np.float64]
_CHUNK = 2_000_000
"""So many random numbers at once: 16 MB."""


class Interval(NamedTuple):
    """From `low` to `high`, of 95% unless said otherwise."""

    low: float
    high: float


def finite(name: str, values: Sequence[float]) -> Floats:
    """The values as floats.

    Raises:
        ValueError: one of them is no finite number; the message says which.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise ValueError(f"{name} must be a flat sequence of numbers")
    for place in np.flatnonzero(~np.isfinite(found))[:1]:
        raise ValueError(f"{name}[{place}] is {found[place]}, which is no finite number")
    return found


def quantile(level: float) -> float:
    """z of a two-sided interval of `level`: 1.96 for .95."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    return float(scipy_stats.norm.ppf((1 + level) / 2))


def wilson_interval(k: float, n: float, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share, `k` of `n` (Wilson 1927): within [0, 1], and sound where few or all succeed.

    For independent trials. (0, 1) where there were none.

    Raises:
        ValueError: `k` does not lie within 0 and `n`, or either is no finite number.
    """
    if not (math.isfinite(k) and math.isfinite(n)):
        raise ValueError(f"wilson_interval takes finite counts, not k={k}, n={n}")
    if not 0 <= k <= n:
        raise ValueError(f"wilson_interval takes 0 <= k <= n, not k={k}, n={n}")
    if n == 0:
        return Interval(0.0, 1.0)
    z, share = quantile(level), k / n
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    middle, scale = share + z * z / (2 * n), 1 + z * z / n
    low = 0.0 if k == 0 else (middle - spread) / scale
    high = 1.0 if k == n else (middle + spread) / scale
    return Interval(max(0.0, low), min(1.0, high))


def bootstrap_interval(
    scores: Sequence[float], clusters: Sequence[Hashable] | None = None, *, draws: int = 10_000, seed: int = 0,
    level: float = 0.95,
) -> Interval:  # fmt: skip
    """Percentile bootstrap of the mean (Efron 1979). Whole clusters are drawn, so that the mean's own weight may vary.

    The same seed gives the same interval. Pass differences to have that of a paired difference.

    Raises:
        ValueError: there are no scores, one is no finite number, or clusters are not one for each.
    """
    values = finite("scores", scores)
    if not len(values):
        raise ValueError("bootstrap_interval needs at least one score")
    if draws < 1:
        raise ValueError(f"draws must be at least 1, not {draws}")
    tail = (1 - level) / 2
    sums, sizes = by_cluster(values, clusters)
    rng, means = np.random.default_rng(seed), np.empty(draws)
    step = max(1, _CHUNK // len(sums))
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        drawn = rng.integers(0, len(sums), size=(rows, len(sums)))
        means[start : start + rows] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    quantile(level)
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def by_cluster(values: Floats, clusters: Sequence[Hashable] | None) -> tuple[Floats, Floats]:
    """The sum of values and how many, cluster by cluster, in the order in which clusters first occur.

    Without clusters each value is its own.

    Raises:
        ValueError: clusters are not one for each value.
    """
    if clusters is None:
        return values, np.ones_like(values)
    if len(clusters) != len(values):
        raise ValueError(f"clusters must be one for each score: {len(values)} scores, {len(clusters)} clusters")
    numbers: dict[Hashable, int] = {}
    place = np.array([numbers.setdefault(each, len(numbers)) for each in clusters], dtype=np.intp)
    return np.bincount(place, weights=values).astype(np.float64), np.bincount(place).astype(np.float64)
