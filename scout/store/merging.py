"""What gathered while a run wrote, put in order after it: new keys go into their lists, the full-text index's parts into larger ones.

Both are trees of millions of rows into which a day's writing falls anywhere; written into them item by item, a day in a large
archive would take twice the time of one in a new one. Gathered and then merged, a page is written once for many rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scout.store.store import Store

STEP = 500
"""Pages of the full-text index, of 4 KB, written in one transaction."""
PER_RUN = 4_000
"""The same in one run at the most: a day of 500 papers brings a hundred new ones, and each is written some five times in all."""


def merge(store: Store) -> None:
    """Killed anywhere it leaves both readable as they are, and the next time goes on."""
    store.keys.merge()
    merge_index(store)


def merge_index(store: Store, *, most: int = PER_RUN) -> int:
    """Merge the parts of the full-text index where four of a size have gathered; how many pages that was, about."""
    for done in range(0, most, STEP):
        with store.writing() as db:
            before = db.conn.total_changes
            db.conn.execute("INSERT INTO items_fts(items_fts, rank) VALUES ('merge', ?)", (STEP,))
            if db.conn.total_changes - before < 2:  # so SQLite tells that there was nothing to do
                return done
    return most
