"""Manners that outlive a process: when a host or service was last asked, and until when it wants peace.

The clock may move back: a record from the future never makes anyone wait longer than the spacing asked for.
"""

from __future__ import annotations

from datetime import datetime

from scout.store.part import Part
from scout.store.rows import moment, moment_or_none, when


class Hosts(Part):
    def claim(self, name: str, spacing: float, now: datetime) -> float:
        """Claim that a request starts now, at least `spacing` seconds after the last one.

        Returns 0.0 where it may; else nothing is claimed, and the seconds returned are to pass before asking again.
        """
        with self.store.writing() as db:
            row = db.conn.execute("SELECT last_request FROM hosts WHERE name = ?", (name,)).fetchone()
            wait = 0.0
            if row and row[0]:
                since = (now - moment(row[0])).total_seconds()
                wait = spacing if since < 0 else max(0.0, spacing - since)
                if 0 <= since < spacing:
                    return wait
            db.conn.execute(  # where the clock moved back too: from now on, not from a moment that lies ahead
                "INSERT INTO hosts (name, last_request) VALUES (?, ?) "
                "ON CONFLICT(name) DO UPDATE SET last_request = excluded.last_request",
                (name, when(now)),
            )
        return wait

    def cool(self, name: str, until: datetime, now: datetime) -> None:
        """Ask nothing of it before `until`."""
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT INTO hosts (name, cooling_since, cooling_until) VALUES (?, ?, ?) ON CONFLICT(name) DO UPDATE "
                "SET cooling_since = excluded.cooling_since, cooling_until = excluded.cooling_until",
                (name, when(now), when(until)),
            )

    def cooling(self, name: str, now: datetime) -> datetime | None:
        """Until when it wants peace, or None. A cooldown set in the future (the clock moved back) counts no more."""
        rows = self.store.rows("SELECT cooling_since, cooling_until FROM hosts WHERE name = ?", name)
        since = moment_or_none(rows[0]["cooling_since"]) if rows else None
        until = moment_or_none(rows[0]["cooling_until"]) if rows else None
        if since is None or until is None or since > now or until <= now:
            return None
        return until
