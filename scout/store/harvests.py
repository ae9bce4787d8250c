"""Harvests: bulk readings of arXiv's records, and where each goes on after it was interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from scout.store.part import Part
from scout.store.rows import moment, moment_or_none, when, when_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    set_name: str
    """arXiv's name of a set, such as `cs`; empty for everything."""
    first: date
    last: date
    day: date
    """The first day of the slice under way; after `last` once all is done."""
    started: datetime
    token: str = ""
    records: int = 0
    new: int = 0
    updated: int = 0
    deleted: int = 0
    left_out: int = 0
    pages: int = 0
    finished: datetime | None = None


class Harvests(Part):
    def begun(self, set_name: str, first: date, last: date, at: datetime) -> Harvest:
        """The harvest of this set and these days that was interrupted, else a new one."""
        rows = self.store.rows(
            "SELECT * FROM harvests WHERE set_name = ? AND first = ? AND last = ? AND finished IS NULL",
            set_name, first.isoformat(), last.isoformat(),
        )  # fmt: skip
        if not rows:
            return Harvest(set_name=set_name, first=first, last=last, day=first, started=at)
        row = rows[0]
        return Harvest(
            set_name=set_name, first=first, last=last, day=date.fromisoformat(row["day"]), token=row["token"],
            records=row["records"], new=row["new"], updated=row["updated"], deleted=row["deleted"],
            left_out=row["left_out"], pages=row["pages"], started=moment(row["started"]),
            finished=moment_or_none(row["finished"]),
        )  # fmt: skip

    def last_day(self, set_name: str, first: date) -> date | None:
        """Up to which day the harvest was asked for that begins on this one and was interrupted, if there is one."""
        rows = self.store.rows(
            "SELECT last FROM harvests WHERE set_name = ? AND first = ? AND finished IS NULL ORDER BY last DESC LIMIT 1",
            set_name, first.isoformat(),
        )  # fmt: skip
        return date.fromisoformat(rows[0]["last"]) if rows else None

    def put(self, harvest: Harvest) -> None:
        """Write down how far it is, in place of what was known of it."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT OR REPLACE INTO harvests (set_name, first, last, day, token, records, new, updated, deleted, left_out, "
                "pages, started, finished) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (harvest.set_name, harvest.first.isoformat(), harvest.last.isoformat(), harvest.day.isoformat(),
                 harvest.token, harvest.records, harvest.new, harvest.updated, harvest.deleted, harvest.left_out,
                 harvest.pages, when(harvest.started), when_or_none(harvest.finished)),
            )  # fmt: skip
