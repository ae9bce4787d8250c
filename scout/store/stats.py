"""What is in the database, in figures: the shape of `scout stats --json` (docs/schemas/stats.schema.json)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from scout.clock import now
from scout.store.sources import health

if TYPE_CHECKING:
    from scout.store.store import Store


def stats(store: Store) -> dict[str, Any]:
    def counted(sql: str) -> dict[str, int]:
        return {row["name"]: row["n"] for row in store.rows(sql)}

    at = now()
    healths = Counter(str(health(row, at)) for row in store.sources.all())
    pages = store.value("PRAGMA page_count") * store.value("PRAGMA page_size")
    grounding, outcomes = store.readings.grounding(), store.readings.outcomes()
    return {
        "items": {
            "total": store.items.count(),
            "kind": counted("SELECT kind AS name, count(*) AS n FROM items GROUP BY kind ORDER BY kind"),
            "source": counted("SELECT source AS name, count(*) AS n FROM items GROUP BY source ORDER BY source"),
        },
        "decisions": store.decisions.counts(),
        "feedback": store.feedback.counts(),
        "sources": dict(sorted(healths.items())),
        **({"grounding": grounding} if grounding is not None else {}),
        **({"readings": outcomes} if outcomes else {}),
        "database_bytes": int(pages),
    }
