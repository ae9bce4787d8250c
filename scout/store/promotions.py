"""Challenges of a reader's champion, and who was promoted or rolled back. Append-only. Who may be is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from scout.store.part import Part
from scout.store.rows import moment, pack, unpack, when


class Action(StrEnum):
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    RESTORE = "restore"
    """Takes a rollback back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One comparison of two recipes on a reader's thumbs."""

    reader: str
    champion: str
    """Recipes, both."""
    challenger: str
    at: datetime
    by: str
    """`cli`, `run` or `dashboard`."""
    passed: bool
    evidence: Mapping[str, Any]
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A change of who serves a reader that was not a refit."""

    reader: str
    action: Action
    recipe: str
    version: str
    from_recipe: str
    from_version: str
    at: datetime
    by: str
    why: str = ""
    forced: bool = False
    """Without a gate that was passed."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    undoes: int | None = None
    id: int = 0


class Promotions(Part):
    def challenged(self, challenge: Challenge) -> int:
        """Write a challenge down; its id."""
        with self.store.writing() as db:
            cursor = db.conn.execute(
                "INSERT INTO challenges (reader, champion, challenger, at, by, passed, evidence) VALUES (?,?,?,?,?,?,?)",
                (challenge.reader, challenge.champion, challenge.challenger, when(challenge.at), challenge.by,
                 int(challenge.passed), pack(dict(challenge.evidence))),
            )  # fmt: skip
            return int(cursor.lastrowid or 0)

    def challenges(self, reader: str, *, challenger: str | None = None, limit: int = 20) -> list[Challenge]:
        """The newest first."""
        sql = "SELECT * FROM challenges WHERE reader = ? AND coalesce(challenger = ?, 1) ORDER BY id DESC LIMIT ?"
        return [
            Challenge(
                reader=row["reader"], champion=row["champion"], challenger=row["challenger"], at=moment(row["at"]),
                by=row["by"], passed=bool(row["passed"]), evidence=unpack(row["evidence"]), id=row["id"],
            )
            for row in self.store.rows(sql, reader, challenger, limit)
        ]  # fmt: skip

    def add(self, promotion: Promotion) -> int:
        with self.store.writing() as db:
            cursor = db.conn.execute(
                "INSERT INTO promotions (reader, action, recipe, version, from_recipe, from_version, at, by, why, forced, "
                "evidence, undoes) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                (promotion.reader, promotion.action, promotion.recipe, promotion.version, promotion.from_recipe,
                 promotion.from_version, when(promotion.at), promotion.by, promotion.why, int(promotion.forced),
                 pack(dict(promotion.evidence)), promotion.undoes),
            )  # fmt: skip
            return int(cursor.lastrowid or 0)

    def listing(self, reader: str, *, limit: int = 100) -> list[Promotion]:
        """The newest first."""
        sql = "SELECT * FROM promotions WHERE reader = ? ORDER BY id DESC LIMIT ?"
        return [_promotion(row) for row in self.store.rows(sql, reader, limit)]


def _promotion(row: Mapping[str, Any]) -> Promotion:
    return Promotion(
        reader=row["reader"], action=Action(row["action"]), recipe=row["recipe"], version=row["version"],
        from_recipe=row["from_recipe"], from_version=row["from_version"], at=moment(row["at"]), by=row["by"],
        why=row["why"], forced=bool(row["forced"]), evidence=unpack(row["evidence"]), undoes=row["undoes"], id=row["id"],
    )  # fmt: skip
