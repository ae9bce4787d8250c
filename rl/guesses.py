"""Guesses at papers that nobody thumbed: what the embedded policy, fitted to the same thumbs, makes of them.

A few hundred thumbs are too few for a model to find its own way from a text to a taste, where words alone are enough for a linear
policy. So its word on many more papers is learned beside them (distillation), each guess counting as much as it is sure. No
label that the measurement does not have goes into it. Learning is `rl.thumbs`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rl import picks
from rl.rewards import Label
from scout.items import Item
from scout.triage.calibration import platt

PARTS = 10
CHARS = 400
"""How much of a text is shown. A third of the words costs a third of the time, and most of what they tell is told."""
_SUREST = 1e-6


def guessed(
    found: picks.Drawn, recipe: str, said: Mapping[str, float], count: int, *, seed: int
) -> tuple[tuple[Item, Label], ...]:
    """Unlabelled papers from before the test, as many as there are up to `count`, spread evenly over where they stand among the thumbs.

    Args:
        said: by item id the policy's probability of each thumb, out of fold (`rl.picks.estimates`).
    """
    known = {thumb.item.id for thumb in (*found.thumbs, *found.watched)}
    free = [item for item in found.seen.items if item.id not in known]
    thought = picks.embedded(recipe, found.seen, found.thumbs, free)
    stands = picks.standings({**said, **thought}, found.thumbs)
    draw = np.random.default_rng(seed)
    part_of = np.minimum(PARTS - 1, (PARTS * np.array([stands[item.id] for item in free])).astype(int))
    chosen = sorted(
        place
        for part in range(PARTS)
        for place in draw.permutation(np.flatnonzero(part_of == part))[: -(-count // PARTS)].tolist()
    )
    scaling = platt([(_logits([said[t.item.id] for t in found.thumbs]), np.array([float(t.up) for t in found.thumbs]))])
    chances = scaling.probability(_logits([thought[free[place].id] for place in chosen])).tolist()
    return tuple(
        (free[place], Label(up=chance > 0.5, sure=abs(2 * chance - 1)))
        for place, chance in zip(chosen, chances, strict=True)
    )


def _logits(probabilities: Sequence[float]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = special.logit(np.clip(probabilities, _SUREST, 1 - _SUREST))
    return found
