"""Results of measures that are worth a line over time, such as those of `scout eval triage`. Append-only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scout.store.part import Part
from scout.store.rows import moment, pack, unpack, when


@dataclass(frozen=True, slots=True)
class Measure:
    kind: str
    """What was measured: `triage`, `routing`."""
    name: str
    """On what: the pick or reader."""
    recipe: str
    at: datetime
    figures: Mapping[str, float | None]
    about: Mapping[str, Any]
    """How, so that only like is put beside like."""


class Measures(Part):
    def add(
        self, *, kind: str, name: str, recipe: str, at: datetime, figures: Mapping[str, float | None],
        about: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO measures (kind, name, recipe, at, figures, about) VALUES (?,?,?,?,?,?)",
                (kind, name, recipe, when(at), pack(dict(figures)), pack(dict(about or {}))),
            )

    def listing(self, kind: str, *, limit: int = 200) -> list[Measure]:
        """The newest, oldest of them first."""
        rows = self.store.rows("SELECT * FROM measures WHERE kind = ? ORDER BY id DESC LIMIT ?", kind, limit)
        return [
            Measure(
                row["kind"], row["name"], row["recipe"], moment(row["at"]), unpack(row["figures"]), unpack(row["about"])
            )
            for row in reversed(rows)
        ]
