"""Items: what is known, under which ids, in which versions, brought by whom. Search over them is in `search.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from scout.items import Item, ItemId, ItemKind
from scout.store.part import Part
from scout.store.rows import batches, marks, moment, moment_or_none, pack, unpack, when, when_or_none
from scout.store.search import Hit, filters, search
from scout.store.words import count_words

COLUMNS = (
    "id, kind, title, url, text, source, authors, categories, published, updated, version, comment, backlog, "
    "seq, first_seen, changed_at"
)


_WRITTEN = (
    "seq, id, kind, title, url, text, source, authors, author_names, categories, published, updated, version, comment, backlog, "
    "first_seen, changed_at"
)
ADDED = 500
"""Items that one statement stores: FTS5 writes what it holds in memory at the end of each, whatever the transaction."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An item and what the store knows of it."""

    item: Item
    seq: int
    """Its place in the order of arrival."""
    first_seen: datetime
    changed_at: datetime
    """When a version was last recorded."""


@dataclass(frozen=True, slots=True)
class Version:
    version: int
    title: str
    text: str
    seen_at: datetime
    """When this text was replaced."""


def stored_of(row: Mapping[str, Any]) -> Stored:
    item = Item(
        id=row["id"],
        kind=ItemKind(row["kind"]),
        title=row["title"],
        url=row["url"],
        text=row["text"],
        source=row["source"],
        authors=tuple(unpack(row["authors"])),
        categories=tuple(unpack(row["categories"])),
        published=moment_or_none(row["published"]),
        updated=moment_or_none(row["updated"]),
        version=row["version"],
        comment=row["comment"],
        backlog=bool(row["backlog"]),
    )
    return Stored(item, row["seq"], moment(row["first_seen"]), moment(row["changed_at"]))


def _place(item: Item) -> int:
    """A place below 1 that is the item's own: the later it appeared, the higher; items of one day by their ids."""
    day = int(f"{item.published:%Y%m%d}") if item.published else 0
    own = int.from_bytes(hashlib.blake2b(item.id.encode(), digest_size=7).digest()) % 10**10
    return (day - 99_999_999) * 10**10 - own


def _written(seq: int | None, item: Item, at: str) -> tuple[Any, ...]:
    return (
        seq, item.id, item.kind, item.title, item.url, item.text, item.source, pack(item.authors), ", ".join(item.authors),
        pack(item.categories), when_or_none(item.published), when_or_none(item.updated), item.version, item.comment,
        int(item.backlog), at, at,
    )  # fmt: skip


def _rows(batch: Collection[Any]) -> str:
    row = f"({marks(_WRITTEN.split(','))})"
    return ",".join([row] * len(batch))


class Items(Part):
    def resolve(self, ids: Iterable[str]) -> dict[str, ItemId]:
        """Asked id → id of the item it stands for. Ids that stand for none are left out."""
        found: dict[str, ItemId] = {}
        for batch in batches(dict.fromkeys(ids)):
            for table, column in (("aliases", "alias"), ("items", "id")):
                target = "item_id" if table == "aliases" else "id"
                sql = f"SELECT {column} AS asked, {target} AS id FROM {table} WHERE {column} IN ({marks(batch)})"
                found |= {row["asked"]: row["id"] for row in self.store.rows(sql, *batch)}
        return found

    def known(self, ids: Iterable[str]) -> dict[str, Item]:
        """Asked id → the item it stands for, aliases followed."""
        return {asked: stored.item for asked, stored in self.known_rows(ids).items()}

    def known_rows(self, ids: Iterable[str]) -> dict[str, Stored]:
        resolved = self.resolve(ids)
        rows: dict[ItemId, Stored] = {}
        for batch in batches(dict.fromkeys(resolved.values())):
            sql = f"SELECT {COLUMNS} FROM items WHERE id IN ({marks(batch)})"
            rows |= {row["id"]: stored_of(row) for row in self.store.rows(sql, *batch)}
        return {asked: rows[id] for asked, id in resolved.items() if id in rows}

    def tombstoned(self, ids: Iterable[str]) -> set[str]:
        """Which of these are not to come in again: deleted ones, and archived ones, which old feeds still list."""
        found: set[str] = set()
        for batch in batches(dict.fromkeys(ids)):
            for table in ("tombstones", "archived"):
                sql = f"SELECT id FROM {table} WHERE id IN ({marks(batch)})"
                found |= {row["id"] for row in self.store.rows(sql, *batch)}
        return found

    def add(self, items: Iterable[Item], at: datetime) -> None:
        """Store new items, with their aliases and the source that brought them. One already there is left alone."""
        self._add(((None, item) for item in items), at)

    def add_old(self, items: Iterable[Item], at: datetime) -> None:
        """`add` for what is old and was looked for: its place is before all that came, by the day it appeared.

        Nothing that asks for what is new, or for what usually comes, meets it there.
        """
        self._add(((_place(item), item) for item in items), at)

    def _add(self, placed: Iterable[tuple[int | None, Item]], at: datetime) -> None:
        fresh = list[str]()
        with self.store.writing() as db:
            for batch in batches(placed, ADDED):
                sql = f"INSERT INTO items ({_WRITTEN}) VALUES {_rows(batch)} ON CONFLICT(id) DO NOTHING RETURNING id"
                values = [value for seq, item in batch for value in _written(seq, item, when(at))]
                stored = {row[0] for row in db.conn.execute(sql, values).fetchall()}
                came = {item.id: item for _, item in reversed(batch) if item.id in stored}.values()  # of two the first
                db.conn.executemany(
                    "DELETE FROM archived WHERE id = ?", [(item.id,) for item in came]
                )  # they are here again
                self._note(came, at)
                fresh += [f"{item.title} {' '.join(item.authors)}" for item in came]
            count_words(db.conn, fresh)

    def update(self, items: Iterable[Item], at: datetime, *, keep_version: bool = True) -> None:
        """Replace what is known of items; with `keep_version` the text that was there goes into their history.

        Who first brought an item and when it was first seen never change.
        """
        with self.store.writing() as db:
            for item in items:
                if keep_version:
                    db.conn.execute(
                        "INSERT OR IGNORE INTO item_versions (item_id, version, title, text, seen_at) "
                        "SELECT id, version, title, text, ? FROM items WHERE id = ?",
                        (when(at), item.id),
                    )
                db.conn.execute(
                    "UPDATE summaries SET text_hash = '' WHERE item_id = ? "
                    "AND EXISTS (SELECT 1 FROM items WHERE id = ? AND (title != ? OR text != ?))",
                    (item.id, item.id, item.title, item.text),
                )  # they cite sentences of the text that was there
                db.conn.execute(
                    "UPDATE items SET title=?, url=?, text=?, authors=?, author_names=?, categories=?, published=?, updated=?, "
                    "version=?, comment=?, backlog=?, changed_at=CASE WHEN ? THEN ? ELSE changed_at END WHERE id=?",
                    (item.title, item.url, item.text, pack(item.authors), ", ".join(item.authors), pack(item.categories),
                     when_or_none(item.published), when_or_none(item.updated), item.version, item.comment,
                     int(item.backlog), keep_version, when(at), item.id),
                )  # fmt: skip
                self._note([item], at)

    def _note(self, items: Collection[Item], at: datetime) -> None:
        aliases = [(alias, item.id) for item in items for alias in item.aliases if alias != item.id]
        self.store.db.conn.executemany("INSERT OR IGNORE INTO aliases (alias, item_id) VALUES (?, ?)", aliases)
        self.touch_sources([(item.id, item.source) for item in items], at)

    def touch_sources(self, pairs: Iterable[tuple[ItemId, str]], at: datetime) -> None:
        """Note that a source brought an item (again)."""
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT OR IGNORE INTO item_sources (item_id, source, first_seen) VALUES (?, ?, ?)",
                [(item, source, when(at)) for item, source in pairs],
            )

    def stored(self, ref: str) -> Stored | None:
        """The item that an id or alias stands for."""
        return self.known_rows([ref]).get(ref)

    def get(self, ref: str) -> Item | None:
        found = self.stored(ref)
        return found.item if found else None

    def many(self, ids: Collection[ItemId]) -> dict[ItemId, Item]:
        return self.known(ids)

    def at_address(self, url: str) -> Item | None:
        """The item that is shown with exactly this address."""
        rows = self.store.rows(f"SELECT {COLUMNS} FROM items WHERE url = ? ORDER BY seq LIMIT 1", url)
        return stored_of(rows[0]).item if rows else None

    def aliases(self, id: ItemId) -> list[str]:
        return [
            row["alias"] for row in self.store.rows("SELECT alias FROM aliases WHERE item_id = ? ORDER BY alias", id)
        ]

    def versions(self, id: ItemId) -> list[Version]:
        """The texts it had before, oldest first; the one it has now is not among them."""
        rows = self.store.rows(
            "SELECT version, title, text, seen_at FROM item_versions WHERE item_id = ? ORDER BY seen_at", id
        )
        return [Version(row["version"], row["title"], row["text"], moment(row["seen_at"])) for row in rows]

    def sources_of(self, id: ItemId) -> list[str]:
        rows = self.store.rows("SELECT source FROM item_sources WHERE item_id = ? ORDER BY first_seen, source", id)
        return [row["source"] for row in rows]

    def listing(
        self, *, source: str | None = None, since: date | None = None, kind: ItemKind | None = None,
        limit: int = 50, offset: int = 0,
    ) -> list[Stored]:  # fmt: skip
        """Newest arrivals first; `since` is a day of arrival or of publication, whichever is later."""
        where, params = filters(self.store, source=source, since=since, kind=kind)
        sql = f"SELECT {COLUMNS} FROM items i WHERE {' AND '.join(where) or '1'} ORDER BY seq DESC LIMIT ? OFFSET ?"
        return [stored_of(row) for row in self.store.rows(sql, *params, limit, offset)]

    def search(
        self, text: str, *, source: str | None = None, since: date | None = None, kind: ItemKind | None = None,
        subject: str | None = None, reader: str | None = None, limit: int = 20, offset: int = 0,
    ) -> list[Hit]:  # fmt: skip
        """See `scout.store.search.search`."""
        return search(
            self.store, text, source=source, since=since, kind=kind, subject=subject, reader=reader,
            limit=limit, offset=offset,
        )  # fmt: skip

    def arrived(self, after_seq: int, published_since: datetime, *, until_seq: int | None = None) -> list[Stored]:
        """Items that came after `after_seq` and appeared since then, or at an unknown time; old news left out."""
        sql = (
            f"SELECT {COLUMNS} FROM items WHERE seq > ? AND coalesce(seq <= ?, 1) AND backlog = 0 "
            "AND (published IS NULL OR published >= ?) ORDER BY seq"
        )
        return [stored_of(row) for row in self.store.rows(sql, after_seq, until_seq, when(published_since))]

    def waiting(self, after_seq: int, published_since: datetime) -> int:
        """How many items `arrived` would give."""
        sql = "SELECT count(*) FROM items WHERE seq > ? AND backlog = 0 AND (published IS NULL OR published >= ?)"
        return int(self.store.value(sql, after_seq, when(published_since)))

    def recent(self, limit: int, *, until_seq: int | None = None) -> list[Item]:
        """The newest arrivals (up to `until_seq`), oldest of them first, so that the order does not depend on the limit.

        What `add_old` brought is none of them.
        """
        sql = f"SELECT {COLUMNS} FROM items WHERE seq > 0 AND coalesce(seq <= ?, 1) ORDER BY seq DESC LIMIT ?"
        return [stored_of(row).item for row in reversed(self.store.rows(sql, until_seq, limit))]

    def newest_seq(self) -> int:
        return int(self.store.value("SELECT coalesce(max(seq), 0) FROM items"))

    def count(self) -> int:
        return int(self.store.value("SELECT count(*) FROM items"))

    def delete(self, id: ItemId, at: datetime, *, reason: str = "") -> bool:
        """Remove an item and leave a tombstone, so that no poll brings it back. Its feedback stays. False if unknown."""
        with self.store.writing() as db:
            for gone in [id, *self.aliases(id)]:
                db.conn.execute(
                    "INSERT OR REPLACE INTO tombstones (id, deleted_at, reason) VALUES (?, ?, ?)",
                    (gone, when(at), reason),
                )
            for table in ("decisions", "summaries", "readings", "ledger", "attempts", "signals", "vectors"):
                db.conn.execute(f"DELETE FROM {table} WHERE item_id = ?", (id,))
            db.conn.execute("DELETE FROM links WHERE later = ? OR earlier = ?", (id, id))
            return db.conn.execute("DELETE FROM items WHERE id = ?", (id,)).rowcount > 0
