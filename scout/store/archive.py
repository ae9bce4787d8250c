"""What was moved to files and is no more in the tables: which items, in which file. The files are `scout.keeping.archive`'s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scout.items import ItemId
from scout.store.part import Part
from scout.store.rows import batches, marks, moment, when
from scout.store.tidy import untouched

RELATED = (
    "aliases",
    "item_sources",
    "item_versions",
    "signals",
    "decisions",
    "summaries",
    "ledger",
    "readings",
    "attempts",
)
"""Tables whose rows of an item go with it and come back with it."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    file: str
    month: str
    items: int
    sha256: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """An item as it stands in the tables: its row, and by table the rows that belong to it."""

    item: Row
    related: Mapping[str, Sequence[Row]]


class Archive(Part):
    def months(self, before: datetime, *, up_to_seq: int) -> list[str]:
        """The months, oldest first, that have items to be moved; `up_to_seq` is the newest that every digest considered."""
        rows = self.store.rows(
            f"SELECT DISTINCT substr(i.first_seen, 1, 7) AS month FROM items i WHERE {_movable()} ORDER BY month",
            when(before), when(before), up_to_seq,
        )  # fmt: skip
        return [row["month"] for row in rows]

    def movable(
        self, month: str, before: datetime, *, up_to_seq: int, keep: Iterable[ItemId], limit: int
    ) -> list[ItemId]:
        """Items of that month of arrival that nobody was shown, thumbed, saved or had researched, in the order of arrival."""
        kept = set(keep)
        rows = self.store.rows(
            f"SELECT i.id FROM items i WHERE {_movable()} AND i.first_seen >= ? AND i.first_seen < ? ORDER BY i.seq LIMIT ?",
            when(before), when(before), up_to_seq, month, f"{month}~", limit + len(kept),
        )  # fmt: skip
        return [row["id"] for row in rows if row["id"] not in kept][:limit]

    def records(self, ids: Iterable[ItemId]) -> list[Record]:
        """Everything of these items, in the order of arrival."""
        found: list[Record] = []
        for batch in batches(ids):
            held = marks(batch)
            items = self.store.rows(f"SELECT * FROM items WHERE id IN ({held}) ORDER BY seq", *batch)
            related: dict[ItemId, dict[str, list[Row]]] = {}
            for table in RELATED:
                for row in self.store.rows(f"SELECT * FROM {table} WHERE item_id IN ({held})", *batch):
                    related.setdefault(row["item_id"], {}).setdefault(table, []).append(row)
            for row in self.store.rows(f"SELECT * FROM links WHERE later IN ({held})", *batch):
                related.setdefault(row["later"], {}).setdefault("links", []).append(row)
            found += [Record(row, related.get(row["id"], {})) for row in items]
        return found

    def move(self, file: ArchiveFile, ids: Iterable[ItemId]) -> int:
        """Note the file and take its items out of the tables, in one transaction; how many were taken out.

        One that was spoken of since it was written down stays: it is then in both, and restoring leaves it alone.
        """
        ids = list(ids)
        moved = 0
        with self.store.writing() as db:
            self.note(file)
            for batch in batches(ids):
                sql = f"SELECT i.seq, i.id, i.title, i.version FROM items i WHERE i.id IN ({marks(batch)}) AND {untouched()}"
                rows = self.store.rows(sql, *batch)
                gone, seqs = [row["id"] for row in rows], [row["seq"] for row in rows]
                db.conn.executemany(
                    "INSERT OR REPLACE INTO archived (id, file, title, version) VALUES (?, ?, ?, ?)",
                    [(row["id"], file.file, row["title"], row["version"]) for row in rows],
                )
                for table in RELATED:
                    db.conn.execute(f"DELETE FROM {table} WHERE item_id IN ({marks(gone)})", gone)
                db.conn.execute(
                    f"DELETE FROM links WHERE later IN ({marks(gone)}) OR earlier IN ({marks(gone)})", gone * 2
                )
                db.conn.execute(f"DELETE FROM thread_keys WHERE seq IN ({marks(seqs)})", seqs)
                moved += db.conn.execute(f"DELETE FROM items WHERE id IN ({marks(gone)})", gone).rowcount
        return moved

    def note(self, file: ArchiveFile) -> None:
        with self.store.writing() as db:
            db.conn.execute(
                "INSERT OR REPLACE INTO archive_files (file, month, items, sha256, made_at) VALUES (?,?,?,?,?)",
                (file.file, file.month, file.items, file.sha256, when(file.made_at)),
            )

    def put_back(self, records: Iterable[Record]) -> int:
        """Items into the tables again, at their old place in the order of arrival; how many were not there already."""
        back = 0
        with self.store.writing():
            for record in records:
                self.store.db.conn.execute("DELETE FROM archived WHERE id = ?", (record.item["id"],))
                if not self._insert("items", record.item):
                    continue
                back += 1
                for table, rows in record.related.items():
                    for row in rows:
                        self._insert(table, row)
        return back

    def _insert(self, table: str, row: Row) -> int:
        names = ", ".join(row)
        sql = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks(list(row))})"
        return self.store.db.conn.execute(sql, tuple(row.values())).rowcount

    def files(self) -> list[ArchiveFile]:
        """By month, then as they were made."""
        rows = self.store.rows("SELECT * FROM archive_files ORDER BY month, made_at")
        return [ArchiveFile(r["file"], r["month"], r["items"], r["sha256"], moment(r["made_at"])) for r in rows]

    def file_of(self, id: ItemId) -> str | None:
        """The file that holds an item which is no more in the tables."""
        found = self.store.value("SELECT file FROM archived WHERE id = ?", id)
        return None if found is None else str(found)

    def versions(self, ids: Iterable[ItemId]) -> dict[ItemId, int]:
        """Archived item → the version that it went with; those left out of which that is not known."""
        found: dict[ItemId, int] = {}
        for batch in batches(dict.fromkeys(ids)):
            sql = f"SELECT id, version FROM archived WHERE version IS NOT NULL AND id IN ({marks(batch)})"
            found |= {row["id"]: int(row["version"]) for row in self.store.rows(sql, *batch)}
        return found

    def titled(self, text: str, *, limit: int = 100) -> list[tuple[ItemId, str]]:
        """Archived items, newest ids first, whose title holds every one of these words somewhere."""
        words = [word for word in text.replace('"', " ").split() if word]
        if not words:
            return []
        where = " AND ".join("instr(lower(title), ?)" for _ in words)
        sql = f"SELECT id, title FROM archived WHERE {where} ORDER BY id DESC LIMIT ?"
        return [(row["id"], row["title"]) for row in self.store.rows(sql, *(word.lower() for word in words), limit)]


def _movable() -> str:
    """Binds: the moment before which it came, the same for when it was published, the last seq."""
    return (
        f"i.first_seen < ? AND (i.published IS NULL OR i.published < ?) AND i.seq <= ? AND {untouched()} "
        "AND NOT EXISTS (SELECT 1 FROM researches r WHERE r.item_id = i.id)"
    )
