"""Power: how large a difference so many items find, and how many items a difference needs. Import from `evals.stats`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as scipy_stats

from evals.intervals import by_cluster, finite, quantile
from evals.significance import are_few


@dataclass(frozen=True, slots=True)
class Reach:
    """What decides how small a difference a paired comparison finds."""

    se: float
    """Of the difference, clustered."""
    n: int
    """Items."""
    families: int | None
    """How many, where few families hold many items; None where items, or many families, are taken as independent."""
    size: float
    """By how much those differ that do, on average: items where families are few, else families, over all their items."""

    @classmethod
    def of(cls, se: float, apart: Sequence[float], families: Sequence[Hashable]) -> Reach | None:
        """From the items' differences; None where nothing differs, or the error is not known.

        Raises:
            ValueError: a difference is no finite number, or families are not one for each.
        """
        values, few = finite("differences", apart), are_few(families)
        sums = values if few else by_cluster(values, families)[0]
        sums = sums[sums != 0]
        if not len(sums) or not math.isfinite(se):
            return None
        return cls(se, len(values), len(set(families)) if few else None, float(np.abs(sums).mean()))

    def found(self, *, alpha: float = 0.05, power: float = 0.8) -> float | None:
        """The smallest difference that `p_by_families` calls one with that power; None where none could be large enough.

        The larger of two, as both tests must speak for it. By the error: (q(1 - α/2) + q(power)) SE, of the normal
        distribution (Miller, section 5), of Student's t and the wider error where families are few. By the signs: if all
        that differ favour one, an exact test needs m of them, the least with 2^(1-m) ≤ α; as many come with that power where
        λ are to be expected, of a Poisson distribution.
        """
        signs = math.ceil(1 - math.log2(alpha))
        by_signs = float(scipy_stats.gamma.ppf(power, signs)) * self.size / self.n
        largest = max(self._by_error(alpha, power), by_signs)
        return largest if largest <= 1 else None

    def _by_error(self, alpha: float, power: float) -> float:
        if self.families is None:
            return float(scipy_stats.norm.ppf(1 - alpha / 2) + scipy_stats.norm.ppf(power)) * self.se
        t, wider = scipy_stats.t(self.families - 1), math.sqrt(self.families / (self.families - 1))
        return float(t.ppf(1 - alpha / 2) + t.ppf(power)) * self.se * wider


def needed_items(
    delta: float, omega2: float, sigma2_a: float = 0.0, sigma2_b: float = 0.0, k_a: int = 1, k_b: int = 1,
    alpha: float = 0.05, power: float = 0.8,
) -> int:  # fmt: skip
    """How many items a paired comparison needs to find a difference of `delta` (Miller, equation 9):

        n = (z_{α/2} + z_β)² (ω² + σ²_a/K_a + σ²_b/K_b) / δ²

    `omega2` is the variance over items of the difference of their expected scores, `sigma2_*` the mean variance of an
    item's score from run to run, `k_*` the runs of an item.

    Raises:
        ValueError: a figure that cannot be.
    """
    if not (math.isfinite(delta) and delta != 0):
        raise ValueError(f"needed_items: delta must be a finite number other than 0, not {delta}")
    square = _reach(omega2, sigma2_a, sigma2_b, k_a, k_b, alpha, power) / delta**2
    return max(1, math.ceil(square - 1e-9))


def detectable_difference(
    n: int, omega2: float, sigma2_a: float = 0.0, sigma2_b: float = 0.0, k_a: int = 1, k_b: int = 1,
    alpha: float = 0.05, power: float = 0.8,
) -> float:  # fmt: skip
    """The smallest difference that `n` items find with that power (Miller, equation 10); see `needed_items`.

    Raises:
        ValueError: a figure that cannot be.
    """
    if not (math.isfinite(n) and n >= 1):
        raise ValueError(f"detectable_difference: n must be at least 1, not {n}")
    return math.sqrt(_reach(omega2, sigma2_a, sigma2_b, k_a, k_b, alpha, power) / n)


def _reach(
    omega2: float, sigma2_a: float, sigma2_b: float, k_a: int, k_b: int, alpha: float, power: float
) -> float:  # fmt: skip
    for name, variance in (("omega2", omega2), ("sigma2_a", sigma2_a), ("sigma2_b", sigma2_b)):
        if not (math.isfinite(variance) and variance >= 0):
            raise ValueError(f"{name} must be a variance, not {variance}")
    for name, runs in (("k_a", k_a), ("k_b", k_b)):
        if not (math.isfinite(runs) and runs >= 1):
            raise ValueError(f"{name} must be at least 1 run, not {runs}")
    for name, chance in (("alpha", alpha), ("power", power)):
        if not 0 < chance < 1:
            raise ValueError(f"{name} must lie between 0 and 1, not {chance}")
    z = max(0.0, quantile(1 - alpha) + float(scipy_stats.norm.ppf(power)))
    return z * z * (omega2 + sigma2_a / k_a + sigma2_b / k_b)
