"""Tests: exact McNemar, sign flips, few large clusters, and what many tests at once do to p. Import from `evals.stats`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats

from evals.intervals import Floats, by_cluster, finite

EXACT = 14
"""Up to so many clusters that differ, every assignment of signs is counted; 16,384 of them."""
_CHUNK = 4_000_000


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided exact McNemar test: `b` items only the one solved, `c` only the other; items both or neither solved
    say nothing (McNemar 1947; exact binomial form). 1 where none differs: a 5–0 sweep has p = .0625.

    Raises:
        ValueError: a count is negative or no whole number.
    """
    for name, count in (("b", b), ("c", c)):
        if count != count or count < 0 or count != int(count):
            raise ValueError(f"mcnemar_exact takes whole counts, not {name}={count}")
    if b + c == 0:
        return 1.0
    return min(1.0, 2 * float(scipy_stats.binom.cdf(min(b, c), b + c, 0.5)))


def sign_flip_test(
    differences: Sequence[float], clusters: Sequence[Hashable] | None = None, *, draws: int = 10_000, seed: int = 0
) -> float:
    """Two-sided p of the mean difference under random signs (Fisher's randomization test), flipping whole clusters.

    Exact for up to 14 clusters that differ, else by `draws` from `seed`, itself counted as one of them so that p is
    never 0 (Phipson and Smyth 2010). 1 where nothing differs.

    Raises:
        ValueError: a difference is no finite number, or clusters are not one for each.
    """
    sums, _ = by_cluster(finite("differences", differences), clusters)
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    seen = abs(float(sums.sum())) * (1 - 1e-9)  # sums of the same floats in another order differ in the last digits
    if len(sums) <= EXACT:
        flips = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float(np.mean(np.abs(_flipped(sums, flips)) >= seen))
    rng, beyond = np.random.default_rng(seed), 0
    step = max(1, _CHUNK // len(sums))
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        bits = np.unpackbits(rng.integers(0, 256, size=(rows, -(-len(sums) // 8)), dtype=np.uint8), axis=1)
        beyond += int(np.count_nonzero(np.abs(_flipped(sums, bits[:, : len(sums)])) >= seen))
    return (beyond + 1) / (draws + 1)


def are_few(clusters: Sequence[Hashable]) -> bool:
    """Whether `few_clusters_test` is the one to ask: few clusters, at least one of them of several items."""
    return 2 <= len(set(clusters)) <= EXACT and len(clusters) > len(set(clusters))


def few_clusters_test(differences: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Two-sided p of the mean difference where few clusters hold many items: the larger of two, as both must speak for it.

    One is Student's t over the clusters, with one degree of freedom less than there are and the clustered error widened by
    G/(G-1) (Cameron and Miller 2015, section VI; for clusters of one size it is the t-test of their means). The other is the
    exact sign test over the items, so that a handful of them never decides, however alike the clusters are. Sign flips of
    whole clusters could not: of five, however large, they give .0625 at least.

    Raises:
        ValueError: as `sign_flip_test`, and for less than two clusters.
    """
    apart = finite("differences", differences)
    sums, _ = by_cluster(apart - apart.mean(), clusters)
    count = len(sums)
    if count < 2:
        raise ValueError("few_clusters_test needs two clusters at least")
    items = mcnemar_exact(int((apart > 0).sum()), int((apart < 0).sum()))
    error = math.sqrt(float(sums @ sums) * count / (count - 1)) / len(apart)
    mean = abs(float(apart.mean()))
    if error <= 1e-12 * mean or mean == 0:
        return items if mean else 1.0
    return max(items, float(2 * scipy_stats.t.sf(mean / error, count - 1)))


def _flipped(sums: Floats, flips: npt.NDArray[np.integer[Any]]) -> Floats:
    """The total for each row of flips, 1 for a changed sign."""
    total: Floats = sums.sum() - 2 * (flips.astype(np.float64) @ sums)
    return total


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p in the order given: below α they are significant with the chance of any false one at most α (Holm 1979).

    Raises:
        ValueError: one is no number within [0, 1].
    """
    given = _probabilities("holm", p)
    adjusted, highest = [0.0] * len(given), 0.0
    for rank, place in enumerate(sorted(range(len(given)), key=given.__getitem__)):
        highest = max(highest, min(1.0, (len(given) - rank) * given[place]))
        adjusted[place] = highest
    return tuple(adjusted)


def benjamini_hochberg(p: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p in the order given: of those below α a share of at most α is expected to be false
    (Benjamini and Hochberg 1995).

    Raises:
        ValueError: one is no number within [0, 1].
    """
    given = _probabilities("benjamini_hochberg", p)
    adjusted, lowest = [0.0] * len(given), 1.0
    ordered = sorted(range(len(given)), key=given.__getitem__)
    for rank in range(len(given), 0, -1):
        place = ordered[rank - 1]
        lowest = min(lowest, len(given) / rank * given[place])
        adjusted[place] = lowest
    return tuple(adjusted)


def _probabilities(name: str, p: Sequence[float]) -> list[float]:
    for place, each in enumerate(p):
        if not (math.isfinite(each) and 0 <= each <= 1):
            raise ValueError(f"{name}: p[{place}] is {each}, which is no probability")
    return [float(each) for each in p]
