"""Threads: which items are to be linked, and the links that were found between them. Keys under which they meet are in `keys.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from scout.items import ItemId
from scout.links import Link, LinkKind
from scout.store.items import COLUMNS, Stored, stored_of
from scout.store.part import Part
from scout.store.rows import batches, marks, when

HOPS = 3
"""How far a thread is followed from an item."""


def _link(row: Mapping[str, Any]) -> Link:
    return Link(row["later"], row["earlier"], LinkKind(row["kind"]), row["strength"], row["why"])


class Threads(Part):
    def unseen(self, limit: int) -> list[Stored]:
        """Items whose links are not made, or were made of another text: the newest arrivals, the oldest of them first."""
        columns = ", ".join(f"i.{name.strip()}" for name in COLUMNS.split(","))
        sql = f"SELECT {columns} FROM thread_todo t CROSS JOIN items i ON i.seq = t.seq ORDER BY t.seq DESC LIMIT ?"
        return [stored_of(row) for row in reversed(self.store.rows(sql, limit))]

    def save(self, links: Iterable[Link], items: Iterable[Stored], at: datetime) -> None:
        """The links found for these items, and that they were looked for; not of one that has changed meanwhile."""
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT OR REPLACE INTO links (later, earlier, kind, strength, why, made_at) VALUES (?,?,?,?,?,?)",
                [(each.later, each.earlier, each.kind.value, each.strength, each.why, when(at)) for each in links],
            )
            db.conn.executemany(
                "DELETE FROM thread_todo WHERE seq = ? AND changed_at = ?",
                [(each.seq, when(each.changed_at)) for each in items],
            )

    def items(self, seqs: Iterable[int]) -> list[Stored]:
        found: list[Stored] = []
        for batch in batches(sorted(set(seqs))):
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
