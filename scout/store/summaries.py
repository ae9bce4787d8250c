"""Summaries: one of each author (`extractive`, or a model) of each item, with a hash of the text it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from scout.items import Item, ItemId, Point, Summary
from scout.store.part import Part
from scout.store.rows import batches, marks, pack, unpack, when

EXTRACTIVE = "extractive"


def text_hash(item: Item) -> str:
    """What a summary was made from: changes when the title or text does."""
    return hashlib.blake2b(f"{item.title}\x00{item.text}".encode(), digest_size=12).hexdigest()


class Summaries(Part):
    def write(self, pairs: Iterable[tuple[Item, Summary]], at: datetime) -> None:
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT OR REPLACE INTO summaries (item_id, by, tldr, points, text_hash, made_at) VALUES (?,?,?,?,?,?)",
                [
                    (s.item_id, s.by, s.tldr, pack([[point.text, list(point.cites)] for point in s.points]),
                     text_hash(item), when(at))
                    for item, s in pairs
                ],
            )  # fmt: skip

    def of(self, item_ids: Iterable[ItemId]) -> dict[ItemId, Summary]:
        """The summary to show of each: a model's before the extractive one."""
        found: dict[ItemId, Summary] = {}
        for batch in batches(dict.fromkeys(item_ids)):
            sql = f"SELECT * FROM summaries WHERE item_id IN ({marks(batch)}) ORDER BY by = 'extractive' DESC, made_at"
            for row in self.store.rows(sql, *batch):
                points = tuple(Point(text, tuple(cites)) for text, cites in unpack(row["points"]))
                found[row["item_id"]] = Summary(row["item_id"], row["tldr"], points, row["by"])
        return found

    def outdated(self, *, by: str) -> list[ItemId]:
        """The items whose text changed since `by` summarized them."""
        rows = self.store.rows("SELECT item_id FROM summaries WHERE by = ? AND text_hash = '' ORDER BY item_id", by)
        return [row["item_id"] for row in rows]

    def hashes(self, item_ids: Iterable[ItemId], *, by: str) -> dict[ItemId, str]:
        """Item → hash of the text that its summary by `by` was made from."""
        found: dict[ItemId, str] = {}
        for batch in batches(dict.fromkeys(item_ids)):
            sql = f"SELECT item_id, text_hash FROM summaries WHERE by = ? AND item_id IN ({marks(batch)})"
            found |= {row["item_id"]: row["text_hash"] for row in self.store.rows(sql, by, *batch)}
        return found

    def drop_stale(self, item: Item, *, by: str) -> None:
        """Forget that author's summary of the item if it was made from another text than the item has now."""
        with self.store.writing() as db:
            db.conn.execute(
                "DELETE FROM summaries WHERE item_id = ? AND by = ? AND text_hash != ?", (item.id, by, text_hash(item))
            )
