"""Which of the shown items a reader should be asked to thumb: where one thumb would teach most.

    worth = uncertainty · density · novelty

Uncertainty is how near an item is to the line between reading and not (uncertainty sampling, Lewis and Gale 1994), density
how much of the day is like it (Settles and Craven 2008), novelty how unlike it is to what was thumbed lately and to the
items already asked for (maximal marginal relevance, Carbonell and Goldstein 1998). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse, special

from scout.items import Decision, Item, ItemId, Lane
from scout.triage import tokens
from scout.triage.features import TITLE, Matrix, Space, counts
from scout.triage.logistic import Doubles

KNOWN = 200
"""The newest thumbed items that novelty is measured against."""
REPEAT = 0.8
"""From this likeness on, an item is the same thing again and is not asked for."""
_CROWD = 400


def choose(
    shown: Sequence[tuple[Item, Decision]], others: Sequence[Item], known: Sequence[Item], *, most: int
) -> tuple[ItemId, ...]:
    """The ids of at most `most` of `shown`, the most telling first.

    `others` are further items of the day, which make up its crowd; `known` those that the reader thumbed, newest first.
    """
    if most <= 0 or not shown:
        return ()
    items = [item for item, _ in shown]
    day = [*items, *others[:_CROWD]]
    words = _words([*day, *known[:KNOWN]])
    asked, crowd = words[: len(items)], words[: len(day)]
    density = np.asarray((asked @ crowd.T).mean(axis=1), dtype=np.float64).ravel()
    nearest = _nearest(asked, words[len(day) :])
    worth = uncertainty([decision for _, decision in shown]) * np.sqrt(density / max(float(density.max()), 1e-9))
    found: list[int] = []
    for _ in range(min(most, len(items))):
        scores = worth * (1 - nearest)
        scores[(nearest >= REPEAT) | np.isin(np.arange(len(items)), found)] = -1
        best = int(scores.argmax())
        if scores[best] <= 0:
            break
        found.append(best)
        nearest = np.maximum(nearest, _nearest(asked, asked[[best]]))
    return tuple(items[place].id for place in found)


def uncertainty(decisions: Sequence[Decision]) -> Doubles:
    """1 on the line between the lanes, falling to 0 away from it: 4 · s · (1 - s), s the logistic of the distance to it."""
    probabilities = np.clip([decision.probability for decision in decisions], 1e-6, 1 - 1e-6)
    logits = special.logit(probabilities)
    read = [logit for logit, decision in zip(logits, decisions, strict=True) if decision.lane is Lane.READ]
    rest = [logit for logit, decision in zip(logits, decisions, strict=True) if decision.lane is not Lane.READ]
    edges = ([min(read)] if read else []) + ([max(rest)] if rest else [])
    side = special.expit(logits - np.mean(edges))
    sure: Doubles = 4 * side * (1 - side)
    return sure


def _words(items: Sequence[Item]) -> Matrix:
    """Words of title and text, each item a row of norm 1."""
    counted = counts(items, tokens.read(items))
    scaled = Space.fit([counted]).scale(counted)[:, : TITLE.end]
    norms = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(norms, 1e-9)).dot(scaled).tocsr()


def _nearest(rows: Matrix, others: Matrix) -> Doubles:
    if not others.shape[0]:
        return np.zeros(rows.shape[0])
    return np.asarray((rows @ others.T).max(axis=1).toarray(), dtype=np.float64).ravel()
