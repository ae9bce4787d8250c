"""Feedback: an append-only log of readers' words. What is current is a view; undoing is another row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from scout.items import Aspect, Feedback, ItemId
from scout.store.part import Part
from scout.store.rows import batches, marks, moment, pack, unpack, when


def _feedback(row: Mapping[str, Any]) -> Feedback:
    return Feedback(
        reader=row["reader"],
        item_id=row["item_id"],
        aspect=Aspect(row["aspect"]),
        value=row["value"],
        at=moment(row["at"]),
        reasons=tuple(unpack(row["reasons"])),
        origin=row["origin"],
        token=row["token"] or "",
        id=row["id"],
    )


class FeedbackLog(Part):
    def add(self, feedback: Feedback) -> int:
        """Append a word; its row's id. A token seen before appends nothing and gives the earlier row's id."""
        with self.store.writing() as db:
            if feedback.token:
                seen = db.conn.execute("SELECT id FROM feedback WHERE token = ?", (feedback.token,)).fetchone()
                if seen:
                    return int(seen[0])
            cursor = db.conn.execute(
                "INSERT INTO feedback (reader, item_id, aspect, value, reasons, origin, at, token) VALUES (?,?,?,?,?,?,?,?)",
                (feedback.reader, feedback.item_id, feedback.aspect, feedback.value, pack(feedback.reasons),
                 feedback.origin, when(feedback.at), feedback.token or None),
            )  # fmt: skip
            return int(cursor.lastrowid or 0)

    def undo(
        self, reader: str, *, item: ItemId | None = None, feedback_id: int | None = None, aspect: Aspect | None = None,
        at: datetime, origin: str = "cli",
    ) -> Feedback | None:  # fmt: skip
        """Take back the reader's newest live word (on that item, of that aspect, or that very row); None if there is none."""
        where, params = ["reader = ?"], list[Any]([reader])
        for column, value in (("item_id", item), ("id", feedback_id), ("aspect", aspect)):
            if value is not None:
                where.append(f"{column} = ?")
                params.append(value)
        with self.store.writing() as db:
            rows = self.store.rows(
                f"SELECT * FROM feedback_live WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT 1",
                *params,
            )
            if not rows:
                return None
            taken = _feedback(rows[0])
            db.conn.execute(
                "INSERT INTO feedback (reader, item_id, aspect, origin, at, undoes) VALUES (?, ?, 'undo', ?, ?, ?)",
                (reader, taken.item_id, origin, when(at), taken.id),
            )
        return taken

    def current(self, reader: str, item_ids: Collection[ItemId] | None = None) -> dict[ItemId, dict[Aspect, Feedback]]:
        """Item → aspect → the reader's word on it now; of all items, or of those asked for."""
        rows: list[dict[str, Any]] = []
        if item_ids is None:
            rows = self.store.rows("SELECT * FROM feedback_current WHERE reader = ?", reader)
        else:
            for batch in batches(dict.fromkeys(item_ids)):
                sql = f"SELECT * FROM feedback_current WHERE reader = ? AND item_id IN ({marks(batch)})"
                rows += self.store.rows(sql, reader, *batch)
        found: dict[ItemId, dict[Aspect, Feedback]] = {}
        for row in rows:
            found.setdefault(row["item_id"], {})[Aspect(row["aspect"])] = _feedback(row)
        return found

    def _of_aspect(self, reader: str | None, aspect: Aspect, order: str = "id") -> list[Feedback]:
        if reader is None:
            rows = self.store.rows(f"SELECT * FROM feedback_current WHERE aspect = ? ORDER BY {order}", aspect)
        else:
            sql = f"SELECT * FROM feedback_current WHERE reader = ? AND aspect = ? ORDER BY {order}"
            rows = self.store.rows(sql, reader, aspect)
        return [_feedback(row) for row in rows]

    def newest_thumbs(self, reader: str, limit: int) -> list[Feedback]:
        """The newest of the thumbs that stand, oldest of them first."""
        sql = (
            "SELECT * FROM feedback_current WHERE reader = ? AND aspect = ? AND value IN ('up', 'down') "
            "ORDER BY id DESC LIMIT ?"
        )
        return [_feedback(row) for row in reversed(self.store.rows(sql, reader, Aspect.THUMB, limit))]

    def thumbs(self, reader: str) -> list[Feedback]:
        """The thumbs that stand, oldest first. A thumb taken away is none."""
        return [word for word in self._of_aspect(reader, Aspect.THUMB) if word.value in ("up", "down")]

    def others_thumbs(self, reader: str, limit: int = -1) -> list[Feedback]:
        """The standing thumbs of every other reader, the newest `limit` of them or all, oldest first."""
        sql = (
            "SELECT * FROM feedback_current WHERE reader != ? AND aspect = ? AND value IN ('up', 'down') "
            "ORDER BY id DESC LIMIT ?"
        )
        return [_feedback(row) for row in reversed(self.store.rows(sql, reader, Aspect.THUMB, limit))]

    def saved(self, reader: str) -> list[Feedback]:
        """What the reader keeps, the newest first."""
        return [word for word in self._of_aspect(reader, Aspect.SAVED, "id DESC") if word.value == "yes"]

    def hidden(self, reader: str) -> set[ItemId]:
        return {word.item_id for word in self._of_aspect(reader, Aspect.HIDDEN) if word.value == "yes"}

    def corrections(self, reader: str) -> dict[ItemId, str]:
        """Item → the subject the reader says it belongs to."""
        return {word.item_id: word.value for word in self._of_aspect(reader, Aspect.SUBJECT)}

    def history(self, reader: str, *, item: ItemId | None = None, limit: int = 100) -> list[Feedback]:
        """The reader's live words, the newest first."""
        clause, params = ("AND item_id = ?", [item]) if item is not None else ("", [])
        sql = f"SELECT * FROM feedback_live WHERE reader = ? {clause} ORDER BY id DESC LIMIT ?"
        return [_feedback(row) for row in self.store.rows(sql, reader, *params, limit)]

    def counts(self) -> dict[str, int]:
        """`thumb up` and so on → how many stand, over all readers."""
        rows = self.store.rows(
            "SELECT aspect || ' ' || value AS what, count(*) AS n FROM feedback_current GROUP BY what ORDER BY what"
        )
        return {row["what"]: row["n"] for row in rows}

    def newest_id(self) -> int:
        """The newest row's id: changes whenever anything was said."""
        return int(self.store.value("SELECT coalesce(max(id), 0) FROM feedback"))
