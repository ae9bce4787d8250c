"""Releases: open models as they appear on the Hub."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from scout.items import Release
from scout.store.part import Part
from scout.store.rows import batches, marks, moment, pack, unpack, when


class Releases(Part):
    def add(self, releases: Iterable[Release], at: datetime) -> int:
        """Store releases that are new; returns how many were."""
        with self.store.writing() as db:
            before = db.conn.total_changes
            db.conn.executemany(
                "INSERT INTO releases (id, author, published, url, tags, verdict, first_seen) VALUES (?,?,?,?,?,?,?) "
                "ON CONFLICT(id) DO NOTHING",
                [(r.id, r.author, when(r.published), r.url, pack(r.tags), r.verdict, when(at)) for r in releases],
            )
            return db.conn.total_changes - before

    def listing(
        self, *, since: datetime | None = None, until: datetime | None = None, limit: int = 50
    ) -> list[Release]:
        """Newest first, published in [since, until)."""
        rows = self.store.rows(
            "SELECT * FROM releases WHERE published >= ? AND published < ? ORDER BY published DESC, id LIMIT ?",
            when(since) if since else "", when(until) if until else "9999", limit,
        )  # fmt: skip
        return [
            Release(
                row["id"],
                row["author"],
                moment(row["published"]),
                row["url"],
                tuple(unpack(row["tags"])),
                row["verdict"],
            )
            for row in rows
        ]

    def published(self, ids: Iterable[str]) -> dict[str, datetime]:
        """When each came out, of those that are known."""
        found: dict[str, datetime] = {}
        for batch in batches(dict.fromkeys(ids)):
            sql = f"SELECT id, published FROM releases WHERE id IN ({marks(batch)})"
            found |= {row["id"]: moment(row["published"]) for row in self.store.rows(sql, *batch)}
        return found
