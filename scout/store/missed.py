"""The weekly pages of what was skipped: what they may be drawn from, and the pages, frozen once drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from scout.items import Contribution, Impression, ItemId
from scout.store.digests import insert_impressions
from scout.store.part import Part
from scout.store.rows import pack, unpack, when


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that was decided to be skipped and never put before the reader."""

    item_id: ItemId
    probability: float
    policy: str
    why: tuple[Contribution, ...]


class MissedPages(Part):
    def pool(self, reader: str, *, after_seq: int, until_seq: int, published_since: datetime) -> list[Skipped]:
        """What of those arrivals is in the reader's skip lane, was never put before the reader and has no word of theirs."""
        sql = (
            "SELECT d.item_id, d.probability, d.policy, d.why FROM items i JOIN decisions d ON d.item_id = i.id "
            "WHERE i.seq > ? AND i.seq <= ? AND i.backlog = 0 AND (i.published IS NULL OR i.published >= ?) "
            "AND d.reader = ? AND d.lane = 'skip' "
            "AND NOT EXISTS (SELECT 1 FROM impressions s WHERE s.reader = d.reader AND s.item_id = d.item_id) "
            "AND NOT EXISTS (SELECT 1 FROM feedback_live f WHERE f.reader = d.reader AND f.item_id = d.item_id) "
            "ORDER BY i.seq"
        )
        return [
            Skipped(
                row["item_id"], row["probability"], row["policy"],
                tuple(Contribution(feature, weight) for feature, weight in unpack(row["why"])),
            )
            for row in self.store.rows(sql, after_seq, until_seq, when(published_since), reader)
        ]  # fmt: skip

    def save(
        self, reader: str, week: date, *, made_at: datetime, snapshot: Mapping[str, Any], impressions: Sequence[Impression]
    ) -> bool:  # fmt: skip
        """Freeze a week's page with its impressions, in one transaction. False where it was drawn already: that one stands."""
        with self.store.writing() as db:
            if self.get(reader, week) is not None:
                return False
            db.conn.execute(
                "INSERT INTO missed_pages (reader, week, made_at, snapshot) VALUES (?,?,?,?)",
                (reader, week.isoformat(), when(made_at), pack(dict(snapshot))),
            )
            insert_impressions(db, impressions)
        return True

    def get(self, reader: str, week: date) -> dict[str, Any] | None:
        """The page as it was frozen."""
        text = self.store.value(
            "SELECT snapshot FROM missed_pages WHERE reader = ? AND week = ?", reader, week.isoformat()
        )
        return unpack(text) if text else None

    def weeks(self, reader: str) -> list[date]:
        """The weeks, by their Mondays, that have a page; the newest first."""
        rows = self.store.rows("SELECT week FROM missed_pages WHERE reader = ? ORDER BY week DESC", reader)
        return [date.fromisoformat(row["week"]) for row in rows]
