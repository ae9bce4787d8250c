"""How near an item is to what a reader was shown lately, in figures. Pure: cosine of words weighted by their rarity."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scout.items import Item
from scout.triage.tokens import LONGEST, split, stem

CLOSE = 0.3
"""Similarity from which two items are near each other: on abstracts, one pair in some hundred of one subject."""


@dataclass(frozen=True, slots=True)
class Nearness:
    compared: int = 0
    close: int = 0
    highest: float = 0.0


class Shelf:
    """What a reader was shown, made ready to compare with."""

    def __init__(self, items: Sequence[Item]) -> None:
        words = {item.id: _words(item) for item in items}
        spread = Counter(word for found in words.values() for word in found)
        self._rarity = {word: math.log((1 + len(words)) / (0.5 + n)) for word, n in spread.items()}
        self._unseen = math.log((1 + len(words)) / 0.5)
        self._vectors = {id: self._vector(found) for id, found in words.items()}

    def nearness(self, item: Item) -> Nearness:
        """Against all of the shelf but the item itself."""
        mine = self._vector(_words(item))
        values = [_dot(mine, vector) for id, vector in self._vectors.items() if id != item.id]
        return Nearness(len(values), sum(value >= CLOSE for value in values), max(values, default=0.0))

    def _vector(self, words: frozenset[str]) -> dict[str, float]:
        vector = {word: self._rarity.get(word, self._unseen) for word in words}
        length = math.sqrt(math.fsum(weight * weight for weight in vector.values())) or 1.0
        return {word: weight / length for word, weight in vector.items()}


def _words(item: Item) -> frozenset[str]:
    return frozenset(map(stem, split(f"{item.title} {item.text[:LONGEST]}")))


def _dot(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return math.fsum(weight * other[word] for word, weight in one.items() if word in other)
