"""Researches of items: what each came to, and its transcript, saved a step at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scout.items import ItemId
from scout.store.part import Part
from scout.store.rows import moment, moment_or_none, pack, unpack, when


@dataclass(frozen=True, slots=True)
class ResearchRow:
    id: int
    item_id: ItemId
    started: datetime
    finished: datetime | None
    """None while it is under way, or waits for its model."""
    ending: str
    """A `scout.agent.limits.Ending`; empty while there is none."""
    model: str
    prompt: str
    """Name and version of the prompt it began with."""
    fence: str
    brief: Mapping[str, Any] | None
    message: str
    """For people: why it waits."""


def _row(row: Mapping[str, Any]) -> ResearchRow:
    return ResearchRow(
        row["id"], row["item_id"], moment(row["started"]), moment_or_none(row["finished"]), row["ending"], row["model"],
        row["prompt"], row["fence"], unpack(row["brief"]) if row["brief"] else None, row["message"],
    )  # fmt: skip


class Researches(Part):
    def begin(self, item_id: ItemId, at: datetime, *, fence: str, prompt: str) -> int:
        """Its id."""
        with self.store.writing() as db:
            cursor = db.conn.execute(
                "INSERT INTO researches (item_id, started, fence, prompt) VALUES (?, ?, ?, ?)",
                (item_id, when(at), fence, prompt),
            )
            return int(cursor.lastrowid or 0)

    def save(self, id: int, number: int, step: Mapping[str, Any], at: datetime) -> None:
        """The step at that place of the transcript."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO research_steps (research, number, at, step) VALUES (?, ?, ?, ?)",
                (id, number, when(at), pack(step)),
            )

    def wait(self, id: int, message: str) -> None:
        """It cannot go on now; the message says why."""
        with self.store.writing() as db:
            db.conn.execute("UPDATE researches SET message = ? WHERE id = ?", (message, id))

    def finish(self, id: int, at: datetime, *, ending: str, model: str, brief: Mapping[str, Any] | None) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "UPDATE researches SET finished = ?, ending = ?, model = ?, brief = ?, message = '' WHERE id = ?",
                (when(at), ending, model, None if brief is None else pack(brief), id),
            )

    def of(self, item_id: ItemId) -> list[ResearchRow]:
        """The newest first."""
        rows = self.store.rows("SELECT * FROM researches WHERE item_id = ? ORDER BY id DESC", item_id)
        return [_row(row) for row in rows]

    def unfinished(self, item_id: ItemId) -> ResearchRow | None:
        """The one to go on with, where the newest has no end yet."""
        found = self.of(item_id)
        return found[0] if found and found[0].finished is None else None

    def answered(self, item_id: ItemId) -> ResearchRow | None:
        """The newest that came to a brief."""
        return next((row for row in self.of(item_id) if row.brief is not None), None)

    def steps(self, id: int) -> list[dict[str, Any]]:
        """Its transcript, in order."""
        rows = self.store.rows("SELECT step FROM research_steps WHERE research = ? ORDER BY number", id)
        return [unpack(row["step"]) for row in rows]
