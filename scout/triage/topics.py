"""Which of an item's own words carried what its place among all items added to a score.

The place of an item is the sum of its words' directions, so what a direction adds to a score can be shared out among the words
that brought the item there: exactly for a linear weight, and for a tree's step by the same shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scout.triage.features import TOPIC, WIDTH, Matrix
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
    word_of: NDArray[np.int32]
    """[entries of features]: which word of the landscape each is; -1 for none."""

    @staticmethod
    def of(features: Matrix, landscape: Landscape) -> Carriers:
        place = np.full(WIDTH, -1, dtype=np.int32)
        place[landscape.words] = np.arange(len(landscape.words), dtype=np.int32)
        return Carriers(features, landscape, place[features.indices])

    def strongest(self, row: int, added: Doubles, count: int = 2) -> Sequence[int]:
        """Columns of the text block, strongest first, of up to `count` words that carried the sum of `added` [DIRECTIONS],
        what each direction added to this item's score."""
        span = slice(self.features.indptr[row], self.features.indptr[row + 1])
        columns, values = self.features.indices[span], self.features.data[span]
        where = self.word_of[span]
        known = np.flatnonzero(where >= 0)
        if not len(known) or not added.any():
            return ()
        first = int(np.searchsorted(columns, TOPIC.offset))
        place = values[first : first + TOPIC.size].astype(np.float64)
        if len(place) < TOPIC.size:
            return ()
        far = np.abs(place) >= _LEAST
        pull = np.zeros(TOPIC.size, dtype=np.float32)
        pull[far] = added[far] / place[far]
        carried = values[known] * (self.landscape.directions[where[known]] @ pull) * np.sign(added.sum())
        best = known[np.argsort(-carried, kind="stable")[:count]]
        size = np.sort(-carried, kind="stable")[:count]
        return [int(column) for column, fell in zip(columns[best], size, strict=True) if fell < _TELLING * size[0] < 0]
