"""Digests, frozen once made, and the impressions they made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlite_utils import Database

from scout.items import Impression, ItemId, Lane, Slot
from scout.store.part import Part
from scout.store.rows import batches, marks, pack, unpack, when


class Digests(Part):
    def save(
        self, reader: str, day: date, *, made_at: datetime, policy: str, cutoff: int, snapshot: Mapping[str, Any],
        impressions: Sequence[Impression], run: str | None = None,
    ) -> None:  # fmt: skip
        """Freeze a digest and its impressions, in one transaction. One with items in it is never replaced.

        Raises:
            ValueError: a digest with items exists for that reader and day.
        """
        with self.store.writing() as db:
            size = self.store.value("SELECT size FROM digests WHERE reader = ? AND date = ?", reader, day.isoformat())
            if size:
                raise ValueError(f"the digest of {day} for {reader} is frozen")
            db.conn.execute(
                "INSERT OR REPLACE INTO digests (reader, date, made_at, policy, cutoff, size, snapshot, run) "
                "VALUES (?,?,?,?,?,?,?,?)",
                (reader, day.isoformat(), when(made_at), policy, cutoff, len(impressions), pack(dict(snapshot)), run),
            )
            insert_impressions(db, impressions)

    def get(self, reader: str, day: date) -> dict[str, Any] | None:
        """The snapshot as it was frozen."""
        text = self.store.value("SELECT snapshot FROM digests WHERE reader = ? AND date = ?", reader, day.isoformat())
        return unpack(text) if text else None

    def dates(self, reader: str) -> list[date]:
        """The days that have a digest, the newest first."""
        rows = self.store.rows("SELECT date FROM digests WHERE reader = ? ORDER BY date DESC", reader)
        return [date.fromisoformat(row["date"]) for row in rows]

    def last_cutoff(self, reader: str, *, before: date) -> int:
        """The newest item that a digest of an earlier day considered, as a place in the order of arrival; 0 for none."""
        return int(
            self.store.value(
                "SELECT coalesce(max(cutoff), 0) FROM digests WHERE reader = ? AND date < ?", reader, before.isoformat()
            )
        )

    def cutoffs(self, reader: str) -> dict[date, int]:
        """Day → the newest item that its digest considered; the oldest day first."""
        rows = self.store.rows("SELECT date, cutoff FROM digests WHERE reader = ? ORDER BY date", reader)
        return {date.fromisoformat(row["date"]): int(row["cutoff"]) for row in rows}

    def newest_cutoff(self, reader: str) -> int:
        """The newest item that any digest considered."""
        return int(self.store.value("SELECT coalesce(max(cutoff), 0) FROM digests WHERE reader = ?", reader))

    def shown(self, reader: str, item_ids: Iterable[ItemId]) -> set[ItemId]:
        """Which of these items were put before the reader already."""
        found: set[ItemId] = set()
        for batch in batches(dict.fromkeys(item_ids)):
            sql = f"SELECT item_id FROM impressions WHERE reader = ? AND item_id IN ({marks(batch)})"
            found |= {row["item_id"] for row in self.store.rows(sql, reader, *batch)}
        return found

    def impressions(
        self, reader: str, *, day: date | None = None, item: ItemId | None = None, missed: bool = False
    ) -> list[Impression]:
        """What the digests put before the reader, in their order; with `missed`, also what the weekly pages did."""
        where, params = ["reader = ?"], list[Any]([reader])
        if not missed:
            where.append("slot != 'missed'")
        for column, value in (("digest_date", day.isoformat() if day else None), ("item_id", item)):
            if value is not None:
                where.append(f"{column} = ?")
                params.append(value)
        sql = f"SELECT * FROM impressions WHERE {' AND '.join(where)} ORDER BY digest_date, position"
        return [
            Impression(
                row["reader"],
                row["item_id"],
                date.fromisoformat(row["digest_date"]),
                row["position"],
                Lane(row["lane"]),
                row["propensity"],
                row["policy"],
                Slot(row["slot"]),
            )
            for row in self.store.rows(sql, *params)
        ]


def insert_impressions(db: Database, impressions: Sequence[Impression]) -> None:
    """Within the caller's transaction."""
    db.conn.executemany(
        "INSERT INTO impressions (reader, digest_date, item_id, position, lane, propensity, policy, slot) "
        "VALUES (?,?,?,?,?,?,?,?)",
        [
            (i.reader, i.digest_date.isoformat(), i.item_id, i.position, i.lane, i.propensity, i.policy, i.slot)
            for i in impressions
        ],
    )
