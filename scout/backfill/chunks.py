"""Records in, chunks of papers out: the same chunks whenever the same records come in. Pure.

Every paper once: where an id comes again, its first record counts. A record that is no paper is counted and, the first
twenty of them, named; the rest goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from scout.backfill.records import BadRecord, item_of
from scout.items import Item, ItemId

SIZE = 500
"""Papers of a chunk: half a second of the embedded policy on one core, and what a lost worker costs."""
NAMED = 20
Record = Item | Mapping[str, Any] | BadRecord


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the papers are meant; days are of publication."""

    since: date | None = None
    before: date | None = None
    categories: tuple[str, ...] = ()
    """arXiv categories of which a paper must have one; none for all papers."""
    limit: int | None = None
    """The first so many of those."""

    def holds(self, item: Item) -> bool:
        """A paper without a date is in no span of days."""
        if self.since or self.before:
            day = item.published.date() if item.published else None
            if day is None or (self.since and day < self.since) or (self.before and day >= self.before):
                return False
        return not self.categories or not set(self.categories).isdisjoint(item.categories)


@dataclass(frozen=True, slots=True)
class Chunk:
    number: int
    """From 0."""
    items: tuple[Item, ...]


@dataclass(slots=True)
class Tally:
    """What was met on the way; filled while `chunks` is read."""

    papers: int = 0
    """In chunks."""
    chunks: int = 0
    left_out: int = 0
    """Papers that the selection does not hold."""
    repeated: int = 0
    """Records of a paper that an earlier record had."""
    bad: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Where the first bad records stand, and what is wrong with them."""

    def blame(self, where: str, err: BadRecord) -> None:
        self.bad += 1
        if len(self.faults) < NAMED:
            self.faults.append((where, str(err)))


def chunks(
    records: Iterable[tuple[str, Record]], selection: Selection, tally: Tally, *, size: int = SIZE
) -> Iterator[Chunk]:
    """Papers in the order of their records, `size` at a time; each record comes with where it stands."""
    met, batch = set[ItemId](), list[Item]()
    for where, record in records:
        try:
            if isinstance(record, BadRecord):
                raise record
            item = record if isinstance(record, Item) else item_of(record)
        except BadRecord as err:
            tally.blame(where, err)
            continue
        if not selection.holds(item):
            tally.left_out += 1
        elif item.id in met:
            tally.repeated += 1
        else:
            met.add(item.id)
            batch.append(item)
            tally.papers += 1
        if len(batch) == size or tally.papers == selection.limit:
            yield _chunk(batch, tally)
            batch = []
        if tally.papers == selection.limit:
            return
    if batch:
        yield _chunk(batch, tally)


def _chunk(items: list[Item], tally: Tally) -> Chunk:
    tally.chunks += 1
    return Chunk(tally.chunks - 1, tuple(items))
