"""Statistics of what was counted, all of them importable from here. No plotting, no I/O, no framework.

The item is the unit: average an item's runs first, then ask here. Items of one family share material and are no
independent evidence: pass families as `clusters`. "Miller" is arXiv 2411.00640, *Adding Error Bars to Evals*.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as scipy_stats

from evals.intervals import Floats, Interval, bootstrap_interval, by_cluster, finite, quantile, wilson_interval
from evals.power import Reach, detectable_difference, needed_items
from evals.significance import (
    EXACT,
    are_few,
    benjamini_hochberg,
    few_clusters_test,
    holm,
    mcnemar_exact,
    sign_flip_test,
)

__all__ = [
    "Difference", "Interval", "Reach", "benjamini_hochberg", "bootstrap_interval", "clustered_standard_error",
    "detectable_difference", "few_clusters_test", "holm", "mcnemar_exact", "mean_interval", "needed_items",
    "p_by_families", "paired_difference", "pass_at_k", "pass_hat_k", "sign_flip_test",
    "wilson_interval",
]  # fmt: skip

FEW = 30
"""With fewer clusters an interval takes Student's t instead of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two sets of scores of the same items, the first less the second."""

    mean: float
    se: float
    """`math.inf` where one item, or one cluster, leaves it unknown; the interval is unbounded then."""
    low: float
    high: float
    p: float
    """Two-sided. Where few differ: exact, by sign flips. It decides, not the interval: five equal differences have no
    spread, and so an interval of no width, but p = .0625."""
    n: int
    """Items."""

    @property
    def interval(self) -> Interval:
        return Interval(self.low, self.high)


def clustered_standard_error(scores: Sequence[float], clusters: Sequence[Hashable] | None = None) -> float:
    """Standard error of the mean of scores of which those of one cluster go together (Miller, equation 4):

        SE² = Var(s)/n + 1/n² · Σ over clusters, Σ over i ≠ j within, of (s_i - mean)(s_j - mean)

    with n - 1 in the variance. Without clusters, or with one score in each, it is that of the central limit theorem.
    `math.inf` where there is but one score or one cluster, which tells nothing of the spread.

    Raises:
        ValueError: there are no scores, one is no finite number, or clusters are not one for each.
    """
    values = finite("scores", scores)
    n = len(values)
    if n == 0:
        raise ValueError("clustered_standard_error needs at least one score")
    rest = values - values.mean()
    sums, _ = by_cluster(rest, clusters)
    if len(sums) == 1:
        return math.inf
    squares = float(rest @ rest)
    together = float(sums @ sums) - squares
    return math.sqrt(max(0.0, squares / (n - 1) / n + together / n**2))


def mean_interval(
    scores: Sequence[float], clusters: Sequence[Hashable] | None = None, *, level: float = 0.95
) -> Interval:
    """Interval of the mean by its clustered standard error: mean ± 1.96 SE (Miller, section 2); below 30 clusters
    Student's t with one degree of freedom less than there are clusters.

    For single runs of right and wrong without clusters, `wilson_interval` is the better one.

    Raises:
        ValueError: as `clustered_standard_error`.
    """
    error = clustered_standard_error(scores, clusters)
    return around(float(np.mean(scores)), error, _clusters(len(scores), clusters), level=level)


def around(mean: float, error: float, clusters: int, *, level: float = 0.95) -> Interval:
    """The interval of a mean with that standard error, estimated from so many clusters."""
    if math.isinf(error):
        return Interval(-math.inf, math.inf)
    z = quantile(level)
    if clusters < FEW:
        z = float(scipy_stats.t.ppf((1 + level) / 2, clusters - 1))
    return Interval(mean - z * error, mean + z * error)


def paired_difference(
    a: Sequence[float], b: Sequence[float], clusters: Sequence[Hashable] | None = None, *, level: float = 0.95
) -> Difference:
    """How much better `a` is than `b` on the same items in the same order (Miller, section 4: paired, clustered).

    `p` is the normal distribution's from 30 clusters on, Student's t below, and that of sign flips, exact, where no
    more than 14 clusters differ.

    Raises:
        ValueError: `a` and `b` are not of one length, are empty, or one holds what is no finite number.
    """
    first, second = finite("a", a), finite("b", b)
    if len(first) != len(second):
        raise ValueError(f"a and b must be scores of the same items: {len(first)} and {len(second)} are not")
    if not len(first):
        raise ValueError("paired_difference needs at least one item")
    apart = first - second
    mean, error = float(apart.mean()), clustered_standard_error(apart.tolist(), clusters)
    sums, _ = by_cluster(apart, clusters)
    low, high = around(mean, error, len(sums), level=level)
    return Difference(mean, error, low, high, _p(mean, error, apart, clusters), len(apart))


def _p(mean: float, error: float, apart: Floats, clusters: Sequence[Hashable] | None) -> float:
    sums, _ = by_cluster(apart, clusters)
    if np.count_nonzero(sums) <= EXACT or error == 0:
        return sign_flip_test(apart.tolist(), clusters)
    ratio = abs(mean) / error
    if len(sums) < FEW:
        return float(2 * scipy_stats.t.sf(ratio, len(sums) - 1))
    return float(2 * scipy_stats.norm.sf(ratio))


def p_by_families(difference: Difference, apart: Sequence[float], families: Sequence[Hashable]) -> float:
    """The p of a paired difference of items in families: its own, but `few_clusters_test`'s where few families hold many items."""
    return few_clusters_test(apart, families) if are_few(families) else difference.p


def _clusters(n: int, clusters: Sequence[Hashable] | None) -> int:
    return n if clusters is None else len(set(clusters))


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that at least one of `k` tries succeeds, from `c` successes in `n`: 1 - C(n-c, k)/C(n, k), unbiased
    (arXiv 2107.03374, equation 1).

    Raises:
        ValueError: not 0 <= c <= n or not 1 <= k <= n.
    """
    _tries("pass_at_k", n, c, k)
    return 1 - math.comb(n - c, k) / math.comb(n, k)


def pass_hat_k(n: int, c: int, k: int) -> float:
    """pass^k, the chance that all of `k` tries succeed, from `c` successes in `n`: C(c, k)/C(n, k), unbiased
    (τ-bench, arXiv 2406.12045, section 4).

    Raises:
        ValueError: not 0 <= c <= n or not 1 <= k <= n.
    """
    _tries("pass_hat_k", n, c, k)
    return math.comb(c, k) / math.comb(n, k)


def _tries(name: str, n: int, c: int, k: int) -> None:
    if any(each != each or each != int(each) for each in (n, c, k)):
        raise ValueError(f"{name} takes whole numbers, not n={n}, c={c}, k={k}")
    if not 0 <= c <= n:
        raise ValueError(f"{name} takes 0 <= c <= n, not n={n}, c={c}")
    if not 1 <= k <= n:
        raise ValueError(f"{name} takes 1 <= k <= n: {k} of {n} tries were asked for")
