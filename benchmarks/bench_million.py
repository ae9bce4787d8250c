"""With 1,000,000 items and 100,000 thumbs in SQLite: search, a digest page, a day's ingest beside an empty database, a refit.

The database is built once (`python -m benchmarks.million PATH`, some minutes) and kept at SCOUT_MILLION, else in the cache folder
beside the checkout; what is measured is measured on it, a day being added and taken away again. Times of processing are counted
where the machine is shared: `MILLION_CLOCK=cpu`.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks import million
from benchmarks.figures import figure, percentile
from dashboard import data
from scout import linking, pipeline, policies
from scout.clock import now
from scout.config import Settings, load
from scout.digest.model import Digest
from scout.items import Item
from scout.store import Store, merging

ITEMS, THUMBS, READER = 1_000_000, 100_000, million.READER
PATH = Path(
    os.environ.pop("SCOUT_MILLION", "") or Path(__file__).resolve().parents[1] / ".cache" / "million" / "scout.db"
)
DAY = million.start(ITEMS).date() + timedelta(days=(ITEMS - 1) // million.A_DAY + 1)
clock = time.process_time if os.environ.get("MILLION_CLOCK") == "cpu" else time.perf_counter
NOTE = "processor time" if clock is time.process_time else ""


def took(work: Callable[[], object]) -> float:
    """Seconds."""
    started = clock()
    work()
    return clock() - started


def queries(store: Store, count: int) -> list[str]:
    """One to three words of an item's title, as a person would type them; the last one sometimes half."""
    rng = random.Random(3)
    found = []
    for _ in range(count):
        title = store.value("SELECT title FROM items WHERE seq = ?", rng.randrange(1, ITEMS)).split()
        text = " ".join(rng.sample(title, rng.randint(1, 3)))
        found.append(text[:-2] if rng.random() < 0.3 and len(text) > 6 else text)
    return found


def search(store: Store) -> None:
    asked = queries(store, 200)
    for text in asked[:20]:
        store.items.search(text, limit=20)  # the file's pages come into memory once
    times = [took(lambda text=text: store.items.search(text, limit=20)) * 1000 for text in asked]  # type: ignore[misc]
    figure("search of 1,000,000 items, p95 of 200 queries", percentile(times, 0.95), "ms", limit=100, note=NOTE)
    figure("search of 1,000,000 items, median", percentile(times, 0.5), "ms", note=NOTE)


@cache
def papers_from(first: int, count: int) -> list[Item]:
    return [item for batch in million.papers(count, first=first, total=ITEMS) for item in batch]


def a_day() -> list[Item]:
    """The day after the last one: 500 papers that the database does not hold."""
    return papers_from(ITEMS, million.A_DAY)


def ingest(store: Store) -> float:
    """Seconds to store and link a day, as a run does."""
    items = a_day()

    def work() -> None:
        with store.writing():
            known = store.items.known_rows(name for item in items for name in (item.id, *item.aliases))
            gone = store.items.tombstoned(item.id for item in items)
            store.items.add([item for item in items if item.id not in known and item.id not in gone], now())
            store.items.touch_sources([(item.id, item.source) for item in items], now())
        linking.link_new(store)

    return took(work)


def forget(store: Store) -> None:
    """Take the day away again, where it is there."""
    if store.items.newest_seq() <= ITEMS:
        return
    with store.writing() as db:
        for table in ("decisions", "summaries", "ledger", "impressions"):
            db.conn.execute(f"DELETE FROM {table} WHERE item_id IN (SELECT id FROM items WHERE seq > ?)", (ITEMS,))
        db.conn.execute("DELETE FROM digests")
        db.conn.execute("DELETE FROM thread_keys WHERE seq > ?", (ITEMS,))
        db.conn.execute("DELETE FROM links")
        db.conn.execute("DELETE FROM items WHERE seq > ?", (ITEMS,))
        db.conn.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'items'", (ITEMS,))


def ingests(store: Store) -> None:
    """The same day into the million and into an empty database, in turn; medians of three."""
    large, empty, after = [], [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "scout.db") as other:
            # Words are told apart by the newest 1,500 items, and these are linked already: both have as many to read.
            other.items.add(papers_from(ITEMS - 1500, 1500), now())
            linking.link_new(other)
            empty.append(ingest(other))
        large.append(ingest(store))
        after.append(took(lambda: merging.merge(store)))
        forget(store)
        merging.merge(store)
    one, other_ = statistics.median(large), statistics.median(empty)
    figure("a day's 500 papers stored and linked, of 1,000,000", one, "s", note=NOTE)
    figure("the same, times that of a new database", one / other_, "", limit=1.2, note=NOTE)
    figure("what gathered put in order after it, of 1,000,000", statistics.median(after), "s", note=NOTE)


def refit(store: Store, settings: Settings) -> None:
    figure("refit, nothing cached", took(lambda: policies.serving(store, settings, READER)), "s", note=NOTE)


def page(store: Store, settings: Settings) -> None:
    """What the dashboard's digest page reads, on a digest made from a day's papers."""
    ingest(store)
    day = settings.today or date.today()  # noqa: DTZ011 - it is set
    store.digests.save(
        READER, day - timedelta(days=1), made_at=now(), policy="", cutoff=ITEMS,
        snapshot=Digest(day - timedelta(days=1), policy="").to_dict(), impressions=[],
    )  # fmt: skip
    million.decided(store, a_day(), np.random.default_rng(5), is_fresh=True)
    figure("digest of them", took(lambda: pipeline.digest(store, settings, READER)), "s", note=NOTE)

    def look() -> None:
        with Store(settings.database) as opened:
            shown = data.digest_page(opened, READER, None)
            assert shown.items
            data.agreement(opened, READER)
            data.releases(opened, settings, shown.day)
            data.is_welcomed(opened, READER)
            opened.jobs.active()

    figure("digest page data with 1,000,000 items, p95 of 30", percentile([took(look) * 1000 for _ in range(30)], 0.95), "ms",
           limit=150, note=NOTE)  # fmt: skip


def main() -> None:
    if not PATH.exists():
        PATH.parent.mkdir(parents=True, exist_ok=True)
        million.build(PATH, items=ITEMS, thumbs=THUMBS)
    os.environ |= {
        "SCOUT_DATA_DIR": str(PATH.parent),
        "SCOUT_CONFIG": str(PATH.parent / "scout.toml"),
        "SCOUT_TODAY": str(DAY),
    }
    settings = load()
    with Store(settings.database) as store:
        forget(store)
        pages = store.value("PRAGMA page_count") - store.value("PRAGMA freelist_count")
        used = pages * store.value("PRAGMA page_size") / 1e9
        figure("database of 1,000,000 items and 100,000 thumbs", used, "GB", limit=4, note="without free pages")
        figure("its file", settings.database.stat().st_size / 1e9, "GB")
        parts = sys.argv[1:] or ["search", "ingest", "refit", "page"]
        if "search" in parts:
            search(store)
        if "ingest" in parts:
            ingests(store)
        if "refit" in parts:
            refit(store, settings)
        if "page" in parts:
            page(store, settings)
        forget(store)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6 * (1.024 if sys.platform == "linux" else 1e-3)
    figure("peak memory of all this", peak, "GB", limit=1.5)


if __name__ == "__main__":
    main()
