"""Threads: keys under which items meet, and the links that were found between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from scout.items import ItemId
from scout.links import Link, LinkKind
from scout.store.items import COLUMNS, Stored, stored_of
from scout.store.part import Part
from scout.store.rows import batches, marks, when

LOOKED = 20_000
"""The newest arrivals among which changed texts are looked for: of a million it would take seconds."""
HOPS = 3
"""How far a thread is followed from an item."""


def _link(row: Mapping[str, Any]) -> Link:
    return Link(row["later"], row["earlier"], LinkKind(row["kind"]), row["strength"], row["why"])


class Threads(Part):
    def unseen(self, limit: int) -> list[Stored]:
        """Items whose links are not made, or were made of another text: the newest arrivals, the oldest of them first.

        All of the newest `LOOKED` are looked at; of older ones, those from before the first whose links are made.
        """
        columns = ", ".join(f"i.{name.strip()}" for name in COLUMNS.split(","))
        edge = self.store.items.newest_seq() - LOOKED
        sql = (
            f"SELECT {columns} FROM items i LEFT JOIN thread_seen t ON t.seq = i.seq "
            "WHERE i.seq > ? AND (t.seq IS NULL OR i.changed_at > t.at) ORDER BY i.seq DESC LIMIT ?"
        )
        rows = self.store.rows(sql, edge, limit)
        if len(rows) < limit and edge > 0:
            first = self.store.value("SELECT min(seq) FROM thread_seen")
            last = edge if first is None else min(edge, first - 1)  # one bound: SQLite would take the first of two
            sql = f"SELECT {columns} FROM items i WHERE i.seq <= ? ORDER BY i.seq DESC LIMIT ?"
            rows += self.store.rows(sql, last, limit - len(rows))
        return [stored_of(row) for row in reversed(rows)]

    def save_keys(self, keys: Mapping[int, Collection[int]]) -> None:
        """The keys of items, by their seq."""
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT OR IGNORE INTO thread_keys (key, seq) VALUES (?, ?)",
                [(key, seq) for seq, found in keys.items() for key in found],
            )

    def save(self, links: Iterable[Link], seqs: Iterable[int], at: datetime) -> None:
        """The links found for the items of these seqs, and that they were looked for."""
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT OR REPLACE INTO links (later, earlier, kind, strength, why, made_at) VALUES (?,?,?,?,?,?)",
                [(each.later, each.earlier, each.kind.value, each.strength, each.why, when(at)) for each in links],
            )
            db.conn.executemany(
                "INSERT OR REPLACE INTO thread_seen (seq, at) VALUES (?, ?)", [(seq, when(at)) for seq in seqs]
            )

    def sharing(self, keys: Iterable[int], *, most: int) -> dict[int, list[int]]:
        """Key → the seqs of the items that have it; keys that more than `most` have are left out."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for batch in batches(dict.fromkeys(keys)):
            sql = f"SELECT key, seq FROM thread_keys WHERE key IN ({marks(batch)})"
            for row in self.store.rows(sql, *batch):
                found[row["key"]].append(row["seq"])
        return {key: seqs for key, seqs in found.items() if len(seqs) <= most}

    def items(self, seqs: Iterable[int]) -> list[Stored]:
        found: list[Stored] = []
        for batch in batches(dict.fromkeys(seqs)):
            rows = self.store.rows(f"SELECT {COLUMNS} FROM items WHERE seq IN ({marks(batch)})", *batch)
            found += [stored_of(row) for row in rows]
        return found

    def links(self, item_ids: Iterable[ItemId]) -> dict[ItemId, list[Link]]:
        """Item → its links, whichever end of them it is, between items that exist; the strongest first."""
        found: defaultdict[ItemId, list[Link]] = defaultdict(list)
        kinds = list(LinkKind)
        for batch in batches(dict.fromkeys(item_ids), 400):
            sql = (
                "SELECT l.* FROM links l JOIN items a ON a.id = l.later JOIN items b ON b.id = l.earlier "
                f"WHERE l.later IN ({marks(batch)}) OR l.earlier IN ({marks(batch)})"
            )
            here = set(batch)
            for row in self.store.rows(sql, *batch, *batch):
                for end in {row["later"], row["earlier"]} & here:
                    found[end].append(_link(row))
        return {
            id: sorted(links, key=lambda each: (kinds.index(each.kind), -each.strength, each.later, each.earlier))
            for id, links in found.items()
        }

    def thread(self, id: ItemId, *, most: int = 20) -> list[Link]:
        """The links of an item, and theirs, a few steps on; the nearest first."""
        known: dict[tuple[ItemId, ItemId], Link] = {}
        edge, seen = [id], {id}
        for _ in range(HOPS):
            found = self.links(edge)
            fresh = [link for end in edge for link in found.get(end, ())]
            known |= {(link.later, link.earlier): link for link in fresh if (link.later, link.earlier) not in known}
            edge = [end for link in fresh for end in (link.later, link.earlier) if end not in seen]
            seen |= set(edge)
            if not edge or len(known) >= most:
                break
        return list(known.values())[:most]
