"""Readings: what a model made of an item for a reader: how it ended, how it rated, what grounding left of its points.

The summary itself is among the summaries and the moved decision among the decisions; this is what belongs to neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scout.items import ItemId, Point
from scout.store.part import Part
from scout.store.rows import batches, marks, pack, unpack, when

FAILED = "failed"
"""The outcome of an item that was given up on."""
UNUSABLE = ("ungrounded", "unreadable", "too-long", "rejected")
"""The outcomes of items of which nothing that the model wrote could be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    item_id: ItemId
    reader: str
    model: str
    policy: str
    outcome: str
    """A `scout.reading.reader.Outcome`."""
    message: str = ""
    embedded: float
    """The embedded policy's probability when it was rated."""
    rating: float | None = None
    """From 0 to 1; None where the model gave none."""
    points: int = 0
    """Written by the model, before grounding."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many of them."""
    new: Point | None = None
    why_it_matters: Point | None = None
    text_hash: str


class Readings(Part):
    def write(self, reading: Reading, at: datetime, *, run: str | None = None) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT OR REPLACE INTO readings (item_id, reader, model, policy, outcome, message, embedded, rating, points, "
                "dropped, new, matters, text_hash, made_at, run) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (reading.item_id, reading.reader, reading.model, reading.policy, reading.outcome, reading.message,
                 reading.embedded, reading.rating, reading.points, pack(dict(reading.dropped)), _packed(reading.new),
                 _packed(reading.why_it_matters), reading.text_hash, when(at), run),
            )  # fmt: skip

    def of(self, reader: str, item_ids: Iterable[ItemId]) -> dict[ItemId, Reading]:
        """The newest reading of each item, by whichever model."""
        found: dict[ItemId, Reading] = {}
        for batch in batches(dict.fromkeys(item_ids)):
            sql = f"SELECT * FROM readings WHERE reader = ? AND item_id IN ({marks(batch)}) ORDER BY made_at"
            found |= {row["item_id"]: _reading(row) for row in self.store.rows(sql, reader, *batch)}
        return found

    def rated(self, reader: str, model: str) -> list[tuple[float, float, bool]]:
        """(embedded probability, rating, thumb is up) of what this model rated before this reader's thumb came."""
        sql = (
            "SELECT r.embedded, r.rating, f.value FROM readings r JOIN feedback_current f "
            "ON f.item_id = r.item_id AND f.reader = r.reader AND f.aspect = 'thumb' AND f.value IN ('up', 'down') "
            "WHERE r.reader = ? AND r.model = ? AND r.rating IS NOT NULL AND f.at >= r.made_at ORDER BY f.id"
        )
        return [(row["embedded"], row["rating"], row["value"] == "up") for row in self.store.rows(sql, reader, model)]

    def outcomes(self) -> dict[str, int]:
        """Outcome → how many readings ended so."""
        sql = "SELECT outcome, count(*) AS n FROM readings GROUP BY outcome ORDER BY outcome"
        return {row["outcome"]: row["n"] for row in self.store.rows(sql)}

    def grounding(self) -> dict[str, Any] | None:
        """Points written, dropped, and dropped by reason, over everything read; None where nothing was."""
        rows = self.store.rows("SELECT points, dropped FROM readings")
        if not rows:
            return None
        reasons: Counter[str] = Counter()
        for row in rows:
            reasons.update(unpack(row["dropped"]))
        points = sum(row["points"] for row in rows)
        return {"points": points, "dropped": reasons.total(), "by_reason": dict(sorted(reasons.items()))}


def _packed(point: Point | None) -> str | None:
    return None if point is None else pack([point.text, list(point.cites)])


def _point(text: str | None) -> Point | None:
    if text is None:
        return None
    said, cites = unpack(text)
    return Point(said, tuple(cites))


def _reading(row: Mapping[str, Any]) -> Reading:
    return Reading(
        item_id=row["item_id"], reader=row["reader"], model=row["model"], policy=row["policy"], outcome=row["outcome"],
        message=row["message"], embedded=row["embedded"], rating=row["rating"], points=row["points"],
        dropped=unpack(row["dropped"]), new=_point(row["new"]), why_it_matters=_point(row["matters"]),
        text_hash=row["text_hash"],
    )  # fmt: skip
