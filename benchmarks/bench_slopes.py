"""How scout's costs grow: with items stored, with thumbs, with readers. In processor time, so that other work does not count.

What docs/scaling.md reckons with. Made-up papers of a million's making (`million`), a database on disk, `SLOPES_ITEMS` (100,000)
of them at the most.
"""

from __future__ import annotations

import os
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import million
from benchmarks.bench_backfill import INPUT, write
from benchmarks.bench_triage import SUBJECTS, TARGETS, papers, thumbed
from benchmarks.figures import figure, percentile
from scout.backfill.chunks import Selection, Tally, chunks
from scout.backfill.files import records
from scout.clock import now
from scout.config import Settings
from scout.items import Item
from scout.reading.spending import cost
from scout.store import Store
from scout.triage import linear
from scout.triage.novelty import Shelf
from scout.triage.policy import Corpus, Profile
from scout.triage.prompting import rubric

MOST = int(os.environ.get("SLOPES_ITEMS", "100000"))
SIZES = [size for size in (10_000, 30_000, 100_000, 300_000) if size <= MOST]
THUMBS = (1_000, 3_000, 10_000)
READ = 20_000


def took(work: Callable[[], object]) -> float:
    """Seconds of this process's computing."""
    started = time.process_time()
    work()
    return time.process_time() - started


def stored(folder: Path) -> None:
    """A database that grows: what the next day costs, what an item takes, how long a search computes."""
    settings = Settings(data_dir=folder)
    rng, there = random.Random(3), 0
    with Store(settings.database) as store:
        policy = linear.fit(Profile("me", SUBJECTS), Corpus(tuple(papers(1700))), TARGETS)
        for batch in million.papers(max(SIZES), total=max(SIZES)):
            seconds = took(lambda batch=batch: store.items.add(batch, now()))  # type: ignore[misc]
            there += len(batch)
            if there not in SIZES:
                continue
            pages = store.value("PRAGMA page_count") - store.value("PRAGMA freelist_count")
            figure(f"stored among {there:,} items", len(batch) / seconds, "items/s")
            figure(f"bytes an item, of {there:,}", pages * store.value("PRAGMA page_size") / there, "bytes")
            times = [took(lambda text=text: store.items.search(text, limit=20)) for text in queries(store, rng)]  # type: ignore[misc]
            figure(f"search of {there:,} items, p95 of 100", percentile(times, 0.95) * 1000, "ms")
        before = store.value("PRAGMA page_count")
        items = store.items.recent(5000)
        store.decisions.write(policy.decide(items), now())
        grown = store.value("PRAGMA page_count") - before
        figure("bytes a decision, for each reader", grown * store.value("PRAGMA page_size") / len(items), "bytes")


def queries(store: Store, rng: random.Random) -> list[str]:
    """One to three words of a title, as a person would type them."""
    titles = [store.value("SELECT title FROM items WHERE seq = ?", rng.randrange(1, store.items.newest_seq())).split()
              for _ in range(100)]  # fmt: skip
    return [" ".join(rng.sample(title, min(len(title), rng.randint(1, 3)))) for title in titles]


def decided(items: list[Item]) -> None:
    recent, day = items[:1700], items[1700:4700]
    policy = linear.fit(Profile("me", SUBJECTS, thumbs=thumbed(recent[:200])), Corpus(tuple(recent)), TARGETS)
    policy.decide(day[:500])
    figure("decided on by the embedded policy, for each reader", len(day) / took(lambda: policy.decide(day)), "items/s")
    asked = rubric(Profile("me", SUBJECTS))
    tokens = sum(cost(asked, item, Shelf(()).nearness(item)) for item in day[:300]) / 300
    figure("tokens that a model takes to route, rate and summarize", tokens, "an item", note="estimated, at the most")


def refitted(items: list[Item]) -> None:
    corpus = Corpus(tuple(items[10_000:13_000]))
    for count in THUMBS:
        profile = Profile("me", SUBJECTS, thumbs=thumbed(items[:count]))
        figure(f"refit on {count:,} thumbs", took(lambda profile=profile: linear.fit(profile, corpus, TARGETS)), "s")  # type: ignore[misc]


def read() -> None:
    """What one process reads for the workers of a backfill, each of which decides on some 1,000 papers a second."""
    if not INPUT.exists():
        write()
    named = ((f"line {number}", record) for number, record in records(INPUT))
    seconds = took(lambda: [len(chunk.items) for chunk in chunks(named, Selection(limit=READ), Tally())])
    figure("records of a backfill read into chunks", READ / seconds, "papers/s")


def main() -> None:
    items = list(papers(13_000))
    decided(items)
    refitted(items)
    read()
    with tempfile.TemporaryDirectory() as folder:
        stored(Path(folder))
    figure("peak memory of all this", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB")


if __name__ == "__main__":
    main()
