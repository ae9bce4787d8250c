"""Letting go what can be made again of items that came long ago and were never put before anyone, nor spoken of.

Of such an item its extractive summary, the reasons of its decision and the ledger's note of its triage go; the item itself, its
lane, probability and subject, all feedback and whatever a model wrote stay. How far it got is noted in the ledger.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from scout.store.rows import when
from scout.store.summaries import EXTRACTIVE

if TYPE_CHECKING:
    from scout.store.store import Store

STAGE = "tidy"
PER_RUN = 20_000
"""Items looked at in one go, so that a large archive is tidied over some days and no run is held up."""


def untouched() -> str:
    """A condition on an item `i`: no reader ever said a word of it, and none was shown it in a digest or on a weekly page."""
    same = "{0}.item_id = i.id AND {0}.reader IN (SELECT DISTINCT reader FROM {1})"  # the indexes begin with the reader
    return " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {table} {name} WHERE {same.format(name, table)})"
        for name, table in (("f", "feedback"), ("s", "impressions"))
    )


def tidy(store: Store, before: datetime, at: datetime) -> int:
    """Tidy items that came before then, oldest first, from where the last time ended; how many were looked at."""
    reached = store.value(
        "SELECT coalesce(max(CAST(run AS INTEGER)), 0) FROM ledger WHERE item_id = '' AND stage = ?", STAGE
    )
    rows = store.rows(
        "SELECT seq, id FROM items WHERE seq > ? AND first_seen < ? ORDER BY seq LIMIT ?",
        reached,
        when(before),
        PER_RUN,
    )
    if not rows:
        return 0
    with store.writing() as db:
        those = f"item_id IN (SELECT i.id FROM items i WHERE i.seq > ? AND i.seq <= ? AND i.first_seen < ? AND {untouched()})"
        span = (reached, rows[-1]["seq"], when(before))
        db.conn.execute(f"DELETE FROM summaries WHERE by = ? AND {those}", (EXTRACTIVE, *span))
        db.conn.execute(f"UPDATE decisions SET why = '[]', subjects = '{{}}' WHERE {those}", span)
        db.conn.execute(f"DELETE FROM ledger WHERE stage = 'triage' AND {those}", span)
        db.conn.execute("DELETE FROM ledger WHERE item_id = '' AND stage = ?", (STAGE,))
        db.conn.execute(
            "INSERT INTO ledger (item_id, stage, done_at, run) VALUES ('', ?, ?, ?)",
            (STAGE, when(at), str(rows[-1]["seq"])),
        )
    return len(rows)
