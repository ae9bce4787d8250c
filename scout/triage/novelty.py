"""How near an item is to what a reader was shown lately, in figures. Pure: cosine of words weighted by their rarity."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from scout.items import Item, ItemId
from scout.triage.tokens import LONGEST, split, stem

CLOSE = 0.3
"""Similarity from which two items are near each other: on abstracts, one pair in some hundred of one subject."""


REPEATS = 0.6
"""Similarity from which an item tells again what another told: text and title nearly agree word for word."""

KEPT = 1_000
"""Texts whose stems are kept, some ten thousand bytes each: a shelf is made again for every item that is looked at."""

Vector = Mapping[str, float]
"""Stem of a word → its weight; of length 1."""


@dataclass(frozen=True, slots=True)
class Nearness:
    compared: int = 0
    close: int = 0
    highest: float = 0.0
    nearest: ItemId = ""


class Rarity:
    """How rare words are in a body of items, and items as vectors of their words.

    A body of fewer than `least` counts as one of so many: in a handful of items what they share is not common yet.
    """

    def __init__(self, words: Collection[frozenset[str]], *, least: int = 0) -> None:
        spread = Counter(word for found in words for word in found)
        size = max(len(words), least)
        self._rarity = {word: math.log((1 + size) / (0.5 + n)) for word, n in spread.items()}
        self._unseen = math.log((1 + size) / 0.5)

    def of(self, word: str) -> float:
        return self._rarity.get(word, self._unseen)

    def vector(self, words: frozenset[str]) -> Vector:
        vector = {word: self._rarity.get(word, self._unseen) for word in words}
        length = math.sqrt(math.fsum(weight * weight for weight in vector.values())) or 1.0
        return {word: weight / length for word, weight in vector.items()}


class Shelf:
    """What a reader was shown, made ready to compare with."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._words = {item.id: words_of(item) for item in items}
        self._rarity = Rarity(self._words.values())
        self._lengths = {id: self._length(words) for id, words in self._words.items()}

    def _length(self, words: frozenset[str]) -> float:
        return math.sqrt(math.fsum(self._rarity.of(word) ** 2 for word in words)) or 1.0

    def nearness(self, item: Item) -> Nearness:
        """Against all of the shelf but the item itself. Cosine without the vectors: each pair shares few words."""
        mine = words_of(item)
        length = self._length(mine)
        values = {
            id: math.fsum(self._rarity.of(word) ** 2 for word in mine & words) / (length * self._lengths[id])
            for id, words in self._words.items()
            if id != item.id
        }
        nearest = max(values, key=lambda id: values[id], default="")
        return Nearness(
            len(values), sum(value >= CLOSE for value in values.values()), values.get(nearest, 0.0), nearest
        )


def words_of(item: Item) -> frozenset[str]:
    return _stems(f"{item.title} {item.text[:LONGEST]}")


@lru_cache(maxsize=KEPT)
def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, split(text)))


def likeness(one: Vector, other: Vector) -> float:
    """Cosine: 0 is nothing in common, 1 the same words."""
    if len(one) > len(other):
        one, other = other, one
    return math.fsum(weight * other[word] for word, weight in one.items() if word in other)
