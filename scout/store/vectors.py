"""Vectors: what a model that embeds made of items, kept by item and model so that nothing is asked for twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from scout.items import Item, ItemId
from scout.store.part import Part
from scout.store.rows import batches, marks, when
from scout.store.summaries import text_hash

Floats = NDArray[np.float32]


class Vectors(Part):
    def write(self, model: str, pairs: Iterable[tuple[Item, Floats]], at: datetime) -> None:
        """Each item's vector, in place of an older one by the same model."""
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT OR REPLACE INTO vectors (model, item_id, text_hash, vector, made_at) VALUES (?,?,?,?,?)",
                [(model, item.id, text_hash(item), vector.astype("<f2").tobytes(), when(at)) for item, vector in pairs],
            )

    def of(self, model: str, item_ids: Iterable[ItemId]) -> dict[ItemId, Floats]:
        """The vectors that this model made of these items; those without one are left out."""
        found: dict[ItemId, Floats] = {}
        for batch in batches(dict.fromkeys(item_ids)):
            sql = f"SELECT item_id, vector FROM vectors WHERE model = ? AND item_id IN ({marks(batch)})"
            for row in self.store.rows(sql, model, *batch):
                found[row["item_id"]] = np.frombuffer(row["vector"], "<f2").astype(np.float32)
        return found

    def lacking(self, model: str, items: Iterable[Item]) -> list[Item]:
        """Those of `items`, in their order, of which this model has made no vector, or one of another text."""
        wanted = list(items)
        known: dict[ItemId, str] = {}
        for batch in batches(dict.fromkeys(item.id for item in wanted)):
            sql = f"SELECT item_id, text_hash FROM vectors WHERE model = ? AND item_id IN ({marks(batch)})"
            known |= {row["item_id"]: row["text_hash"] for row in self.store.rows(sql, model, *batch)}
        return [item for item in wanted if known.get(item.id) != text_hash(item)]

    def newest_model(self) -> str:
        """The model that made the newest vector; empty where there is none."""
        return str(self.store.value("SELECT model FROM vectors ORDER BY made_at DESC LIMIT 1") or "")

    def count(self, model: str) -> int:
        return int(self.store.value("SELECT count(*) FROM vectors WHERE model = ?", model))
