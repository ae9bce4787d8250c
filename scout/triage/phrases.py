"""Finds phrases (keywords, blocked words) in items: as whole words in a row, whatever their case, hyphens or plural."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scout.triage.tokens import Tokens, split, word_ids

LONGEST = 6
"""Words of a phrase that are compared; the rest of a longer one is ignored."""
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MASK = 0xFFFF


@dataclass(frozen=True, slots=True)
class Hits:
    """Where phrases occur: one entry an occurrence."""

    rows: NDArray[np.int64]
    phrases: NDArray[np.int64]
    in_title: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Phrases:
    """Hashes of phrases by their length in words, with the place each has in the list it came from."""

    by_length: dict[int, tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.bool_]]]

    @staticmethod
    def of(phrases: Sequence[str]) -> Phrases:
        """Phrases without a word of two letters or more match nothing."""
        grouped: dict[int, list[tuple[int, int]]] = {}
        for place, phrase in enumerate(phrases):
            ids = word_ids(split(phrase)[:LONGEST])
            if len(ids):
                grouped.setdefault(len(ids), []).append((int(_runs(ids, len(ids))[0]), place))
        tables = {}
        for length, entries in sorted(grouped.items()):
            entries.sort()
            hashes = np.array([value for value, _ in entries], dtype=np.uint64)
            maybe = np.zeros(_MASK + 1, dtype=bool)
            maybe[hashes & np.uint64(_MASK)] = True
            tables[length] = (hashes, np.array([place for _, place in entries], dtype=np.int64), maybe)
        return Phrases(tables)

    def find(self, read: Tokens) -> Hits:
        row = np.repeat(np.arange(len(read.titles)), np.diff(read.starts))
        rows, places, titled = [], [], []
        for length, (hashes, owners, maybe) in self.by_length.items():
            runs = _runs(read.ids, length)
            at = np.flatnonzero(maybe[runs & np.uint64(_MASK)])
            first = np.searchsorted(hashes, runs[at], side="left")
            last = np.searchsorted(hashes, runs[at], side="right")
            # A phrase lies in one item, and in its title or its text. Two subjects may share a phrase: hence a range.
            whole = row[at] == row[at + length - 1]
            in_title = at < read.titles[row[at]]
            whole &= in_title == (at + length - 1 < read.titles[row[at]])
            spans = np.where(whole, last - first, 0)
            owner = np.repeat(first - np.cumsum(spans) + spans, spans) + np.arange(spans.sum())
            rows.append(np.repeat(row[at], spans))
            places.append(owners[owner])
            titled.append(np.repeat(in_title, spans))
        if not rows:
            nothing = np.zeros(0, dtype=np.int64)
            return Hits(nothing, nothing, nothing.astype(bool))
        return Hits(np.concatenate(rows), np.concatenate(places), np.concatenate(titled))


def _runs(ids: NDArray[np.uint32], length: int) -> NDArray[np.uint64]:
    """A hash of every run of `length` words, by where it begins."""
    count = max(0, len(ids) - length + 1)
    runs = np.zeros(count, dtype=np.uint64)
    for place in range(length):
        runs += ids[place : place + count].astype(np.uint64) + np.uint64(1)
        runs *= _STEP
        runs ^= runs >> np.uint64(31)
    return runs
