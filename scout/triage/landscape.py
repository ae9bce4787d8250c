"""Where an item lies among all others: a few directions of words that go together, learned from the items at hand.

Latent semantic analysis (Deerwester et al. 1990) of the commoner words and pairs of words: the installation's own
embedding, with nothing to download. It lets a thumb on one paper be felt by papers that say the same in other words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Matrix = Any
"""scipy.sparse.csr_matrix, float32."""
Floats = NDArray[np.float32]

DIRECTIONS = 48
_WORDS = 12_000
_ITEMS = 8000
"""About how many items are looked at: more of them change little."""
_FEWEST = 500
"""Items below which there is no landscape to see."""
_SPARE, _ROUNDS, _SEED = 16, 3, 2025


@dataclass(frozen=True, slots=True)
class Landscape:
    words: NDArray[np.int32]
    """[words]: columns of the text block, rising."""
    directions: Floats
    """[words, directions]"""
    centre: Floats
    """[directions]: the mean place."""

    @staticmethod
    def none() -> Landscape:
        return Landscape(np.zeros(0, np.int32), np.zeros((0, 0), np.float32), np.zeros(0, np.float32))

    @staticmethod
    def fit(features: Sequence[Matrix], end: int) -> Landscape:
        """From the tf-idf of items, which is in the columns before `end`.

        Randomized range finder with power iterations (Halko, Martinsson and Tropp 2011).
        """
        count = sum(part.shape[0] for part in features)
        if count < _FEWEST:
            return Landscape.none()
        seen = sparse.vstack([part[:: -(-count // _ITEMS), :end] for part in features]).tocsr()
        frequency = np.bincount(seen.indices, minlength=seen.shape[1])
        common = np.sort(np.argsort(-frequency, kind="stable")[:_WORDS])
        words: NDArray[np.int32] = common[frequency[common] > 1].astype(np.int32)
        if len(words) < 4 * DIRECTIONS:
            return Landscape.none()
        table = _columns(seen, words)
        basis = np.random.default_rng(_SEED).standard_normal((len(words), DIRECTIONS + _SPARE)).astype(np.float32)
        for _ in range(_ROUNDS):
            basis, _ = np.linalg.qr(table.T @ (table @ basis))
        _, _, axes = np.linalg.svd(table @ basis, full_matrices=False)
        # What is stored serves: rounded here, so that a fit and its bytes agree.
        directions = (basis @ axes[:DIRECTIONS].T).astype(np.float16).astype(np.float32)
        found = Landscape(words, directions, np.zeros(DIRECTIONS, np.float32))
        return Landscape(words, directions, found.places(seen).mean(axis=0).astype(np.float32))

    def places(self, text: Matrix) -> Floats:
        """[rows, directions]: of length 1 before the mean is taken off; 0 for a row without a word of these."""
        found = np.asarray(_columns(text, self.words) @ self.directions)
        size = np.linalg.norm(found, axis=1, keepdims=True)
        placed: Floats = np.where(size > 0, found / np.maximum(size, 1e-9) - self.centre, 0).astype(np.float32)
        return placed


def _columns(text: Matrix, words: NDArray[np.int32]) -> Matrix:
    """`text` with these columns alone; columns beyond the last one are none of them."""
    place = np.full(text.shape[1], -1, dtype=np.int32)
    place[words] = np.arange(len(words), dtype=np.int32)
    column = place[text.indices]
    kept = column >= 0
    starts = np.concatenate([[0], np.cumsum(kept)])[text.indptr].astype(np.int32)
    return sparse.csr_matrix((text.data[kept], column[kept], starts), shape=(text.shape[0], len(words)))
