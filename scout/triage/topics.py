"""Which of an item's own words carried what its place among all items added to a score.

The place of an item is the sum of its words' directions, so what a direction adds to a score can be shared out among the words
that brought the item there: exactly for a linear weight, and for a tree's step by the same shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scout.triage.features import TOPIC, Matrix
from scout.triage.landscape import Landscape
from scout.triage.logistic import Doubles

_LEAST = 0.02
"""A place nearer to the middle than this is owed to no word in particular."""
_TELLING = 0.15
"""A second word is named where it carried at least so much of what the first one did."""


@dataclass(frozen=True, slots=True)
class Carriers:
    """The words of one batch's items that have a direction."""

    features: Matrix
    landscape: Landscape

    def strongest(self, row: int, added: Doubles, count: int = 2) -> Sequence[int]:
        """Columns of the text block, strongest first, of up to `count` words that carried the sum of `added` [DIRECTIONS],
        what each direction added to this item's score."""
        span = slice(self.features.indptr[row], self.features.indptr[row + 1])
        columns, values = self.features.indices[span], self.features.data[span]
        words = self.landscape.words
        if not len(words) or not added.any():
            return ()
        where = np.minimum(np.searchsorted(words, columns), len(words) - 1)
        known = np.flatnonzero(words[where] == columns)
        place = self._place(columns, values)
        if not len(known) or place is None:
            return ()
        pull = np.where(np.abs(place) >= _LEAST, added / np.where(np.abs(place) >= _LEAST, place, 1.0), 0.0)
        carried = values[known] * (self.landscape.directions[where[known]] @ pull) * np.sign(added.sum())
        best = known[np.argsort(-carried, kind="stable")[:count]]
        size = np.sort(-carried, kind="stable")[:count]
        return [int(column) for column, fell in zip(columns[best], size, strict=True) if fell < _TELLING * size[0] < 0]

    @staticmethod
    def _place(columns: NDArray[np.int32], values: NDArray[np.float32]) -> Doubles | None:
        at = np.flatnonzero((columns >= TOPIC.offset) & (columns < TOPIC.end))
        return values[at].astype(np.float64) if len(at) else None
