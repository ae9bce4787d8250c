"""Deliveries: which digest was sent to whom by which channel, and what kept one from being sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from scout.store.part import Part
from scout.store.rows import moment, when


@dataclass(frozen=True, slots=True)
class Delivery:
    reader: str
    day: date
    channel: str
    sent: bool
    failures: int
    message: str
    """Why the last try failed; empty once it is sent."""
    at: datetime


class Deliveries(Part):
    def sent(self, reader: str, day: date, channel: str, at: datetime) -> None:
        """It was taken by the other side."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO deliveries (reader, date, channel, sent, at) VALUES (?, ?, ?, 1, ?) "
                "ON CONFLICT DO UPDATE SET sent = 1, message = '', at = excluded.at",
                (reader, day.isoformat(), channel, when(at)),
            )

    def failed(self, reader: str, day: date, channel: str, at: datetime, message: str) -> None:
        """It was not; what was sent before stays sent."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO deliveries (reader, date, channel, failures, message, at) VALUES (?, ?, ?, 1, ?, ?) "
                "ON CONFLICT DO UPDATE SET failures = failures + 1, message = excluded.message, at = excluded.at "
                "WHERE sent = 0",
                (reader, day.isoformat(), channel, message, when(at)),
            )

    def unsent(self, reader: str, channel: str, *, today: date, since: date) -> list[date]:
        """Days whose digest holds items and was not sent by that channel, the oldest first.

        Today's always counts; an older one, from `since` on, where the channel had this reader's digests by then: one
        that was set up today is not sent what was there before.
        """
        rows = self.store.rows(
            "SELECT d.date FROM digests d WHERE d.reader = ? AND d.size > 0 AND d.date <= ? AND d.date >= "
            "  max(?, min(?, coalesce((SELECT min(date) FROM deliveries WHERE reader = d.reader AND channel = ?), ?))) "
            "AND NOT EXISTS (SELECT 1 FROM deliveries s WHERE s.reader = d.reader AND s.date = d.date "
            "  AND s.channel = ? AND s.sent = 1) ORDER BY d.date",
            reader, today.isoformat(), since.isoformat(), today.isoformat(), channel, today.isoformat(), channel,
        )  # fmt: skip
        return [date.fromisoformat(row["date"]) for row in rows]

    def newest(self) -> list[Delivery]:
        """The newest of each reader and channel."""
        rows = self.store.rows(
            "SELECT * FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM deliveries l WHERE l.reader = d.reader "
            "AND l.channel = d.channel AND l.date > d.date) ORDER BY channel, reader"
        )
        return [
            Delivery(row["reader"], date.fromisoformat(row["date"]), row["channel"], bool(row["sent"]), row["failures"],
                     row["message"], moment(row["at"]))
            for row in rows
        ]  # fmt: skip

    def counts(self) -> list[tuple[str, bool, int]]:
        """(channel, whether it was sent, how many)."""
        sql = "SELECT channel, sent, count(*) AS n FROM deliveries GROUP BY channel, sent ORDER BY channel, sent"
        return [(row["channel"], bool(row["sent"]), row["n"]) for row in self.store.rows(sql)]
