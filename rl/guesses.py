"""Guesses at papers that nobody thumbed: what the embedded policy, fitted to the same thumbs, makes of them.

A few hundred thumbs are too few for a model to find its own way from a text to a taste, where words alone are enough for a linear
policy. So its word on many more papers is learned beside them (distillation), each guess counting as much as it is sure. The
policy sees no thumb that the adapter is not taught. Learning is `rl.thumbs`'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from rl.rewards import Label
from scout import policies
from scout.backtest import Past
from scout.config import Settings
from scout.items import Item
from scout.progress import SILENT, Progress
from scout.store import Store
from scout.triage.policy import Thumbed

CHARS = 400
"""How much of a text is shown: about a third of an abstract, for a third of its time."""
FOLDS = 5
PARTS = 10
_SUREST = 1e-6
_DRAWN = 1.0
"""What a unit of slope costs, where thumbs count 1 in all."""

Fit = Callable[[Sequence[Thumbed], Sequence[Item]], Mapping[str, float]]
"""Thumbs and items in, out by item id what a policy fitted to those thumbs says of each item: the probability of a thumb up."""


def of_reader(
    store: Store, settings: Settings, reader: str, thumbs: Sequence[Thumbed], day: date, *, progress: Progress = SILENT
) -> tuple[tuple[Item, Label], ...]:
    """Guesses at up to `train.guesses` of the newest arrivals before `day` that the reader has said nothing of, by the recipe that
    serves the reader, fitted to `thumbs` as it would have been that morning."""
    past, seed = Past(store, settings, reader), settings.train.seed
    recipe = policies.recipe_of(store.policies.champion(reader))
    thumbed = {thumb.item.id for thumb in past.profile.thumbs}
    free = [item for item in past.corpus(day).recent if item.id not in thumbed and item.title]
    progress.stage("guesses", FOLDS + 1)

    def fit(known: Sequence[Thumbed], items: Sequence[Item]) -> dict[str, float]:
        decisions = past.fit(recipe, day, thumbs=known).decide(items)
        progress.step(recipe)
        return {item.id: decision.probability for item, decision in zip(items, decisions, strict=True)}

    said = out_of_fold(thumbs, fit, seed=seed)
    return spread(fit(thumbs, free), said, free, thumbs, settings.train.guesses, seed=seed)


def spread(
    thought: Mapping[str, float], said: Mapping[str, float], free: Sequence[Item], thumbs: Sequence[Thumbed], count: int, *,
    seed: int,
) -> tuple[tuple[Item, Label], ...]:  # fmt: skip
    """Up to `count` of the free items, spread evenly over where they stand among the thumbs, each with what is guessed of it.

    A guess is up where the thumbs' odds, brought to as many up as down, are better than even. It is sure by how far from even they are:
    by nothing at all, where the policy has learned nothing.

    Args:
        thought: by item id the policy's probability of each free item.
        said: of each thumb, out of fold.
    """
    stands = standings({**said, **thought}, thumbs)
    draw = np.random.default_rng(seed)
    part_of = np.minimum(PARTS - 1, (PARTS * np.array([stands[item.id] for item in free])).astype(int))
    chosen = sorted(
        place
        for part in range(PARTS)
        for place in draw.permutation(np.flatnonzero(part_of == part))[: -(-count // PARTS)].tolist()
    )
    scaled = _even([said[thumb.item.id] for thumb in thumbs], [thumb.up for thumb in thumbs])
    chances = scaled([thought[free[place].id] for place in chosen])
    return tuple(
        (free[place], Label(up=chance > 0.5, sure=abs(2 * chance - 1)))
        for place, chance in zip(chosen, chances, strict=True)
    )


def out_of_fold(thumbs: Sequence[Thumbed], fit: Fit, *, seed: int) -> dict[str, float]:
    """What a policy says of each thumb that it was not taught.

    A score of what a policy was fitted to is better than any it will give later; who is shown such scores learns to trust them
    too much.
    """
    said: dict[str, float] = {}
    place = np.random.default_rng(seed).permutation(len(thumbs)) % FOLDS
    for fold in range(FOLDS):
        others = [thumb for thumb, its in zip(thumbs, place.tolist(), strict=True) if its != fold]
        held = [thumb.item for thumb, its in zip(thumbs, place.tolist(), strict=True) if its == fold]
        said |= fit(others, held)
    return said


def standings(said: Mapping[str, float], thumbs: Sequence[Thumbed]) -> dict[str, float]:
    """[0, 1] for each item the share of the thumbs' probabilities that are below its own, ties counted half.

    Probabilities of a calibrated policy are small where few papers are wanted (half of them below 8% for `hf_daily`), and are told
    apart in their first digits alone; their order is what a model is to learn from.
    """
    known = np.sort([said[thumb.item.id] for thumb in thumbs])
    places = (np.searchsorted(known, list(said.values()), side) for side in ("left", "right"))
    return dict(zip(said, ((below + upto) / 2 / len(known) for below, upto in zip(*places, strict=True)), strict=True))


def _even(said: Sequence[float], up: Sequence[bool]) -> Callable[[Sequence[float]], list[float]]:
    """From what a policy says to the probability of a thumb up, were there as many up as down: Platt's scaling, both kinds of
    thumbs counting alike, and a slope drawn to 0 by a little, so that few thumbs that happen to lie apart are no proof."""
    logits, ups = _logits(said), np.array(up)
    weights = np.where(ups, 0.5 / ups.sum(), 0.5 / (~ups).sum())

    def loss(point: NDArray[np.float64]) -> float:
        slope, shift = point
        scaled = slope * logits + shift
        return float(weights @ np.logaddexp(0, np.where(ups, -scaled, scaled)) + _DRAWN * slope**2 / len(ups))

    slope, shift = optimize.minimize(loss, np.zeros(2)).x
    return lambda probabilities: special.expit(slope * _logits(probabilities) + shift).tolist()


def _logits(probabilities: Sequence[float]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = special.logit(np.clip(probabilities, _SUREST, 1 - _SUREST))
    return found
