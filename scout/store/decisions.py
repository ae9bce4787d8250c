"""Decisions: the newest one of each reader on each item, with the policy that made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from scout.items import Contribution, Decision, ItemId, Lane
from scout.store.items import COLUMNS, Stored, stored_of
from scout.store.part import Part
from scout.store.rows import batches, marks, pack, unpack, when


def _decision(row: Mapping[str, Any]) -> Decision:
    return Decision(
        item_id=row["item_id"],
        reader=row["reader"],
        policy=row["policy"],
        subject=row["subject"],
        subjects=unpack(row["subjects"]),
        probability=row["probability"],
        lane=Lane(row["lane"]),
        why=tuple(Contribution(feature, weight) for feature, weight in unpack(row["why"])),
    )


class Decisions(Part):
    def write(self, decisions: Iterable[Decision], at: datetime, *, run: str | None = None) -> None:
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT OR REPLACE INTO decisions "
                "(item_id, reader, policy, subject, subjects, probability, lane, why, made_at, run) VALUES (?,?,?,?,?,?,?,?,?,?)",
                [
                    (d.item_id, d.reader, d.policy, d.subject, pack(dict(d.subjects)), d.probability, d.lane,
                     pack([[part.feature, part.weight] for part in d.why]), when(at), run)
                    for d in decisions
                ],
            )  # fmt: skip

    def of(self, reader: str, item_ids: Iterable[ItemId]) -> dict[ItemId, Decision]:
        found: dict[ItemId, Decision] = {}
        for batch in batches(dict.fromkeys(item_ids)):
            sql = f"SELECT * FROM decisions WHERE reader = ? AND item_id IN ({marks(batch)})"
            found |= {row["item_id"]: _decision(row) for row in self.store.rows(sql, reader, *batch)}
        return found

    def undecided(self, reader: str, *, after_seq: int) -> list[Stored]:
        """Items after `after_seq` on which nothing was decided for this reader, in the order of arrival."""
        sql = (
            f"SELECT {COLUMNS} FROM items i WHERE seq > ? "
            "AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.item_id = i.id AND d.reader = ?) ORDER BY seq"
        )
        return [stored_of(row) for row in self.store.rows(sql, after_seq, reader)]

    def undecided_ids(self, reader: str, *, until_seq: int) -> list[ItemId]:
        """The same up to `until_seq`, ids alone: there may be a million."""
        sql = (
            "SELECT i.id FROM items i WHERE seq <= ? "
            "AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.item_id = i.id AND d.reader = ?) ORDER BY seq"
        )
        return [row["id"] for row in self.store.rows(sql, until_seq, reader)]

    def counts(self, reader: str | None = None) -> dict[str, int]:
        """Lane → how many decisions."""
        sql = "SELECT lane, count(*) AS n FROM decisions WHERE coalesce(reader = ?, 1) GROUP BY lane"
        return {row["lane"]: row["n"] for row in self.store.rows(sql, reader)}
