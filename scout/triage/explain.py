"""Why a score is what it is: its true parts in log-odds, named in the item's own words.

The parts of one item sum to the logit of its probability: the largest by name, `everything else`, and the `base rate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scout.items import Contribution, Item
from scout.triage.features import EMBEDDED, TEXT, TITLE, TOPIC, Floats, gram_hash, marks
from scout.triage.logistic import Doubles
from scout.triage.routing import Batch
from scout.triage.tokens import Tokens
from scout.triage.topics import Carriers

SHOWN = 6
OWN = "your thumbs: "
PRIOR = "picked by the community (prior): "
TOPIC_NAME = "its topic as a whole"
SEEN_NAME = "its meaning to the model that embeds"
REST, BASE = "everything else", "base rate"
_NAMED = 0.1
"""Log-odds from which a topic is named by its words: finding them takes time."""
_LOOKED_AT = 8
"""The largest columns of each layer that get a name; one name may take several columns."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The weights that turned features into log-odds, already multiplied by everything that comes after them."""

    own: Floats
    """[WIDTH]"""
    community: Floats
    """[WIDTH]"""
    base: float


@dataclass(frozen=True, slots=True)
class Extra:
    """Log-odds that belong to no feature."""

    names: Sequence[str]
    parts: Doubles
    """[items, names]"""
    placed: Doubles
    """[items, directions of the landscape]: what trees add for an item's place."""


def explain(
    batch: Batch, scale: Scale, carriers: Carriers, extra: Extra, logits: Doubles
) -> list[tuple[Contribution, ...]]:
    """For each item the largest parts, largest first, then the rest and the base rate. `logits` [items] is what all sum to."""
    names = Names(batch.read, batch.items)
    features = batch.features
    own_values = features.data * scale.own[features.indices]
    community_values = features.data * scale.community[features.indices]
    found = []
    for row in range(len(batch.items)):
        span = slice(features.indptr[row], features.indptr[row + 1])
        columns = features.indices[span]
        # The columns of places come last, and mean something together.
        words, seen = np.searchsorted(columns, (TOPIC.offset, EMBEDDED.offset)).tolist()
        parts: dict[str, float] = {}
        for layer, all_values in ((OWN, own_values[span]), (PRIOR, community_values[span])):
            values = all_values[:words]
            placed = extra.placed[row].copy() if layer == OWN else np.zeros(TOPIC.size)
            placed[: seen - words] += all_values[words:seen]
            if placed.any():
                whole = float(placed.sum())
                told = abs(whole) >= _NAMED  # what is less is hardly among the largest
                carried = names.of(row, carriers.strongest(row, placed)) if told else ()
                parts[f"{layer}{_topic(carried)}"] = whole
            if seen < len(columns):
                parts[f"{layer}{SEEN_NAME}"] = float(all_values[seen:].sum(dtype=np.float64))
            largest = _largest(values)
            for name, value in zip(names.of(row, columns[largest].tolist()), values[largest].tolist(), strict=True):
                said = name if layer == OWN else layer + name.removeprefix("word: ")
                parts[said] = parts.get(said, 0.0) + value
            parts[f"{layer}all other words"] = float(
                values.sum(dtype=np.float64) - values[largest].sum(dtype=np.float64)
            )
        for name, value in zip(extra.names, extra.parts[row].tolist(), strict=True):
            parts[name] = parts.get(name, 0.0) + value
        found.append(_told(parts, float(logits[row]), scale.base))
    return found


def _topic(carried: Sequence[str]) -> str:
    """What an item's place is called: by its own words that carried it there."""
    words = ", ".join(name.removeprefix("word: ") for name in carried if name != "word: unknown")
    return f"its topic ({words})" if words else TOPIC_NAME


def _told(parts: dict[str, float], logit: float, base: float) -> tuple[Contribution, ...]:
    top = sorted(((name, value) for name, value in parts.items() if abs(value) >= 5e-4), key=lambda part: -abs(part[1]))
    shown = [Contribution(name, round(value, 4)) for name, value in top[:SHOWN]]
    base = round(base, 4)
    rest = logit - base - sum(part.weight for part in shown)
    return (*shown, Contribution(REST, round(rest, 4)), Contribution(BASE, base))


def _largest(values: Floats) -> NDArray[np.int64]:
    size = np.abs(values)
    several = len(size) > _LOOKED_AT
    chosen = np.argpartition(size, -_LOOKED_AT)[-_LOOKED_AT:] if several else np.arange(len(size))
    return chosen[size[chosen] > 0]


class Names:
    """What columns are called, found again in the words of the items themselves."""

    def __init__(self, read: Tokens, items: Sequence[Item]) -> None:
        self._read, self._items = read, items
        self._marked: dict[int, dict[int, str]] = {}
        mask = np.uint64(TEXT.size - 1)
        self._single = (gram_hash(read.ids) & mask).astype(np.int32)
        self._pair = (gram_hash(read.ids[:-1], read.ids[1:]) & mask).astype(np.int32)

    def of(self, row: int, columns: Iterable[int]) -> list[str]:
        found = []
        for column in columns:
            if column < TITLE.end:
                found.append(self._words(row, column))
            else:
                if row not in self._marked:
                    self._marked = {row: marks(self._items[row])}
                found.append(self._marked[row].get(column, "form: unknown"))
        return found

    def _words(self, row: int, column: int) -> str:
        start, end = int(self._read.starts[row]), int(self._read.starts[row + 1])
        mask = TEXT.size - 1
        if column >= TITLE.offset:
            end, column, mask = int(self._read.titles[row]), column - TITLE.offset, TITLE.size - 1
        words = self._read.words
        if len(at := np.flatnonzero((self._single[start:end] & mask) == column)):
            return f"word: {words[start + int(at[0])]}"
        if len(at := np.flatnonzero((self._pair[start : end - 1] & mask) == column)):
            first = start + int(at[0])
            return f"word: {words[first]} {words[first + 1]}"
        return "word: unknown"
