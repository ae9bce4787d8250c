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
from functools import lru_cache

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


def needed(one: Item, other: Item) -> float | None:
    """The share of runs from which these two are one text, by their titles and who signed them; None where none would do."""
    if one.id == other.id or _is_series(one, other):
        return None
    if titles_agree(one.title, other.title):
        return SAME
    return VERY_SAME if _same_hands(one, other) else None


def may_share(mine: Print, share: float, *, lacking: int) -> bool:
    """Whether a text may have this share of its runs in common with one that lacks so many of its distinct words.

    A word that the other lacks stands in a run that it lacks, and a run is three words; of all runs of both, at most
    (1 - share) of mine are lacking. So this never says no wrongly, and needs no runs of the other text.
    """
    return lacking < 3 * (1 - share) * len(mine.runs) + 1  # one more, since the product is rounded


def is_duplicate(one: Item, other: Item) -> bool:
    """Whether these are one text."""
    share = needed(one, other)
    return share is not None and likeness_from(share, print_of(one), print_of(other)) is not None


def likeness_from(share: float, mine: Print, theirs: Print) -> float | None:
    """How alike two texts are, where they are so from this share on and long enough to be known by; else None."""
    if not (mine.is_enough and theirs.is_enough):
        return None
    likeness = mine.likeness(theirs)
    return likeness if likeness >= share else None


def _same_hands(one: Item, other: Item) -> bool:
    mine, theirs = set(one.authors), set(other.authors)
    return (
        bool(mine and theirs) and 2 * len(mine & theirs) >= min(len(mine), len(theirs)) and _numbers_agree(one, other)
    )


def _numbers_agree(one: Item, other: Item) -> bool:
    return _title(one.title)[0] == _title(other.title)[0]


def titles_agree(one: str, other: str) -> bool:
    """Nearly the same words and the same numbers: part two is not part one."""
    (numbers, mine), (others, theirs) = _title(one), _title(other)
    return numbers == others and bool(mine and theirs) and len(mine & theirs) >= TITLES * len(mine | theirs)


@lru_cache(maxsize=1_000)
def _title(title: str) -> tuple[frozenset[str], frozenset[str]]:
    """The numbers and the words in it; a new item's is asked for with every other that shares a key."""
    return frozenset(_NUMBER.findall(title)), frozenset(split(title))


def _is_series(one: Item, other: Item) -> bool:
    """What one blog says twice it means twice, unless it is the same post under a new address a day later."""
    if one.kind is not ItemKind.POST or other.kind is not ItemKind.POST or one.source != other.source:
        return False
    if one.published is None or other.published is None:
        return True
    return abs(one.published - other.published) > SERIES or one.title != other.title
