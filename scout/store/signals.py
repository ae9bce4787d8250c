"""Signals: what a community said of an item, the newest word of each kind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from scout.items import ItemId, Signal
from scout.store.part import Part
from scout.store.rows import batches, marks

HF_DAILY = "hf-daily"


class Signals(Part):
    def add(self, signals: Iterable[Signal]) -> None:
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT INTO signals (item_id, kind, day, value) VALUES (?, ?, ?, ?) "
                "ON CONFLICT(item_id, kind) DO UPDATE SET value = excluded.value, day = min(day, excluded.day)",
                [(signal.item_id, signal.kind, signal.day.isoformat(), signal.value) for signal in signals],
            )

    def of(self, item_ids: Iterable[ItemId]) -> dict[ItemId, list[Signal]]:
        found: dict[ItemId, list[Signal]] = {}
        for batch in batches(dict.fromkeys(item_ids)):
            for row in self.store.rows(f"SELECT * FROM signals WHERE item_id IN ({marks(batch)})", *batch):
                found.setdefault(row["item_id"], []).append(
                    Signal(row["item_id"], row["kind"], date.fromisoformat(row["day"]), row["value"])
                )
        return found

    def picks(
        self, *, kind: str = HF_DAILY, since: date | None = None, before: date | None = None
    ) -> dict[ItemId, float]:
        """What a community picked: item → its value (upvotes)."""
        rows = self.store.rows(
            "SELECT item_id, value FROM signals WHERE kind = ? AND day >= ? AND coalesce(day < ?, 1) ORDER BY day, item_id",
            kind, since.isoformat() if since else "", before.isoformat() if before else None,
        )  # fmt: skip
        return {row["item_id"]: row["value"] for row in rows}
