"""The weekly page of what was skipped: which items are drawn, with what probability, and the page as frozen data. Pure.

The skip lane is cut in two: the tenth nearest to the threshold, where what was missed is likeliest, and all the rest. Half of
the slots are drawn from each, without replacement, every item of a part as likely as any other: propensity drawn/pool. The
draw is the same however often it is made: each item's lot is a hash of reader, week and item.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from scout.digest.model import Entry
from scout.items import ItemId

SLOTS = 30
NEAR, REST = "near", "rest"
NEAR_SHARE = 0.1
"""Of the skipped, so many count as near to the threshold."""


@dataclass(frozen=True, slots=True)
class Stratum:
    name: str
    pool: int
    drawn: int
    at_least: float
    """The lowest probability in it, by which an item of the week can be told to belong here."""

    @property
    def propensity(self) -> float:
        return self.drawn / self.pool if self.pool else 0.0


@dataclass(frozen=True, slots=True)
class Drawn:
    item_id: ItemId
    stratum: str
    propensity: float


@dataclass(frozen=True, slots=True)
class MissedPage:
    week: date
    """Its Monday."""
    day: date
    """On which it was drawn: from what digests of the seven days up to it skipped."""
    strata: tuple[Stratum, ...]
    entries: tuple[Entry, ...]
    """In the order of display, which is chance's too."""
    part_of: Mapping[ItemId, str]
    """Item → its stratum."""

    @property
    def pool(self) -> int:
        return sum(stratum.pool for stratum in self.strata)

    @property
    def since(self) -> date:
        return self.day - timedelta(days=DAYS - 1)

    def to_dict(self) -> dict[str, Any]:
        """As `scout missed --json` prints it and the store keeps it (docs/schemas/missed.schema.json)."""
        return {
            "week": self.week.isoformat(),
            "day": self.day.isoformat(),
            "strata": [
                {"name": each.name, "pool": each.pool, "drawn": each.drawn, "at_least": each.at_least}
                for each in self.strata
            ],
            "items": [{**entry.to_dict(), "stratum": self.part_of[entry.id]} for entry in self.entries],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> MissedPage:
        return cls(
            week=date.fromisoformat(data["week"]),
            day=date.fromisoformat(data["day"]),
            strata=tuple(
                Stratum(each["name"], each["pool"], each["drawn"], each["at_least"]) for each in data["strata"]
            ),
            entries=tuple(Entry.from_dict(entry) for entry in data["items"]),
            part_of={entry["id"]: entry["stratum"] for entry in data["items"]},
        )


DAYS = 7


def week_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


def draw(
    skipped: Sequence[tuple[ItemId, float]], *, reader: str, week: date, slots: int = SLOTS
) -> tuple[tuple[Stratum, ...], list[Drawn]]:
    """Which of `skipped`, items with their probabilities, are put before the reader this week."""
    likeliest = sorted(skipped, key=lambda pair: (-pair[1], pair[0]))
    cut = -(-len(likeliest) * round(100 * NEAR_SHARE) // 100)
    near, rest = likeliest[:cut], likeliest[cut:]
    of_rest = min(len(rest), slots - min(len(near), slots // 2))
    strata, drawn = [], []
    for name, pool, count in ((NEAR, near, min(len(near), slots - of_rest)), (REST, rest, of_rest)):
        winners = sorted((id for id, _ in pool), key=lambda id: _lot(reader, week, id))[:count]
        strata.append(Stratum(name, len(pool), count, min((p for _, p in pool), default=0.0)))
        drawn += [Drawn(id, name, count / len(pool)) for id in winners]
    return tuple(strata), sorted(drawn, key=lambda one: _lot(reader, week, one.item_id))


def _lot(reader: str, week: date, item_id: ItemId) -> bytes:
    text = f"missed\0{week.isoformat()}\0{reader}\0{item_id}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
