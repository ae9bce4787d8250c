"""Adapters of the served model: what each was made of, and which of them serves a reader. Who may serve is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scout.store.part import Part
from scout.store.policies import Reign
from scout.store.rows import moment, pack, unpack, when


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterRow:
    name: str
    """Under which it is served, and which names its folder. A version has one for good."""
    reader: str
    base: str
    """The model that it adapts, as that is served; empty where it was not known."""
    checksum: str
    """Of its files."""
    made_at: datetime
    run: str = ""
    """The training run; empty where it was brought in."""
    facts: Mapping[str, Any] = field(default_factory=dict)


class Adapters(Part):
    def add(self, adapter: AdapterRow) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO adapters (name, reader, run, base, checksum, made_at, facts) VALUES (?,?,?,?,?,?,?)",
                (adapter.name, adapter.reader, adapter.run, adapter.base, adapter.checksum, when(adapter.made_at),
                 pack(dict(adapter.facts))),
            )  # fmt: skip

    def get(self, name: str) -> AdapterRow | None:
        rows = self.store.rows("SELECT * FROM adapters WHERE name = ?", name)
        return _row(rows[0]) if rows else None

    def listing(self, reader: str, *, limit: int = 50) -> list[AdapterRow]:
        """The newest first."""
        sql = "SELECT * FROM adapters WHERE reader = ? ORDER BY made_at DESC, name LIMIT ?"
        return [_row(row) for row in self.store.rows(sql, reader, limit)]

    def serving(self, reader: str) -> str:
        """The adapter that the model reads with for this reader; empty for none."""
        return (
            self.store.value("SELECT name FROM adapter_reigns WHERE reader = ? ORDER BY id DESC LIMIT 1", reader) or ""
        )

    def served(self) -> frozenset[str]:
        """Adapters that serve any reader."""
        sql = "SELECT name FROM adapter_reigns WHERE id IN (SELECT max(id) FROM adapter_reigns GROUP BY reader) AND name != ''"
        return frozenset(row["name"] for row in self.store.rows(sql))

    def crown(self, reader: str, name: str, at: datetime, *, reason: str) -> None:
        """From now on the model reads with this adapter for the reader; with none where the name is empty."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO adapter_reigns (reader, name, at, reason) VALUES (?, ?, ?, ?)",
                (reader, name, when(at), reason),
            )

    def reigns(self, reader: str) -> list[Reign]:
        """Which served since when and why, the newest first."""
        sql = "SELECT name, at, reason FROM adapter_reigns WHERE reader = ? ORDER BY id DESC"
        return [Reign(row["name"], moment(row["at"]), row["reason"]) for row in self.store.rows(sql, reader)]


def _row(row: Mapping[str, Any]) -> AdapterRow:
    return AdapterRow(
        name=row["name"], reader=row["reader"], run=row["run"], base=row["base"], checksum=row["checksum"],
        made_at=moment(row["made_at"]), facts=unpack(row["facts"]),
    )  # fmt: skip
