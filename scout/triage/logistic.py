"""Regularised logistic and softmax regression on sparse features. Shrinkage lives in the features' scale.

Solved by truncated Newton: the problems are convex and smooth, a product with the Hessian costs as much as a gradient, and
nothing but a few vectors is kept. On 10,000 thumbs L-BFGS-B takes twice the time, most of it in its own vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from scout.triage.features import Matrix

Doubles = NDArray[np.float64]
EXACT, ROUGH = 1e-3, 1e-2
"""How small the slope must become, as a share of what it is at zero. Rare positives need the first; see docs/triage.md."""
Product = Callable[[Doubles], Doubles]


@dataclass(frozen=True, slots=True)
class Dense:
    """A few dense columns beside the sparse ones, each weight with a prior of its own: w ~ N(mean, sigma²)."""

    values: Doubles
    """[rows, columns]"""
    mean: Doubles
    sigma: Doubles


@dataclass(frozen=True, slots=True)
class Fitted:
    sparse: Doubles
    """[columns of X]: weights of the sparse features."""
    dense: Doubles
    """[dense columns]"""


@dataclass(frozen=True, slots=True)
class Here:
    """A function to minimise, as it looks at one point."""

    value: float
    slope: Doubles
    curve: Product
    """Multiplies by the Hessian."""
    diagonal: Doubles | float
    """Of the Hessian, or near it: what conjugate gradients are preconditioned with."""


def fit(
    matrix: Matrix, labels: Doubles, weights: Doubles, dense: Dense, *, width: float = 1.0, start: Fitted | None = None,
    tolerance: float = EXACT,
) -> Fitted:  # fmt: skip
    """The weights that minimise  sum weights · logloss + |sparse/width|²/2 + |(dense - mean)/sigma|²/2.

    `labels` are 0 or 1. Deterministic. Only columns that occur are fitted; the others keep weight 0.
    """
    columns, (small, active) = matrix.shape[1], _compact(matrix)
    del matrix  # often made for this call alone, and as large as all that follows
    count = len(active)
    scaled = dense.values * dense.sigma
    fixed = dense.values @ dense.mean

    def forward(point: Doubles) -> Doubles:
        found: Doubles = width * (small @ point[:count].astype(np.float32)) + scaled @ point[count:]
        return found

    def backward(rows: Doubles) -> Doubles:
        return np.concatenate([width * (small.T @ rows.astype(np.float32)), rows @ scaled])

    squared = type(small)((small.data**2, small.indices, small.indptr), shape=small.shape)

    def diagonal(bend: Doubles) -> Doubles:
        return 1 + np.concatenate([width**2 * (squared.T @ bend.astype(np.float32)), bend @ scaled**2])

    def look(point: Doubles) -> Here:
        logit = forward(point) + fixed
        share = special.expit(logit)
        value = float(weights @ (np.logaddexp(0, logit) - labels * logit) + 0.5 * (point @ point))
        bend = weights * share * (1 - share)
        slope = backward(weights * (share - labels)) + point
        return Here(value, slope, lambda d: backward(bend * forward(d)) + d, diagonal(bend))

    first = np.zeros(count + scaled.shape[1])
    if start is not None:
        first[:count] = start.sparse[active] / width
        first[count:] = (start.dense - dense.mean) / dense.sigma
    found = newton(look, first, tolerance=tolerance)
    sparse_weights = np.zeros(columns)
    sparse_weights[active] = width * found[:count]
    return Fitted(sparse_weights, dense.mean + found[count:] * dense.sigma)


def fit_softmax(matrix: Matrix, labels: NDArray[np.int64], offsets: Doubles) -> Doubles:
    """[columns of X, classes]: corrections to the logits `offsets` [rows, classes], ridge 1 on every weight."""
    small, active = _compact(matrix)
    shape = (len(active), offsets.shape[1])
    wanted = np.eye(shape[1])[labels]

    def forward(point: Doubles) -> Doubles:
        found: Doubles = (small @ point.reshape(shape).astype(np.float32)).astype(np.float64)
        return found

    def backward(rows: Doubles) -> Doubles:
        found: Doubles = (small.T @ rows.astype(np.float32)).astype(np.float64).ravel()
        return found

    def look(point: Doubles) -> Here:
        log_share = special.log_softmax(forward(point) + offsets, axis=1)
        share = np.exp(log_share)

        def curve(direction: Doubles) -> Doubles:
            moved = share * forward(direction)
            return backward(moved - share * moved.sum(axis=1, keepdims=True)) + direction

        value = float(0.5 * (point @ point) - (wanted * log_share).sum())
        return Here(value, backward(share - wanted) + point, curve, 1.0)

    table = np.zeros((matrix.shape[1], shape[1]))
    table[active] = newton(look, np.zeros(shape[0] * shape[1]), tolerance=ROUGH).reshape(shape)
    return table


def newton(look: Callable[[Doubles], Here], start: Doubles, *, tolerance: float, steps: int = 30) -> Doubles:
    """The minimum of a convex function, to where its slope is `tolerance` of what it was at zero.

    Truncated Newton with backtracking (Nocedal and Wright, Numerical Optimization, algorithm 7.1).
    """
    point = start
    here = look(point)
    first = float(np.linalg.norm(look(np.zeros_like(start)).slope))
    goal = tolerance * max(1.0, first)
    for _ in range(steps):
        size = float(np.linalg.norm(here.slope))
        if size <= goal:
            break
        # No closer than the step is worth: roughly far from the minimum, and never much beyond the goal.
        direction = _towards(here, max(min(0.25, (size / first) ** 0.5), 0.5 * goal / size) * size)
        fall = float(here.slope @ direction)
        length = 1.0
        while length > 1e-4:
            there = look(point + length * direction)
            if there.value <= here.value + 1e-4 * length * fall:
                break
            length /= 2
        else:
            break  # as low as float32 products can tell
        point, here = point + length * direction, there
    return point


def _towards(here: Here, goal: float) -> Doubles:
    """The Newton direction, by preconditioned conjugate gradients, to where no more than `goal` of the slope is left."""
    direction = np.zeros_like(here.slope)
    left = -here.slope
    eased = left / here.diagonal
    probe = eased.copy()
    before = float(left @ eased)
    for _ in range(60):
        curved = here.curve(probe)
        step = before / float(probe @ curved)
        direction += step * probe
        left -= step * curved
        if float(left @ left) <= goal * goal:
            break
        eased = left / here.diagonal
        now = float(left @ eased)
        probe *= now / before
        probe += eased
        before = now
    return direction


def _compact(matrix: Matrix) -> tuple[Matrix, NDArray[np.int64]]:
    """`matrix` with the columns that occur alone, and which those are."""
    active = np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]))
    place = np.zeros(matrix.shape[1], dtype=np.int32)
    place[active] = np.arange(len(active))
    small = type(matrix)((matrix.data, place[matrix.indices], matrix.indptr), shape=(matrix.shape[0], len(active)))
    return small, active
