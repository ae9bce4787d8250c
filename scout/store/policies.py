"""Policies as they were fitted, and which of them serves each reader. Who may serve is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scout.store.part import Part
from scout.store.rows import moment, pack, unpack, when


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    version: str
    reader: str
    recipe: str
    made_at: datetime
    training: str
    """Fingerprint of what it was fitted on."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    weights: bytes = b""


@dataclass(frozen=True, slots=True)
class Reign:
    version: str
    at: datetime
    reason: str


def _row(row: Mapping[str, Any]) -> PolicyRow:
    return PolicyRow(
        version=row["version"], reader=row["reader"], recipe=row["recipe"], made_at=moment(row["made_at"]),
        training=row["training"], facts=unpack(row["facts"]), weights=row["weights"],
    )  # fmt: skip


class Policies(Part):
    def save(self, policy: PolicyRow) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO policies (version, reader, recipe, made_at, training, facts, weights) VALUES (?,?,?,?,?,?,?) "
                "ON CONFLICT(version) DO UPDATE SET training = excluded.training, facts = excluded.facts, "
                "weights = excluded.weights",
                (policy.version, policy.reader, policy.recipe, when(policy.made_at), policy.training,
                 pack(dict(policy.facts)), policy.weights),
            )  # fmt: skip

    def get(self, version: str) -> PolicyRow | None:
        rows = self.store.rows("SELECT * FROM policies WHERE version = ?", version)
        return _row(rows[0]) if rows else None

    def champion(self, reader: str) -> PolicyRow | None:
        """The policy that serves this reader."""
        version = self.store.value("SELECT version FROM champions WHERE reader = ? ORDER BY id DESC LIMIT 1", reader)
        return self.get(version) if version else None

    def crown(self, reader: str, version: str, at: datetime, *, reason: str) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO champions (reader, version, at, reason) VALUES (?, ?, ?, ?)",
                (reader, version, when(at), reason),
            )

    def reigns(self, reader: str) -> list[Reign]:
        """Who served since when and why, the newest first."""
        sql = "SELECT version, at, reason FROM champions WHERE reader = ? ORDER BY id DESC"
        return [Reign(row["version"], moment(row["at"]), row["reason"]) for row in self.store.rows(sql, reader)]

    def decided(self, version: str) -> int:
        """How many items' newest decision is this version's."""
        return int(self.store.value("SELECT count(*) FROM decisions WHERE policy = ?", version))

    def listing(self, reader: str, *, limit: int = 50) -> list[PolicyRow]:
        """A reader's policies, the newest first, without their weights."""
        sql = (
            "SELECT version, reader, recipe, made_at, training, facts, x'' AS weights FROM policies "
            "WHERE reader = ? ORDER BY made_at DESC LIMIT ?"
        )
        return [_row(row) for row in self.store.rows(sql, reader, limit)]

    def prune(self, reader: str, *, keep: int) -> int:
        """Forget the weights of all but the newest `keep` versions, the champion and whom the last promotion replaced.

        Their facts stay. Returns how many were emptied.
        """
        with self.store.writing() as db:
            return db.conn.execute(
                "UPDATE policies SET weights = x'' WHERE reader = ? AND length(weights) > 0 AND version NOT IN "
                "(SELECT version FROM policies WHERE reader = ? AND length(weights) > 0 ORDER BY made_at DESC LIMIT ?) "
                "AND version NOT IN (SELECT version FROM champions WHERE reader = ? ORDER BY id DESC LIMIT 1) "
                "AND version NOT IN (SELECT from_version FROM promotions WHERE reader = ? AND recipe NOT LIKE 'adapter:%' "
                "ORDER BY id DESC LIMIT 1)",
                (reader, reader, keep, reader, reader),
            ).rowcount
