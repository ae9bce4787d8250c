"""The stage ledger: what is done, keyed so that a killed run, started again, does each thing once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from scout.items import ItemId
from scout.store.part import Part
from scout.store.rows import batches, marks, when

SHORTLIST = "shortlist"
"""Stage: chosen for a model to read, for this reader."""
ENRICH = "enrich"
"""Stage: a model has read it for this reader, however that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a stage's work on an item depends on; a part that does not matter to a stage stays empty."""

    stage: str
    reader: str = ""
    policy: str = ""
    prompt_hash: str = ""
    model: str = ""


class Ledger(Part):
    def mark(self, key: Key, item_ids: Iterable[ItemId], at: datetime, *, run: str | None = None) -> None:
        """Write down that `key`'s work on these items is done; in the same transaction as its result."""
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT OR IGNORE INTO ledger (item_id, stage, reader, policy, prompt_hash, model, done_at, run) "
                "VALUES (?,?,?,?,?,?,?,?)",
                [(id, key.stage, key.reader, key.policy, key.prompt_hash, key.model, when(at), run) for id in item_ids],
            )

    def done(self, key: Key, item_ids: Iterable[ItemId]) -> set[ItemId]:
        """Which of these items have `key`'s work behind them."""
        found: set[ItemId] = set()
        for batch in batches(dict.fromkeys(item_ids)):
            rows = self.store.rows(
                f"SELECT item_id FROM ledger WHERE item_id IN ({marks(batch)}) "
                "AND stage = ? AND reader = ? AND policy = ? AND prompt_hash = ? AND model = ?",
                *batch, key.stage, key.reader, key.policy, key.prompt_hash, key.model,
            )  # fmt: skip
            found |= {row["item_id"] for row in rows}
        return found

    def knows(self, key: Key) -> bool:
        """Whether `key`'s work is done of any item."""
        sql = "SELECT 1 FROM ledger WHERE stage = ? AND reader = ? AND policy = ? AND prompt_hash = ? AND model = ? LIMIT 1"
        return bool(self.store.rows(sql, key.stage, key.reader, key.policy, key.prompt_hash, key.model))

    def waiting(self, reader: str) -> list[ItemId]:
        """What was shortlisted for this reader and no model has read yet, the newest arrivals first."""
        rows = self.store.rows(
            "SELECT l.item_id FROM ledger l JOIN items i ON i.id = l.item_id WHERE l.stage = ? AND l.reader = ? "
            "AND NOT EXISTS (SELECT 1 FROM ledger d WHERE d.item_id = l.item_id AND d.stage = ? AND d.reader = l.reader) "
            "ORDER BY i.seq DESC",
            SHORTLIST, reader, ENRICH,
        )  # fmt: skip
        return [row["item_id"] for row in rows]
