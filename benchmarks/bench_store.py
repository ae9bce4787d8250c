"""With 100,000 items: search, the data of a digest page, and a refit on 10,000 thumbs."""

from __future__ import annotations

import os
import random
import tempfile
import time
from datetime import date
from itertools import islice

from benchmarks import synthetic
from benchmarks.figures import figure, percentile
from dashboard import data
from scout import pipeline, policies
from scout.clock import now
from scout.config import Settings, load
from scout.digest.model import Digest
from scout.items import Aspect, Feedback
from scout.store import Store

ITEMS, THUMBS = 100_000, 10_000
READER = "me"


def fill(store: Store) -> None:
    stream = synthetic.items(ITEMS)
    while batch := list(islice(stream, 5000)):
        store.items.add(batch, now())
    store.readers.ensure(READER, now())
    rng = random.Random(11)
    chosen = rng.sample(range(ITEMS - 2000), THUMBS)
    ids = [row["id"] for row in store.rows("SELECT id FROM items ORDER BY seq")]
    with store.writing():
        for n in chosen:
            liked = n % synthetic.TOPICS in (1, 5)
            value = "up" if liked != (rng.random() < 0.1) else "down"
            store.feedback.add(Feedback(READER, ids[n], Aspect.THUMB, value, now()))


def queries(store: Store, count: int) -> list[str]:
    """One to three words of an item's title, as a person would type them; the last one sometimes half."""
    rng = random.Random(3)
    found = []
    for _ in range(count):
        title = store.value("SELECT title FROM items WHERE seq = ?", rng.randrange(1, ITEMS)).split()
        text = " ".join(rng.sample(title, rng.randint(1, 3)))
        found.append(text[:-2] if rng.random() < 0.3 and len(text) > 6 else text)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"SCOUT_DATA_DIR": folder, "SCOUT_CONFIG": f"{folder}/scout.toml", "SCOUT_TODAY": "2025-07-19"}
        settings = load()
        with Store(settings.database) as store:
            fill(store)
            took = []
            for text in queries(store, 200):
                started = time.perf_counter()
                store.items.search(text, limit=20)
                took.append((time.perf_counter() - started) * 1000)
            figure("search of 100,000 items, p95 of 200 queries", percentile(took, 0.95), "ms", limit=50)
            figure("search of 100,000 items, median", percentile(took, 0.5), "ms")
            started = time.perf_counter()
            policies.serving(store, settings, READER)
            figure("refit on 10,000 thumbs", time.perf_counter() - started, "s", limit=10)
            last = ITEMS - 600  # the day before took everything up to here
            store.digests.save(
                READER,
                date(2025, 7, 18),
                made_at=now(),
                policy="",
                cutoff=last,
                snapshot=Digest(date(2025, 7, 18), policy="").to_dict(),
                impressions=[],
            )
            pipeline.triage(store, settings, READER)
            pipeline.digest(store, settings, READER)
        page(settings)


def page(settings: Settings) -> None:
    """What the dashboard's digest page reads: the digest, the reader's words on it, its items, the strip, the jobs."""
    took = []
    for _ in range(30):
        started = time.perf_counter()
        with Store(settings.database) as store:
            shown = data.digest_page(store, READER, None)
            assert shown.items
            data.agreement(store, READER)
            data.releases(store, settings, shown.day)
            data.is_welcomed(store, READER)
            store.jobs.active()
        took.append((time.perf_counter() - started) * 1000)
    figure("digest page data with 100,000 items, p95", percentile(took, 0.95), "ms", limit=100)


if __name__ == "__main__":
    main()
