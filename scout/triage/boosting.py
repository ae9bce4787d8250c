"""Boosted trees over a few dense columns: what a sum of words cannot say, added to the logits of a linear model.

Each tree asks the same question of every row at a depth (an oblivious tree), which makes it small, quick to apply to whole
batches, and hard to fit noise with. What a tree adds is the sum of its steps down the path, each step owed to the column it
asked about (Saabas 2014), so a score can be taken apart exactly. Fitting follows Friedman (2001) with second-order leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from scout.triage.features import Floats
from scout.triage.logistic import Doubles

BINS = 32
_SEED = 2025


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees are grown; chosen in docs/triage.md."""

    trees: int = 120
    depth: int = 4
    rate: float = 0.05
    ridge: float = 5.0
    columns: float = 0.4
    """The share of the columns that a tree may ask about."""
    common: float = 0.4
    """The share of the rows of the more common label that a tree sees, each counting for the ones left out."""


@dataclass(frozen=True, slots=True)
class Trees:
    columns: NDArray[np.int16]
    """[trees, depth]: the column each depth asks about."""
    cuts: Floats
    """[trees, depth]: above the cut is the right branch."""
    steps: Floats
    """[trees, 2^(depth + 1)]: the log-odds at each node; node n has the children 2n and 2n + 1, the root is 1."""

    @staticmethod
    def none() -> Trees:
        return Trees(np.zeros((0, 1), np.int16), np.zeros((0, 1), np.float32), np.zeros((0, 4), np.float32))

    def scores(self, dense: Floats) -> Doubles:
        """[rows]: what all trees add."""
        node = np.ones((len(dense), len(self.columns)), dtype=np.int32)
        for depth in range(self.columns.shape[1]):
            node = 2 * node + (dense[:, self.columns[:, depth]] > self.cuts[:, depth])
        found: Doubles = self.steps[np.arange(len(self.columns)), node].sum(axis=1, dtype=np.float64)
        return found

    def parts(self, dense: Floats, groups: NDArray[np.int64], count: int) -> Doubles:
        """[rows, count]: the same by the group of the column that each step asked about, roots left out."""
        rows = np.arange(len(dense))[:, None] * count
        node = np.ones((len(dense), len(self.columns)), dtype=np.int32)
        tree = np.arange(len(self.columns))
        before = np.broadcast_to(self.steps[:, 1], node.shape)
        found = np.zeros(len(dense) * count)
        for depth in range(self.columns.shape[1]):
            asked = self.columns[:, depth]
            node = 2 * node + (dense[:, asked] > self.cuts[:, depth])
            here = self.steps[tree, node]
            owner = (rows + groups[asked]).ravel()
            found += np.bincount(owner, weights=(here - before).ravel(), minlength=len(found))
            before = here
        return found.reshape(len(dense), count)

    def root(self) -> float:
        """What all trees add to every item alike."""
        return float(self.steps[:, 1].sum(dtype=np.float64))


def fit(dense: Floats, labels: Doubles, weights: Doubles, logits: Doubles, growth: Growth) -> Trees:
    """Trees that bring `logits` [rows] nearer to `labels` (0 or 1). Deterministic."""
    edges = [_edges(column) for column in dense.T]
    asked = np.array([place for place, found in enumerate(edges) if len(found)], dtype=np.int64)
    if not len(asked) or not 0 < labels.sum() < len(labels):
        return Trees.none()
    bins = np.array([len(edges[place]) for place in asked])
    codes = np.column_stack([np.searchsorted(edges[place], dense[:, place]) for place in asked]).astype(np.int32)
    rng = np.random.default_rng(_SEED)
    rare = labels if labels.mean() < 0.5 else 1 - labels
    width = max(1, round(growth.columns * len(asked)))
    logits, shape = logits.astype(np.float64).copy(), (growth.trees, growth.depth)
    columns, cuts = np.zeros(shape, np.int16), np.zeros(shape, np.float32)
    steps = np.zeros((growth.trees, 2 << growth.depth), np.float32)
    for tree in range(growth.trees):
        drawn = np.flatnonzero((rare > 0) | (rng.random(len(labels)) < growth.common))
        allowed = np.sort(rng.choice(len(asked), width, replace=False))
        share = special.expit(logits[drawn])
        count = weights[drawn] * np.where(rare[drawn] > 0, 1.0, 1 / growth.common)
        slope, bend = count * (labels[drawn] - share), count * share * (1 - share)
        questions = _grow(codes[np.ix_(drawn, allowed)], bins[allowed], slope, bend, growth)
        node = np.ones(len(labels), dtype=np.int64)
        for depth, (place, cut) in enumerate(questions):
            column = allowed[place]
            columns[tree, depth], cuts[tree, depth] = asked[column], edges[asked[column]][cut]
            node = 2 * node + (codes[:, column] > cut)
        steps[tree] = _steps(node[drawn], slope, bend, growth)
        logits += steps[tree][node]
    return Trees(columns, cuts, steps)


def _edges(column: Floats) -> Floats:
    """Values that cut a column into up to `BINS` parts of about the same size; none where it is constant."""
    found: Floats = np.unique(np.quantile(column, np.arange(1, BINS) / BINS, method="lower")).astype(np.float32)
    below: Floats = found[found < column.max()]
    return below


def _grow(
    codes: NDArray[np.int32], cuts: NDArray[np.int64], slope: Doubles, bend: Doubles, growth: Growth
) -> list[tuple[int, int]]:
    """The (column, bin) asked about at each depth: the cut that, made in every leaf, explains most."""
    rows, width = codes.shape
    leaf = np.zeros(rows, dtype=np.int32)
    flat = codes + np.arange(width, dtype=np.int32) * BINS
    slopes, bends = np.repeat(slope, width), np.repeat(bend, width)
    possible = np.arange(BINS) < cuts[:, None]
    found = []
    for depth in range(growth.depth):
        size = (1 << depth) * width * BINS
        place = (flat + (leaf * (width * BINS))[:, None]).ravel()
        sums = np.bincount(place, weights=slopes, minlength=size).reshape(-1, width, BINS).cumsum(axis=2)
        curves = np.bincount(place, weights=bends, minlength=size).reshape(-1, width, BINS).cumsum(axis=2)
        right, right_curve = sums[:, :, -1:] - sums, curves[:, :, -1:] - curves
        gain = (sums**2 / (curves + growth.ridge) + right**2 / (right_curve + growth.ridge)).sum(axis=0)
        column, cut = divmod(int(np.where(possible, gain, -1).argmax()), BINS)
        found.append((column, cut))
        leaf = 2 * leaf + (codes[:, column] > cut)
    return found


def _steps(node: NDArray[np.int64], slope: Doubles, bend: Doubles, growth: Growth) -> Floats:
    """The value of each node: of a leaf one damped Newton step, above it the mean of what lies below."""
    size = 2 << growth.depth
    curve = np.bincount(node, weights=bend, minlength=size)
    value = growth.rate * np.bincount(node, weights=slope, minlength=size) / (curve + growth.ridge)
    for parent in range(size // 2 - 1, 0, -1):
        left, right = 2 * parent, 2 * parent + 1
        curve[parent] = curve[left] + curve[right]
        value[parent] = (value[left] * curve[left] + value[right] * curve[right]) / max(curve[parent], 1e-12)
    return value.astype(np.float32)
