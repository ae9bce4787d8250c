"""Sources: where items come from, how each poll ended, and when the next one may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from scout.items import Health, OutcomeKind, SourceKind
from scout.store.part import Part
from scout.store.rows import moment, moment_or_none, pack, unpack, when, when_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    id: str
    kind: SourceKind
    url: str
    title: str
    origin: str
    """`default`, `user` or `opml`."""
    added_at: datetime
    paused: bool = False
    gone: bool = False
    removed: bool = False
    state: Mapping[str, Any] = field(default_factory=dict)
    """The source's own memory: validators, watermark."""
    failures: int = 0
    """Failed polls in a row."""
    last_poll: datetime | None = None
    last_success: datetime | None = None
    next_poll: datetime | None = None
    cooling_until: datetime | None = None
    outcome: OutcomeKind | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRow:
    """What became of one poll."""

    source: str
    run: str | None
    started: datetime
    seconds: float
    outcome: OutcomeKind
    message: str
    status: int | None
    new: int
    updated: int
    bytes: int


def health(row: SourceRow, now: datetime) -> Health:
    """A source at a glance."""
    if row.gone:
        return Health.GONE
    if row.paused:
        return Health.PAUSED
    if row.outcome is None:
        return Health.NEW
    if not row.outcome.is_success:
        return Health.COOLING if row.outcome is OutcomeKind.BUSY else Health.FAILING
    return Health.COOLING if row.cooling_until and row.cooling_until > now else Health.OK


def _row(row: Mapping[str, Any]) -> SourceRow:
    return SourceRow(
        id=row["id"],
        kind=SourceKind(row["kind"]),
        url=row["url"],
        title=row["title"],
        origin=row["origin"],
        added_at=moment(row["added_at"]),
        paused=bool(row["paused"]),
        gone=bool(row["gone"]),
        removed=bool(row["removed"]),
        state=unpack(row["state"]),
        failures=row["failures"],
        last_poll=moment_or_none(row["last_poll"]),
        last_success=moment_or_none(row["last_success"]),
        next_poll=moment_or_none(row["next_poll"]),
        cooling_until=moment_or_none(row["cooling_until"]),
        outcome=OutcomeKind(row["outcome"]) if row["outcome"] else None,
        message=row["message"],
    )


class Sources(Part):
    def all(self, *, removed: bool = False) -> list[SourceRow]:
        """Every source, in the order of their ids; those a user removed only with `removed`."""
        return [
            _row(row) for row in self.store.rows("SELECT * FROM sources WHERE removed <= ? ORDER BY id", int(removed))
        ]

    def get(self, id: str) -> SourceRow | None:
        rows = self.store.rows("SELECT * FROM sources WHERE id = ?", id)
        return _row(rows[0]) if rows else None

    def find(self, ref: str) -> SourceRow | None:
        """By id, else by address, else by title."""
        for column in ("id", "url", "title"):
            rows = self.store.rows(f"SELECT * FROM sources WHERE removed = 0 AND {column} = ? ORDER BY id", ref)
            if rows:
                return _row(rows[0])
        return None

    def add(self, id: str, kind: SourceKind, url: str, *, title: str = "", origin: str = "user", at: datetime) -> bool:
        """Add a source; one that was removed comes back, unless it is the shipped list that brings it. False if there."""
        back = "" if origin == "default" else ", removed = 0, paused = 0, gone = 0, url = excluded.url"
        with self.store.writing() as db:
            before = self.get(id)
            db.conn.execute(
                "INSERT INTO sources (id, kind, url, title, origin, added_at) VALUES (?,?,?,?,?,?) "
                f"ON CONFLICT(id) DO UPDATE SET kind = excluded.kind{back}",
                (id, kind, url, title, origin, when(at)),
            )
            return before is None or (before.removed and origin != "default")

    def set_url(self, id: str, url: str) -> None:
        """Where a configured source is now; its validators belong to the old address and go."""
        with self.store.writing() as db:
            db.conn.execute("UPDATE sources SET url = ?, state = '{}' WHERE id = ? AND url != ?", (url, id, url))

    def remove(self, id: str) -> bool:
        """Stop polling for good. Its items stay."""
        with self.store.writing() as db:
            return db.conn.execute("UPDATE sources SET removed = 1 WHERE id = ? AND removed = 0", (id,)).rowcount > 0

    def pause(self, id: str, *, on: bool) -> bool:
        """Pause, or go on: going on also forgets a 410, failures and cooling."""
        sql = "UPDATE sources SET paused = 1 WHERE id = ?"
        if not on:
            sql = "UPDATE sources SET paused = 0, gone = 0, failures = 0, cooling_until = NULL WHERE id = ?"
        with self.store.writing() as db:
            return db.conn.execute(sql, (id,)).rowcount > 0

    def record(
        self, poll: PollRow, *, state: Mapping[str, Any], failures: int, next_poll: datetime,
        cooling_until: datetime | None, title: str = "", moved_to: str | None = None,
    ) -> None:  # fmt: skip
        """Write down how a poll ended and what the source is to remember."""
        ended = poll.started + timedelta(seconds=poll.seconds)
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO polls (run, source, started, seconds, outcome, message, status, new, updated, bytes) "
                "VALUES (?,?,?,?,?,?,?,?,?,?)",
                (poll.run, poll.source, when(poll.started), poll.seconds, poll.outcome, poll.message, poll.status,
                 poll.new, poll.updated, poll.bytes),
            )  # fmt: skip
            db.conn.execute(
                "UPDATE sources SET state=?, failures=?, last_poll=?, next_poll=?, cooling_until=?, outcome=?, message=?, "
                "gone = CASE WHEN ? THEN 1 ELSE gone END, last_success = CASE WHEN ? THEN ? ELSE last_success END, "
                "title = CASE WHEN title = '' OR (? != '' AND origin != 'user') THEN ? ELSE title END, "
                "url = coalesce(?, url) WHERE id=?",
                (pack(dict(state)), failures, when(ended), when(next_poll), when_or_none(cooling_until), poll.outcome,
                 poll.message, poll.outcome is OutcomeKind.GONE, poll.outcome.is_success, when(ended), title, title,
                 moved_to, poll.source),
            )  # fmt: skip

    def items_week(self, now: datetime) -> dict[str, int]:
        """Source → items it first brought in the last seven days."""
        rows = self.store.rows(
            "SELECT source, count(*) AS n FROM items WHERE first_seen >= ? GROUP BY +source",  # + : by the index of times
            when(now - timedelta(days=7)),
        )
        return {row["source"]: row["n"] for row in rows}

    def polls(self, *, source: str | None = None, run: str | None = None, limit: int = 50) -> list[PollRow]:
        """Polls, the newest first."""
        where, params = ["1"], list[Any]()
        for column, value in (("source", source), ("run", run)):
            if value is not None:
                where.append(f"{column} = ?")
                params.append(value)
        sql = f"SELECT * FROM polls WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?"
        rows = self.store.rows(sql, *params, limit)
        return [
            PollRow(
                source=row["source"],
                run=row["run"],
                started=moment(row["started"]),
                seconds=row["seconds"],
                outcome=OutcomeKind(row["outcome"]),
                message=row["message"],
                status=row["status"],
                new=row["new"],
                updated=row["updated"],
                bytes=row["bytes"],
            )
            for row in rows
        ]
