"""Vectors that a served model made of items, as one more block of features: where items lie in that model's eyes.

A model's vectors have hundreds of dimensions that say much the same; of those, the directions along which the installation's own
items differ most are kept (principal components). Vectors come in as data: who asks the model, and where they are kept, is
`scout.embedding`'s and the store's. An item without a vector stands in the middle, where this block says nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scout.items import ItemId

Floats = NDArray[np.float32]
DIRECTIONS = 64
FEWEST = 200
"""Items with a vector below which the block stays empty."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """What one model made of some items."""

    model: str = ""
    of: Mapping[ItemId, Floats] = field(default_factory=dict)
    """[dimensions] each."""


NONE = Vectors()


@dataclass(frozen=True, slots=True)
class Projection:
    """From a model's vectors to the columns of the block."""

    model: str
    """Whose vectors it takes; empty for one that takes none."""
    centre: Floats
    """[dimensions]"""
    directions: Floats
    """[dimensions, DIRECTIONS]"""

    @staticmethod
    def none() -> Projection:
        return Projection("", np.zeros(0, np.float32), np.zeros((0, DIRECTIONS), np.float32))

    @staticmethod
    def fit(vectors: Vectors, ids: Sequence[ItemId]) -> Projection:
        """Principal components of these items' vectors; none where too few have one."""
        known = [vectors.of[id] for id in ids if id in vectors.of]
        if len(known) < FEWEST or len({len(vector) for vector in known}) > 1:
            return Projection.none()
        table = np.array(known, dtype=np.float64)
        centre = table.mean(axis=0)
        spread, axes = np.linalg.eigh(np.cov(table - centre, rowvar=False))
        largest = np.argsort(-spread, kind="stable")[:DIRECTIONS]
        directions = np.zeros((table.shape[1], DIRECTIONS))
        directions[:, : len(largest)] = axes[:, largest] / np.maximum(spread[largest], 1e-12) ** WHITENED
        # What is stored serves: rounded here, so that a fit and its bytes agree.
        return Projection(vectors.model, centre.astype(np.float32), directions.astype(np.float32))

    def places(self, ids: Sequence[ItemId], vectors: Vectors) -> Floats:
        """[ids, DIRECTIONS]: of length 1, or 0 for an item without a vector of this model."""
        found = np.zeros((len(ids), DIRECTIONS), dtype=np.float32)
        if not self.model or vectors.model != self.model:
            return found
        rows = [
            row for row, id in enumerate(ids) if id in vectors.of and len(vectors.of[id]) == len(self.centre)
        ]  # fmt: skip
        if rows:
            seen = (np.array([vectors.of[ids[row]] for row in rows]) - self.centre) @ self.directions
            found[rows] = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
        return found


WHITENED = 0.25
"""By which power of their variance directions are divided: 0 leaves the few largest alone to speak, 0.5 makes all alike."""
