"""Rows in, the best of each month out. Pure."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from scout.backfill.judge import Row
from scout.items import ItemId, Lane

UNDATED = "undated"
_PLACES = {Lane.READ: 2, Lane.UNSURE: 1, Lane.SKIP: 0}


@dataclass(frozen=True, slots=True)
class Month:
    month: str
    """`2024-03`, of publication; `undated` where a paper tells no day."""
    papers: int
    read: int
    unsure: int
    met: int
    """Of those for reading or unsure, what the reader was shown or spoke of already; none of these is among `top`."""
    top: tuple[Row, ...]
    """Of what is for reading or unsure, the best first."""


def months(rows: Iterable[Row], *, top: int, met: Collection[ItemId] = ()) -> list[Month]:
    """Oldest first, what has no date last; `top` papers of each."""
    papers, read, unsure, known = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    best: dict[str, list[tuple[tuple[int, float, int], Row]]] = {}
    for place, row in enumerate(rows):
        month = str(row["published"] or UNDATED)[:7]
        lane = Lane(row["lane"])
        papers[month] += 1
        read[month] += lane is Lane.READ
        unsure[month] += lane is Lane.UNSURE
        if lane is Lane.SKIP:
            continue
        if row["id"] in met:
            known[month] += 1
            continue
        entry = (_PLACES[lane], float(row["probability"]), -place), row  # the earlier one of two that are alike
        heap = best.setdefault(month, [])
        if len(heap) < top:
            heapq.heappush(heap, entry)
        elif top:
            heapq.heappushpop(heap, entry)
    return [
        Month(
            month, papers[month], read[month], unsure[month], known[month],
            tuple(row for _, row in sorted(best.get(month, []), key=lambda entry: entry[0], reverse=True)),
        )
        for month in sorted(papers)
    ]  # fmt: skip
