"""A figure with its interval, and with the paired one of how much more it is than a baseline's. For JSON and for tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from evals import bootstrap
from evals.ranking import Doubles
from evals.stats import Interval


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its interval, and how much more it is than the baseline's, with the paired interval."""

    value: float | None
    interval: Interval | None = None
    above: float | None = None
    above_interval: Interval | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "value": rounded(self.value),
            "interval": _ends(self.interval),
            "difference": rounded(self.above),
            "difference_interval": _ends(self.above_interval),
        }


def figure_of(values: Doubles, others: Doubles | None) -> Figure:
    """A figure from its values by draw (`bootstrap.drawn`) and, where there is somebody to compare with, theirs."""
    value = float(values[0]) if math.isfinite(values[0]) else None
    if others is None:
        return Figure(value, bootstrap.interval(values))
    apart = values - others
    above = float(apart[0]) if math.isfinite(apart[0]) else None
    return Figure(value, bootstrap.interval(values), above, bootstrap.interval(apart))


def rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), digits)


def _ends(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [rounded(interval.low), rounded(interval.high)]
