"""What a fit learns from, gathered: every item once, read once, with what was said of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scout.items import Item, ItemId, ItemKind
from scout.triage import routing, tokens
from scout.triage.features import WIDTH, Matrix, Space, counts
from scout.triage.logistic import Doubles
from scout.triage.policy import Corpus, Profile, Thumbed
from scout.triage.routing import Batch
from scout.triage.vectors import Projection

_CHUNK = 500
_USUAL = timedelta(days=30)
"""Older than the newest paper by more than this is old news, and says nothing of what a day brings."""
_OTHERS = 0.5
"""A thumb of another reader counts half a community pick for the shared prior."""
_LIKED = 0.7
"""An example given for a subject counts a little less than a thumb."""
_REASONS = {"off-topic": 1.5, "weak": 0.5, "hype": 0.5, "known": 0.3}
"""What a thumb down says of an item's topic, by its reason: one on hype says little, one off topic a lot."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows of the pool with a label of 0 or 1 and how much each counts. In order of time where time is known."""

    rows: NDArray[np.int64]
    labels: Doubles
    weights: Doubles
    days: tuple[date | None, ...] = ()

    def first(self, count: int) -> Labelled:
        return Labelled(self.rows[:count], self.labels[:count], self.weights[:count], self.days[:count])

    def where(self, kept: NDArray[np.bool_]) -> Labelled:
        days = tuple(day for day, stays in zip(self.days, kept.tolist(), strict=True) if stays)
        return Labelled(self.rows[kept], self.labels[kept], self.weights[kept], days)

    def join(self, other: Labelled) -> Labelled:
        return Labelled(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.weights, other.weights]),
            self.days + other.days,
        )


@dataclass(frozen=True, slots=True)
class Pool:
    """All items at hand; the recent ones first, so that they can be taken as one part."""

    batch: Batch
    space: Space
    recent: int
    """How many of the rows are recent items."""
    thumbs: Labelled
    liked: Labelled
    community: Labelled
    usual: NDArray[np.int64]
    """Recent rows that stand for a usual day: all but picks fetched from older days."""


def gather(profile: Profile, corpus: Corpus, *, landscape: bool, vectors: bool = False) -> Pool:
    """`landscape`: whether items get a place among the others; `vectors`: whether the corpus's vectors are looked at."""
    recent = _distinct(corpus.recent)
    thumbs = _newest(profile.thumbs)
    others = _newest(corpus.others)
    spoken = [thumb.item for thumb in (*thumbs, *others)]
    items = list(_distinct([*recent, *spoken, *(item for _, item in profile.liked)]))
    row_of = {item.id: row for row, item in enumerate(items)}
    batch, space = _featurize(items, routing.subject_counts(profile.subjects), landscape=landscape)
    if vectors and (seen := Projection.fit(corpus.vectors, [item.id for item in items])).model:
        space = replace(space, projection=seen)
        batch = replace(batch, features=space.embed(batch.features, [item.id for item in items], corpus.vectors))
    thumbed = _labelled(thumbs, row_of)
    return Pool(
        batch=batch,
        space=space,
        recent=len(recent),
        thumbs=thumbed,
        liked=_liked(profile, row_of, skip=set(thumbed.rows.tolist())),
        community=_community(recent, corpus, row_of).join(_halved(_labelled(others, row_of))),
        usual=_usual(recent, corpus),
    )


def _featurize(items: Sequence[Item], kept: Matrix, *, landscape: bool) -> tuple[Batch, Space]:
    parts, matrices = [], []
    for start in range(0, len(items), _CHUNK):
        read = tokens.read(items[start : start + _CHUNK])
        matrices.append(counts(items[start : start + _CHUNK], read))
        parts.append(read.lean())
    space = Space.fit(matrices, keep=kept)
    for place, counted in enumerate(matrices):
        matrices[place] = space.scale(counted)  # in its place: of 10,000 items both would not fit beside each other
    if landscape and matrices:
        space = space.with_landscape(matrices)
        for place, scaled in enumerate(matrices):
            matrices[place] = space.place(scaled)
    together = sparse.vstack(matrices).tocsr() if matrices else sparse.csr_matrix((0, WIDTH), dtype=np.float32)
    return Batch(items, tokens.join(parts), together), space


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    """Each item once, the first of its id."""
    found: dict[ItemId, Item] = {}
    for item in items:
        found.setdefault(item.id, item)
    return tuple(found.values())


def _newest(thumbs: Sequence[Thumbed]) -> list[Thumbed]:
    """One thumb an item, the newest, in order of time: a contradiction is a change of mind, a repetition no new word."""
    last: dict[ItemId, Thumbed] = {}
    for thumb in sorted(thumbs, key=lambda thumb: thumb.at):
        last.pop(thumb.item.id, None)
        last[thumb.item.id] = thumb
    return list(last.values())


def _labelled(thumbs: Sequence[Thumbed], row_of: dict[ItemId, int]) -> Labelled:
    return Labelled(
        np.array([row_of[thumb.item.id] for thumb in thumbs], dtype=np.int64),
        np.array([float(thumb.up) for thumb in thumbs], dtype=np.float64),
        np.array([_weight(thumb) for thumb in thumbs], dtype=np.float64),
        tuple(thumb.at.date() for thumb in thumbs),
    )


def _weight(thumb: Thumbed) -> float:
    if thumb.up:
        return 1.0
    return max((_REASONS[reason] for reason in thumb.reasons if reason in _REASONS), default=1.0)


def _halved(labelled: Labelled) -> Labelled:
    return Labelled(labelled.rows, labelled.labels, labelled.weights * _OTHERS, labelled.days)


def _liked(profile: Profile, row_of: dict[ItemId, int], *, skip: set[int]) -> Labelled:
    """Examples of followed subjects, as mild thumbs up; what has a thumb of its own is left to that."""
    followed = profile.followed
    rows = sorted({row_of[item.id] for slug, item in profile.liked if followed is None or slug in followed} - skip)
    return Labelled(np.array(rows, dtype=np.int64), np.ones(len(rows)), np.full(len(rows), _LIKED), (None,) * len(rows))


def _community(recent: Sequence[Item], corpus: Corpus, row_of: dict[ItemId, int]) -> Labelled:
    """Picks against the other items of the days that had any: of other days nobody knows what was looked at.

    A pick that only the community brought has no categories; it was never among the items to pick from here, and would
    teach that having none is a merit.
    """
    picked = [item for item in recent if item.id in corpus.picks and item.categories]
    days = {_day(item) for item in picked}
    passed = [item for item in recent if item.id not in corpus.picks and _day(item) in days]
    rows = np.array([row_of[item.id] for item in (*picked, *passed)], dtype=np.int64)
    labels = np.array([1.0] * len(picked) + [0.0] * len(passed))
    return Labelled(rows, labels, np.ones(len(rows)), tuple(map(_day, (*picked, *passed))))


def _usual(recent: Sequence[Item], corpus: Corpus) -> NDArray[np.int64]:
    """Rows of what usual days bring: neither old news of a new source nor picks of days that are not here."""
    days = {_day(item) for item in recent if item.id not in corpus.picks}
    newest = max((day for item in recent if item.kind is ItemKind.PAPER and (day := _day(item))), default=None)
    fresh = [
        row
        for row, item in enumerate(recent)
        if (item.id not in corpus.picks or _day(item) in days) and not _is_old(item, newest)
    ]
    return np.array(fresh or range(len(recent)), dtype=np.int64)


def _is_old(item: Item, newest: date | None) -> bool:
    day = _day(item)
    return item.backlog or (newest is not None and day is not None and newest - day > _USUAL)


def _day(item: Item) -> date | None:
    return item.published.date() if item.published else None
