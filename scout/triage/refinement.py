"""What a weighted sum cannot say: trees over the linear score, the authors' record, appearance and place, added to it.

"Wanted only where a large lab wrote it", "a survey, unless of agents": such things need thumbs in hundreds, so that below
those there is no refinement and the linear model stands alone. The trees start from linear scores that do not know the
thumb on the item itself; from scores that do, they would learn to trust them too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scout.items import Item
from scout.triage import appearance, boosting, record
from scout.triage.boosting import Growth, Trees
from scout.triage.calibration import Scaling, platt
from scout.triage.features import TOPIC, Matrix
from scout.triage.landscape import DIRECTIONS, Floats
from scout.triage.logistic import Doubles
from scout.triage.record import Authors, Record
from scout.triage.training import Labelled

NEEDED = 40
"""Thumbs of each kind below which nothing is refined."""
GROUPS = ("all of it together", "its authors before", "its length, links and form")
"""What the columns are called in reasons, by kind; the place, which comes last, is told direction by direction."""
GROUP_OF: NDArray[np.int64] = np.concatenate(
    [np.repeat(np.arange(len(GROUPS)), [1, record.COLUMNS, appearance.COLUMNS]), len(GROUPS) + np.arange(DIRECTIONS)]
)
"""[columns]: the group of each column of `Refinement._columns`."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the trees look at, of some items."""

    authors: Authors
    appearance: Floats
    """[items, appearance.COLUMNS]"""
    places: Floats
    """[items, DIRECTIONS]"""

    @staticmethod
    def of(items: Sequence[Item], features: Matrix) -> Sight:
        places = features[:, TOPIC.offset : TOPIC.end].toarray().astype(np.float32)
        return Sight(Authors.of(items), appearance.numbers(items), places)

    def part(self, rows: NDArray[np.int64]) -> Sight:
        return Sight(self.authors.part(rows), self.appearance[rows], self.places[rows])


@dataclass(frozen=True, slots=True)
class Refinement:
    scaling: Scaling
    """The linear logits on the scale on which scores that do not know the thumb are true."""
    record: Record
    trees: Trees

    def logits(self, linear: Doubles, sight: Sight, own: Doubles | None = None) -> Doubles:
        """Refined. `own` as in `Record.numbers`."""
        scaled = self._scaled(linear)
        return scaled + self.trees.scores(self._columns(scaled, sight, own))

    def parts(self, linear: Doubles, sight: Sight) -> Doubles:
        """[items, groups + directions]: what the trees add, by what they asked about; their root is left out."""
        return self.trees.parts(self._columns(self._scaled(linear), sight, None), GROUP_OF, len(GROUPS) + DIRECTIONS)

    def _scaled(self, linear: Doubles) -> Doubles:
        return self.scaling.slope * linear + self.scaling.shift

    def _columns(self, scaled: Doubles, sight: Sight, own: Doubles | None) -> Floats:
        """[items, columns]"""
        known = self.record.numbers(sight.authors, own)
        return np.column_stack([scaled, known, sight.appearance, sight.places]).astype(np.float32)


def is_enough(said: Labelled) -> bool:
    return bool(min(said.labels.sum(), len(said.labels) - said.labels.sum()) >= NEEDED)


def fit(linear: Doubles, sight: Sight, said: Labelled, growth: Growth) -> Refinement:
    """From linear logits that do not know the thumbs `said` of the items seen."""
    known = Record.fit(sight.authors, said.labels)
    start = Refinement(platt([(linear, said.labels)]), known, Trees.none())
    scaled = start._scaled(linear)
    trees = boosting.fit(start._columns(scaled, sight, said.labels), said.labels, said.weights, scaled, growth)
    return Refinement(start.scaling, known, trees)
