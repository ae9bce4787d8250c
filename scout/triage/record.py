"""What a reader's thumbs say of authors: how often each was wanted, as a few numbers of an item.

The linear model weighs each author alone. These numbers say of all authors of an item together how well known and how
wanted they are, which is what tells when there are ten of them and each was seen twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scout.items import Item
from scout.triage.landscape import Floats
from scout.triage.logistic import Doubles

COLUMNS = 8
_SHRINKAGE = 3.0
"""As if each author had that many thumbs more, up as often as the reader's usual."""
_MOST_AUTHORS = 200


@dataclass(frozen=True, slots=True)
class Authors:
    """The authors of some items, as hashes of their names in one flat run."""

    keys: NDArray[np.uint32]
    starts: NDArray[np.int64]
    """[items + 1]"""

    @staticmethod
    def of(items: Sequence[Item]) -> Authors:
        named = [item.authors[:_MOST_AUTHORS] for item in items]
        keys = [zlib.crc32(" ".join(name.lower().split()).encode()) for names in named for name in names]
        starts = np.concatenate([[0], np.cumsum([len(names) for names in named])]).astype(np.int64)
        return Authors(np.array(keys, dtype=np.uint32), starts)

    def part(self, rows: NDArray[np.int64]) -> Authors:
        counts = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        place = np.repeat(self.starts[:-1][rows] - starts[:-1], counts) + np.arange(starts[-1])
        return Authors(self.keys[place], starts)


@dataclass(frozen=True, slots=True)
class Record:
    keys: NDArray[np.uint32]
    """[authors], rising: who occurs on a thumbed item."""
    ups: Floats
    """[authors]: on how many wanted ones."""
    seen: Floats
    """[authors]: on how many at all."""
    rate: float
    """The share of thumbs that are up."""

    @staticmethod
    def fit(authors: Authors, labels: Doubles) -> Record:
        keys, place = np.unique(authors.keys, return_inverse=True)
        said = np.repeat(labels, np.diff(authors.starts))
        ups = np.bincount(place, weights=said, minlength=len(keys)).astype(np.float32)
        seen = np.bincount(place, minlength=len(keys)).astype(np.float32)
        return Record(keys, ups, seen, float(np.clip(labels.mean(), 0.001, 0.999)))

    def numbers(self, authors: Authors, own: Doubles | None = None) -> Floats:
        """[items, COLUMNS]. `own` [items] are the thumbs on these very items, to be left out of what is known of their
        authors; NaN for an item without one."""
        rows = len(authors.starts) - 1
        counts = np.diff(authors.starts)
        row = np.repeat(np.arange(rows), counts)
        place = np.minimum(np.searchsorted(self.keys, authors.keys), max(len(self.keys) - 1, 0))
        known = self.keys[place] == authors.keys if len(self.keys) else np.zeros(len(row), dtype=bool)
        ups = np.where(known, self.ups[place], 0.0) if len(self.keys) else np.zeros(len(row))
        seen = np.where(known, self.seen[place], 0.0) if len(self.keys) else np.zeros(len(row))
        if own is not None:
            mine = own[row]
            ups = np.maximum(ups - np.nan_to_num(mine), 0)
            seen = np.maximum(seen - ~np.isnan(mine), 0)
        wanted = np.log((ups + _SHRINKAGE * self.rate) / ((seen + _SHRINKAGE) * self.rate))
        ends, some = authors.starts[1:][counts > 0] - 1, counts > 0
        found = np.zeros((rows, COLUMNS))
        found[:, 0] = np.log1p(np.bincount(row, weights=ups, minlength=rows))
        found[some, 1] = np.maximum.reduceat(wanted, authors.starts[:-1][some]) if some.any() else 0
        found[:, 2] = np.bincount(row, weights=wanted, minlength=rows) / np.maximum(counts, 1)
        found[some, 3] = wanted[authors.starts[:-1][some]]
        found[some, 4] = wanted[ends]
        found[:, 5] = np.log1p(np.bincount(row, weights=seen, minlength=rows))
        found[some, 6] = np.log1p(np.maximum.reduceat(seen, authors.starts[:-1][some])) if some.any() else 0
        found[:, 7] = np.bincount(row, weights=seen > 0, minlength=rows) / np.maximum(counts, 1)
        return found.astype(np.float32)
