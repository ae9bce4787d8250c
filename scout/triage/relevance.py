"""How likely a reader wants an item: a logistic model in three layers, each starting from the one before.

    logit = base rate + how well it matches the followed subjects + what the community picks + the reader's own weights

The first layer needs no thumb, the second is shared by all readers, the third is what this reader's thumbs taught: words,
authors, categories and subjects with a Gaussian prior around zero, and how far to trust the first two layers. This module
holds the mathematics; `linear` makes a policy of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from scout.triage import logistic, refinement
from scout.triage.boosting import Growth
from scout.triage.calibration import Scaling, platt
from scout.triage.features import WIDTH, Floats, Matrix
from scout.triage.logistic import Dense, Doubles, Fitted
from scout.triage.refinement import Refinement, Sight
from scout.triage.training import Labelled

MATCH, COMMUNITY = 1.2, 0.5
"""Before any thumb: the log-odds that one standard deviation of subject match is worth, and the share of the community's
log-odds that a new reader is taken to have."""
LOOSE_SIGMA, LOOSE_LIMIT, LOOSE_THUMBS = 0.12, 1.2, 10
"""How far thumbs may move these two and the base rate. A first thumb is about its item, not about everything, so they are
held tight at first and let go as thumbs become many."""
SUBJECT_SIGMA, SUBJECT_THUMBS = 3.0, 20
"""Which subject an item is in tells most while there are few thumbs; by some hundreds the words tell it better, and so the
width of this prior falls with their number: 2.5 for ten thumbs, .9 for two hundred."""
WIDTH_AT_FIRST, WIDTH_THUMBS = 2.5, 6000
"""By what the prior of the reader's own words is widened: few thumbs must be felt, thousands need restraint."""
FOLDS = 3
CROSSED = 3
"""Parts that thumbs are cut into for the refinement, each scored by a model of the others."""
Fit = Callable[[Labelled, Fitted | None, float], Fitted]
"""Labelled rows, a model to start from and a tolerance in; a model out."""
_FEWEST = 10
"""Thumbs from which it makes sense to hold some out."""
_STILL = 2e-3
"""Weights smaller than this are dropped: they change no score, and fill the database."""


@dataclass(frozen=True, slots=True)
class Match:
    """Evidence for the followed subjects as one number an item, of mean 0 and spread 1 over a usual day."""

    followed: NDArray[np.bool_]
    """[subjects]"""
    centres: Doubles
    """[subjects]"""
    spread: float

    @staticmethod
    def fit(followed: NDArray[np.bool_], evidence: Doubles) -> Match:
        """`evidence` [items, subjects] of recent items; with few of them, drawn to what is usual."""
        bent = np.logaddexp(0, evidence) * followed
        trust = len(bent) / (len(bent) + 20)
        centres = np.asarray(0.9 * (1 - trust) * followed, dtype=np.float64)
        if len(bent):
            centres = np.asarray(centres + trust * bent.mean(axis=0), dtype=np.float64)
        measured = float(bent.sum(axis=1).std()) if len(bent) else 0.0
        return Match(followed, centres, max(0.3, trust * measured + (1 - trust) * 1.5))

    def parts(self, evidence: Doubles) -> Doubles:
        """[items, subjects]: each subject's part in the match; an unfollowed one has none."""
        parts: Doubles = (np.logaddexp(0, evidence) * self.followed - self.centres) / self.spread
        total = parts.sum(axis=1, keepdims=True)
        # Items that hit everything at once are bent back to three spreads and a bit, part by part.
        bend = np.where(total > 3, (3 + np.log1p(np.maximum(total - 3, 0))) / np.maximum(total, 1e-9), 1.0)
        return parts * bend


@dataclass(frozen=True, slots=True)
class Community:
    """The shared prior: log-odds of being picked, 0 for a usual item."""

    weights: Floats
    """[WIDTH]"""
    centre: float = 0.0
    picks: int = 0

    def scores(self, features: Matrix) -> Doubles:
        found: Doubles = (features @ self.weights).astype(np.float64) - self.centre
        return found


def fit_community(features: Matrix, said: Labelled, usual: NDArray[np.int64]) -> tuple[Community, Doubles]:
    """Learned from picks and from other readers' thumbs; nothing where they are all of one kind.

    Also, for each row of `features`, what its score owes to what was said of that row itself.
    """
    owed = np.zeros(features.shape[0])
    if not 0 < said.labels.sum() < len(said.labels):
        return Community(np.zeros(WIDTH, dtype=np.float32)), owed
    rate = float(said.weights @ said.labels / said.weights.sum())
    base = Dense(np.ones((len(said.rows), 1)), np.array([special.logit(rate)]), np.array([2.0]))
    rows = features[said.rows]
    found = logistic.fit(rows, said.labels, said.weights, base)
    weights = _settled(found.sparse)
    np.add.at(owed, said.rows, own_part(rows, said, rows @ weights + found.dense[0], width=1.0))
    centre = float((features[usual] @ weights).mean()) if len(usual) else 0.0
    return Community(weights, centre, int(said.labels.sum())), owed


def own_part(features: Matrix, said: Labelled, logits: Doubles, *, width: float) -> Doubles:
    """What each logit owes to its own label: to first order weight · (label - probability) · x' H⁻¹ x.

    Of the Hessian H the diagonal is enough: hashed words of one item seldom share their others.
    """
    shares = special.expit(logits)
    bend = (said.weights * shares * (1 - shares)).astype(np.float32)
    squares = features.copy()
    squares.data **= 2
    hessian = width**-2.0 + squares.T @ bend
    found: Doubles = said.weights * (said.labels - shares) * (squares @ (1 / hessian))
    return found


@dataclass(frozen=True, slots=True)
class Layers:
    """What the first two layers say of some items: the dense columns of the reader's model."""

    match: Doubles
    """[items]"""
    community: Doubles
    """[items]"""
    shares: Doubles
    """[items, subjects + 1]"""

    def part(self, rows: NDArray[np.int64]) -> Layers:
        return Layers(self.match[rows], self.community[rows], self.shares[rows])

    def columns(self) -> Doubles:
        return np.column_stack([np.ones(len(self.match)), self.match, self.community, self.shares])


@dataclass(frozen=True, slots=True)
class Taste:
    """The reader's model: weights of the three layers, and the scale on which its logits are true."""

    own: Floats
    """[WIDTH]"""
    base: float
    match: float
    community: float
    subjects: Doubles
    """[subjects + 1]"""
    scaling: Scaling
    """Of the logits as they are served, refined or not."""
    refinement: Refinement | None = None
    forward: tuple[tuple[date | None, float, bool], ...] = field(default=())
    """(day, probability before the thumb was known, thumb) of each held-out thumb."""

    def logits(self, features: Matrix, layers: Layers) -> Doubles:
        """Of the linear model alone, before refinement and scaling."""
        dense = np.concatenate([[self.base, self.match, self.community], self.subjects])
        found: Doubles = (features @ self.own).astype(np.float64) + layers.columns() @ dense
        return found

    def scaled(self, linear: Doubles, sight: Sight | None, own: Doubles | None = None) -> Doubles:
        """What `logits` becomes in the end. `own` as in `Record.numbers`."""
        refined = self.refinement.logits(linear, sight, own) if self.refinement and sight else linear
        return self.scaling.slope * refined + self.scaling.shift


@dataclass(frozen=True, slots=True)
class Known:
    """All there is to learn a taste from: what can be seen of the pool's items."""

    features: Matrix
    layers: Layers
    sight: Sight | None
    """None for a recipe that refines nothing."""


def fit_taste(
    known: Known, thumbs: Labelled, liked: Labelled, *, usual: Layers, rate: float, growth: Growth | None
) -> Taste:
    """The reader's model. `usual` are the layers of recent items: before any thumb, the mean probability there is `rate`."""
    features, layers = known.features, known.layers
    base = _base(MATCH * usual.match + COMMUNITY * usual.community, rate)
    classes = layers.shares.shape[1]
    mean = np.array([base, MATCH, COMMUNITY, *[0.0] * classes])

    def fitted(said: Labelled, start: Fitted | None, tolerance: float) -> Fitted:
        loose = min(LOOSE_LIMIT, LOOSE_SIGMA * (1 + len(said.rows) / LOOSE_THUMBS) ** 0.5)
        narrow = SUBJECT_SIGMA / (1 + len(said.rows) / SUBJECT_THUMBS) ** 0.5
        sigma = np.array([loose, loose, loose, *[narrow] * classes])
        dense = Dense(layers.part(said.rows).columns(), mean, sigma)
        return logistic.fit(
            features[said.rows], said.labels, said.weights, dense,
            width=width_of(len(said.rows)), start=start, tolerance=tolerance,
        )  # fmt: skip

    held_out, model, is_refined = _forward(known, thumbs, liked, fitted, growth)
    # Refined logits stand on a scale of their own, on which those of the linear model alone say nothing.
    scaling = platt(held_out[-1:] if is_refined else held_out)
    everything = thumbs.join(liked)
    if not len(everything.rows):
        return Taste(np.zeros(WIDTH, dtype=np.float32), base, MATCH, COMMUNITY, np.zeros(classes), scaling)
    final = fitted(everything, model, logistic.EXACT)
    foreseen = [value for logits, _ in held_out for value in scaling.probability(logits).tolist()]
    started = len(thumbs.rows) - len(foreseen)
    labels = (thumbs.labels[started:] > 0).tolist()
    forward = tuple(zip(thumbs.days[started:], foreseen, labels, strict=True))
    return Taste(
        _settled(final.sparse), float(final.dense[0]), float(final.dense[1]), float(final.dense[2]), final.dense[3:],
        scaling, _refined(known, thumbs, liked, fitted, growth), forward,
    )  # fmt: skip


def _refined(known: Known, said: Labelled, liked: Labelled, fitted: Fit, growth: Growth | None) -> Refinement | None:
    """What is added to a model of `said`: learned from scores of models that had not seen the thumb they score.

    To first order these are what `own_part` gives, but the trees learned from those were worse; see docs/triage.md.
    """
    if known.sight is None or growth is None or not refinement.is_enough(said):
        return None
    fold = np.arange(len(said.rows)) % CROSSED
    logits = np.zeros(len(said.rows))
    for held in range(CROSSED):
        model = fitted(said.where(fold != held).join(liked), None, logistic.ROUGH)
        logits[fold == held] = _linear(model, known, said.rows[fold == held])
    return refinement.fit(logits, known.sight.part(said.rows), said, growth)


def _linear(model: Fitted, known: Known, rows: NDArray[np.int64]) -> Doubles:
    own: Doubles = (known.features[rows] @ model.sparse.astype(np.float32)).astype(np.float64)
    return own + known.layers.part(rows).columns() @ model.dense


def width_of(thumbs: int) -> float:
    """How much wider than the features' own scale the prior of the reader's weights is."""
    return max(1.0, WIDTH_AT_FIRST / math.sqrt(1 + thumbs / WIDTH_THUMBS))


def _forward(
    known: Known, thumbs: Labelled, liked: Labelled, fitted: Fit, growth: Growth | None
) -> tuple[list[tuple[Doubles, Doubles]], Fitted | None, bool]:
    """Logits and labels of the later thumbs, fold by fold, each scored by a model that saw only earlier ones.

    Also the last of these models, from which the final one is not far, and whether it was refined.
    """
    count = len(thumbs.rows)
    if count < _FEWEST:
        return [], None, False
    cuts = [count * fold // (FOLDS + 1) for fold in range(1, FOLDS + 2)]
    found = []
    model: Fitted | None = None
    added: Refinement | None = None
    for begin, end in pairwise(cuts):
        seen, rows = thumbs.first(begin), thumbs.rows[begin:end]
        model = fitted(seen.join(liked), model, logistic.ROUGH)
        logits = _linear(model, known, rows)
        # The newest alone: it is the one that the scale of what serves is read from, and refining them all takes long.
        added = _refined(known, seen, liked, fitted, growth) if end == count else None
        if added and known.sight:
            logits = added.logits(logits, known.sight.part(rows))
        found.append((logits, thumbs.labels[begin:end]))
    return found, model, added is not None


def _base(offsets: Doubles, rate: float) -> float:
    """The intercept with which the mean probability is `rate`."""
    if not len(offsets):
        return float(special.logit(rate)) - 0.5  # the mean of a sigmoid lies above the sigmoid of the mean

    def excess(base: float) -> float:
        return float(special.expit(base + offsets).mean()) - rate

    return float(optimize.brentq(excess, -30.0, 30.0, xtol=1e-6))


def _settled(weights: Doubles) -> Floats:
    kept = np.where(np.abs(weights) < _STILL, 0, weights)
    return kept.astype(np.float16).astype(np.float32)
