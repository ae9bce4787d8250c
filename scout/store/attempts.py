"""Attempts: items that a stage could not get done, and how often that was the item's own doing. A success forgets them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from scout.items import ItemId
from scout.store.ledger import Key
from scout.store.part import Part
from scout.store.rows import batches, marks, when

_OF_KEY = "stage = ? AND reader = ? AND policy = ? AND prompt_hash = ? AND model = ?"


@dataclass(frozen=True, slots=True)
class Attempt:
    item_id: ItemId
    text_hash: str
    failures: int
    """Tries, each in a run of its own, that failed with nothing else under way; 0 while it is only suspected."""
    message: str


class Attempts(Part):
    def of(self, key: Key, item_ids: Iterable[ItemId]) -> dict[ItemId, Attempt]:
        found: dict[ItemId, Attempt] = {}
        for batch in batches(dict.fromkeys(item_ids)):
            sql = f"SELECT item_id, text_hash, failures, message FROM attempts WHERE {_OF_KEY} AND item_id IN ({marks(batch)})"
            rows = self.store.rows(sql, *_parts(key), *batch)
            found |= {r["item_id"]: Attempt(r["item_id"], r["text_hash"], r["failures"], r["message"]) for r in rows}
        return found

    def about(self, item_id: ItemId, reader: str) -> Attempt | None:
        """The newest on an item for a reader, whatever it was made with."""
        sql = (
            "SELECT item_id, text_hash, failures, message FROM attempts WHERE item_id = ? AND reader = ? "
            "ORDER BY last_at DESC LIMIT 1"
        )
        rows = self.store.rows(sql, item_id, reader)
        return Attempt(**rows[0]) if rows else None

    def note(self, key: Key, attempt: Attempt, at: datetime, *, run: str | None = None) -> None:
        """Write the attempt down in place of what was known of that item."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO attempts (item_id, stage, reader, policy, prompt_hash, model, text_hash, failures, message, "
                "first_at, last_at, run) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) "
                "ON CONFLICT(item_id, stage, reader, policy, prompt_hash, model) DO UPDATE SET text_hash = excluded.text_hash, "
                "failures = excluded.failures, message = excluded.message, last_at = excluded.last_at, run = excluded.run",
                (attempt.item_id, *_parts(key), attempt.text_hash, attempt.failures, attempt.message, when(at), when(at), run),
            )  # fmt: skip

    def forget(self, key: Key, item_id: ItemId) -> None:
        with self.store.writing() as db:
            db.conn.execute(f"DELETE FROM attempts WHERE {_OF_KEY} AND item_id = ?", (*_parts(key), item_id))


def _parts(key: Key) -> tuple[str, str, str, str, str]:
    return key.stage, key.reader, key.policy, key.prompt_hash, key.model
