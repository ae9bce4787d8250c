"""What a figure looks like, and how samples become one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence


def figure(
    name: str, value: float, unit: str, *, limit: float | None = None, better: str = "less", note: str = ""
) -> None:
    """Print one figure as a JSON line."""
    row = {"name": name, "value": round(value, 4), "unit": unit, "limit": limit, "better": better, "note": note}
    print(json.dumps(row), flush=True)


def percentile(samples: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest sample that at least `share` of all samples do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
