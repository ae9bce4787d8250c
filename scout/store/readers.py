"""Readers: their names, the subjects they follow, whether they have been welcomed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scout.store.part import Part
from scout.store.rows import moment, pack, unpack, when


@dataclass(frozen=True, slots=True)
class ReaderRow:
    name: str
    created: datetime
    subjects: tuple[str, ...] | None
    """Slugs followed; None means all there are."""
    onboarded: bool


def _row(row: Mapping[str, Any]) -> ReaderRow:
    subjects = None if row["subjects"] is None else tuple(unpack(row["subjects"]))
    return ReaderRow(row["name"], moment(row["created"]), subjects, bool(row["onboarded"]))


class Readers(Part):
    def ensure(self, name: str, at: datetime) -> ReaderRow:
        """The reader of that name, made if there is none."""
        found = self.get(name)
        if found is None:
            with self.store.writing() as db:
                db.conn.execute("INSERT OR IGNORE INTO readers (name, created) VALUES (?, ?)", (name, when(at)))
            found = self.get(name)
        assert found is not None
        return found

    def get(self, name: str) -> ReaderRow | None:
        rows = self.store.rows("SELECT * FROM readers WHERE name = ?", name)
        return _row(rows[0]) if rows else None

    def all(self) -> list[ReaderRow]:
        return [_row(row) for row in self.store.rows("SELECT * FROM readers ORDER BY created, name")]

    def follow(self, name: str, slugs: Collection[str] | None) -> None:
        """Follow these subjects only; None follows all."""
        value = None if slugs is None else pack(sorted(slugs))
        with self.store.writing() as db:
            db.conn.execute("UPDATE readers SET subjects = ? WHERE name = ?", (value, name))

    def onboarded(self, name: str) -> None:
        with self.store.writing() as db:
            db.conn.execute("UPDATE readers SET onboarded = 1 WHERE name = ?", (name,))
