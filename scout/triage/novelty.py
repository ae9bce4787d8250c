"""How near an item is to what a reader was shown lately, in figures. Pure: cosine of words weighted by their rarity."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from scout.items import Item, ItemId
from scout.triage.tokens import LONGEST, stems

CLOSE = 0.3
"""Similarity from which two items are near each other: on abstracts, one pair in some hundred of one subject."""


REPEATS = 0.6
"""Similarity from which an item tells again what another told: text and title nearly agree word for word."""

KEPT = 1_000
"""Texts whose stems are kept, some ten thousand bytes each: a shelf is made again for every item that is looked at."""


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
        self._squares = {word: math.log((1 + size) / (0.5 + n)) ** 2 for word, n in spread.items()}
        """Word → its rarity, squared: nothing else is asked for."""
        self._unseen = math.log((1 + size) / 0.5) ** 2

    def length(self, words: frozenset[str]) -> float:
        """Of the vector that has each word's rarity in its place."""
        return math.sqrt(self.weight(words)) or 1.0

    def is_longer(self, words: frozenset[str], than: float) -> bool:
        """Whether the vector surely has more than this length; often a few of its words tell."""
        squares, unseen, left = self._squares.get, self._unseen, than * than * (1 + 1e-9)
        for word in words:
            left -= squares(word, unseen)
            if left < 0:
                return True
        return False

    def together(self, one: frozenset[str], other: frozenset[str]) -> float:
        """The product of two such vectors; divided by their lengths it is their cosine."""
        return self.weight(one & other)

    def weight(self, words: frozenset[str]) -> float:
        """Of these words in a product of vectors that both have them."""
        squares, unseen = self._squares.get, self._unseen
        return math.fsum([squares(word, unseen) for word in words])


class Shelf:
    """What a reader was shown, made ready to compare with."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._words = {item.id: words_of(item) for item in items}
        self._rarity = Rarity(self._words.values())
        self._lengths = {id: self._rarity.length(words) for id, words in self._words.items()}

    def nearness(self, item: Item) -> Nearness:
        """Against all of the shelf but the item itself. Cosine without the vectors: each pair shares few words."""
        mine = words_of(item)
        length = self._rarity.length(mine)
        values = {
            id: self._rarity.together(mine, words) / (length * self._lengths[id])
            for id, words in self._words.items()
            if id != item.id
        }
        nearest = max(values, key=lambda id: values[id], default="")
        return Nearness(
            len(values), sum(value >= CLOSE for value in values.values()), values.get(nearest, 0.0), nearest
        )


def words_of(item: Item) -> frozenset[str]:
    return _stems(_text(item))


def words_in(item: Item, words: frozenset[str]) -> frozenset[str]:
    """Which of these words an item has; its own set is not made for that, which takes longer."""
    return words.intersection(stems(_text(item)))


def _text(item: Item) -> str:
    return f"{item.title} {item.text[:LONGEST]}"


@lru_cache(maxsize=KEPT)
def _stems(text: str) -> frozenset[str]:
    return frozenset(stems(text))
