"""Statistics of what was counted. No plotting, no I/O."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""Quantile of the normal distribution for a two-sided interval of 95%."""


def wilson(successes: int, of: int, *, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927): stays within [0, 1] and is sound where few or all succeed.

    For independent trials. (0, 1) where there were none.
    """
    if of <= 0:
        return 0.0, 1.0
    share = successes / of
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    middle, scale = share + z * z / (2 * of), 1 + z * z / of
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
