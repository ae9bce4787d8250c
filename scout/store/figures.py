"""Figures for whoever watches scout from outside: cheap enough to be asked every few seconds, and about nobody in particular."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scout.store.rows import when

if TYPE_CHECKING:
    from scout.store.store import Store


@dataclass(frozen=True, slots=True)
class Figures:
    runs: Mapping[tuple[str, str], int]
    """(kind, exit status or "running") → how many; one that was killed stays "running"."""
    items: int
    items_day: int
    """First seen in the last 24 hours."""
    jobs: Mapping[str, int]
    waiting: int
    """Items that a model is to read and has not."""
    failed_on: int
    """Items that a model gave no answer for."""
    read_seconds: float | None
    """Seconds of the newest run in which a model read anything, for each item it read; None where none did."""
    database_bytes: int


def figures(store: Store, at: datetime) -> Figures:
    runs = store.rows(
        "SELECT kind, coalesce(CAST(exit_code AS TEXT), 'running') AS code, count(*) AS n FROM runs GROUP BY kind, code"
    )
    jobs = store.rows("SELECT state, count(*) AS n FROM jobs GROUP BY state")
    return Figures(
        runs={(row["kind"], row["code"]): row["n"] for row in runs},
        items=store.items.count(),
        items_day=int(store.value("SELECT count(*) FROM items WHERE first_seen >= ?", when(at - timedelta(days=1)))),
        jobs={row["state"]: row["n"] for row in jobs},
        waiting=sum(len(store.ledger.waiting(row.name)) for row in store.readers.all()),
        failed_on=int(store.value("SELECT count(*) FROM attempts")),
        read_seconds=_read_seconds(store),
        database_bytes=int(store.value("PRAGMA page_count") * store.value("PRAGMA page_size")),
    )


def _read_seconds(store: Store) -> float | None:
    for run in store.runs.listing(limit=20):
        seconds = sum(stage["seconds"] for stage in run.stages if str(stage["name"]).startswith("enrich "))
        if seconds and (read := int(store.value("SELECT count(*) FROM readings WHERE run = ?", run.id))):
            return float(seconds / read)
    return None
