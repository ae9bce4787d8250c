"""Keys under which items meet, in two levels: a small table that new ones come into, and lists, a row a key, that hold the rest.

Keys are hashes: a day's fall all over a tree of millions, and written into it at once nearly each would cost a page of its own. So
new ones are written into `thread_keys` alone, both levels are looked up, and `merge` moves what has gathered into `thread_lists`
in the order of the keys, when a page takes many. A key may stand in both levels, and of an item that is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from scout.store.part import Part
from scout.store.rows import batches, marks

GATHERED = 100_000
"""Rows of the small level from which on they are moved: some twenty days' of 500 items, two megabytes."""
AT_ONCE = 5_000
"""Rows moved in one transaction: each may change a page, and the write-ahead log is to stay short."""
PER_RUN = 1_000_000
"""Rows moved in one run at the most, so that an archive of before is moved over some days."""

Seqs = list[int]
"""Places of items in the order of arrival, rising."""


class Keys(Part):
    def save(self, keys: Mapping[int, Collection[int]]) -> None:
        """The keys of items, by their seq."""
        with self.store.writing() as db:
            db.conn.executemany(
                "INSERT OR IGNORE INTO thread_keys (key, seq) VALUES (?, ?)",
                sorted((key, seq) for seq, found in keys.items() for key in found),
            )

    def sharing(self, keys: Iterable[int], *, most: int) -> dict[int, Seqs]:
        """Key → the seqs of the items that have it, rising; keys that more than `most` have are left out."""
        found: dict[int, Seqs] = {}
        for batch in batches(sorted(set(keys))):  # in their order: neighbours lie on one page
            held, recent = self._lists(batch), dict[int, Seqs]()
            sql = f"SELECT key, seq FROM thread_keys WHERE key IN ({marks(batch)}) ORDER BY key, seq"
            for key, seq in self.store.tuples(sql, *batch):
                recent.setdefault(key, []).append(seq)
            found |= held | {key: _joined(held.get(key), seqs) for key, seqs in recent.items()}
        return {key: seqs for key, seqs in found.items() if len(seqs) <= most}

    def merge(self, *, gathered: int = GATHERED, most: int = PER_RUN) -> int:
        """Move the small level into the lists, once so many rows are in it; how many were moved.

        A transaction takes a stretch of keys, so that one that is killed leaves what it did not come to in the small level.
        """
        if self.store.value("SELECT 1 FROM thread_keys LIMIT 1 OFFSET ?", gathered - 1) is None:
            return 0
        moved = 0
        while moved < most and (count := self._merge_stretch()):
            moved += count
        return moved

    def _merge_stretch(self) -> int:
        with self.store.writing() as db:
            rows = self.store.tuples("SELECT key, seq FROM thread_keys ORDER BY key, seq LIMIT ?", AT_ONCE)
            if not rows:
                return 0
            fresh: dict[int, Seqs] = {}
            for key, seq in rows:
                fresh.setdefault(key, []).append(seq)
            held: dict[int, Seqs] = {}
            for batch in batches(fresh):
                held |= self._lists(batch)
            db.conn.executemany(
                "INSERT INTO thread_lists (key, seqs) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET seqs = excluded.seqs",
                [(key, packed(_joined(held.get(key), seqs))) for key, seqs in fresh.items()],
            )
            db.conn.execute("DELETE FROM thread_keys WHERE (key, seq) <= (?, ?)", rows[-1])
        return len(rows)

    def _lists(self, keys: list[int]) -> dict[int, Seqs]:
        sql = f"SELECT key, seqs FROM thread_lists WHERE key IN ({marks(keys)})"
        return {key: unpacked(seqs) for key, seqs in self.store.tuples(sql, *keys)}


def packed(seqs: Seqs) -> int | bytes:
    """As a list is stored: the one seq that has a key, or those that have it, as little-endian int64."""
    return seqs[0] if len(seqs) == 1 else np.array(seqs, dtype="<i8").tobytes()


def unpacked(stored: int | bytes) -> Seqs:
    return [stored] if isinstance(stored, int) else np.frombuffer(stored, dtype="<i8").tolist()


def _joined(listed: Seqs | None, recent: Seqs) -> Seqs:
    if listed is None:
        return recent
    if (
        listed[-1] < recent[0]
    ):  # as nearly always; not with an old item that was looked for, or a key that stands in both
        return listed + recent
    return sorted({*listed, *recent})
