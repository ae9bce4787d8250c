"""Whether two items are one text under two ids, and keys under which such pairs meet. Pure.

A text is the set of its runs of three words; two texts are one where they share `SAME` of both together and their titles
agree, or `VERY_SAME` where the same people signed both. Keys are MinHash bands of that set: near-duplicates share one
almost surely, so a pair is found by looking up, and judged on its words afterwards. A false fold hides an item, so
whatever is short, of another number, or one of a series stays apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from scout.items import Item, ItemKind
from scout.triage.features import gram_hash
from scout.triage.tokens import LONGEST, split, word_ids

SAME = 0.8
"""Of the runs of words that two texts have together, the share that both have."""
VERY_SAME = 0.9
"""The same, where the titles differ and most authors do not."""
FEWEST = 40
"""Distinct runs of words below which a text says too little to be known by."""
TITLES = 0.6
"""The same of the words of their titles."""
SERIES = timedelta(days=3)
"""Posts of one source further apart than this are two of a series, whatever they say."""
BANDS, ROWS = 6, 4
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*|\b(?:I{1,3}|IV|VI{0,3}|IX|X)\b")
_ODD = (
    np.random.default_rng(20_251_201).integers(1, 1 << 62, BANDS * ROWS, dtype=np.uint64) << np.uint64(1)
) + np.uint64(1)

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Print:
    """What a text is known by."""

    runs: Hashes
    """Sorted hashes of its distinct runs of three words."""

    @property
    def is_enough(self) -> bool:
        return len(self.runs) >= FEWEST

    def bands(self) -> list[int]:
        """Keys, as signed 64-bit integers, of which near-duplicates share one; none where the text is too short."""
        if not self.is_enough:
            return []
        smallest = (self.runs[None, :] * _ODD[:, None]).min(axis=1).reshape(BANDS, ROWS)
        mixed = np.zeros(BANDS, dtype=np.uint64)
        for column in range(ROWS):
            mixed = (mixed ^ smallest[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
        mixed += np.arange(BANDS, dtype=np.uint64)
        return [int(key) for key in mixed.view(np.int64)]

    def likeness(self, other: Print) -> float:
        shared = len(np.intersect1d(self.runs, other.runs, assume_unique=True))
        return shared / max(1, len(self.runs) + len(other.runs) - shared)


def print_of(item: Item) -> Print:
    ids = word_ids(split(item.text[:LONGEST]))
    if len(ids) < 3:
        return Print(np.zeros(0, dtype=np.uint64))
    with np.errstate(over="ignore"):
        pairs = gram_hash(ids[:-2], ids[1:-1])
        runs = (pairs ^ gram_hash(ids[2:])) * np.uint64(0xBF58476D1CE4E5B9)
    return Print(np.unique(runs ^ (runs >> np.uint64(31))))


def is_duplicate(one: Item, other: Item, prints: tuple[Print, Print] | None = None) -> bool:
    """Whether these are one text. `prints` are theirs, where they are at hand."""
    if one.id == other.id or _is_series(one, other):
        return False
    mine, theirs = prints or (print_of(one), print_of(other))
    if not (mine.is_enough and theirs.is_enough):
        return False
    likeness = mine.likeness(theirs)
    return likeness >= SAME and (
        titles_agree(one.title, other.title) or (likeness >= VERY_SAME and _same_hands(one, other))
    )


def _same_hands(one: Item, other: Item) -> bool:
    mine, theirs = set(one.authors), set(other.authors)
    return (
        bool(mine and theirs) and 2 * len(mine & theirs) >= min(len(mine), len(theirs)) and _numbers_agree(one, other)
    )


def _numbers_agree(one: Item, other: Item) -> bool:
    return set(_NUMBER.findall(one.title)) == set(_NUMBER.findall(other.title))


def titles_agree(one: str, other: str) -> bool:
    """Nearly the same words and the same numbers: part two is not part one."""
    if set(_NUMBER.findall(one)) != set(_NUMBER.findall(other)):
        return False
    mine, theirs = set(split(one)), set(split(other))
    return bool(mine and theirs) and len(mine & theirs) >= TITLES * len(mine | theirs)


def _is_series(one: Item, other: Item) -> bool:
    """What one blog says twice it means twice, unless it is the same post under a new address a day later."""
    if one.kind is not ItemKind.POST or other.kind is not ItemKind.POST or one.source != other.source:
        return False
    if one.published is None or other.published is None:
        return True
    return abs(one.published - other.published) > SERIES or one.title != other.title
