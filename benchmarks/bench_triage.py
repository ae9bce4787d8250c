"""The embedded triage alone: abstracts a second, a cold day's fit, a refit on 10,000 thumbs, and memory.

Real abstracts where the replayed world is beside the checkout, else made-up ones of the same length.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import synthetic
from benchmarks.figures import figure
from scout.items import Item, ItemKind, Subject
from scout.subjects import DEFAULT_SUBJECTS
from scout.triage import linear
from scout.triage.policy import Corpus, Profile, Targets, Thumbed
from scout.triage.summarize import extractive

PAPERS = Path(__file__).resolve().parents[2] / "shared" / "world" / "data" / "papers.jsonl.gz"
SUBJECTS = tuple(Subject(**entry) for entry in DEFAULT_SUBJECTS)
TARGETS = Targets(read_per_day=20, unsure_per_day=10, items_per_day=600)


def papers(count: int) -> Iterator[Item]:
    if not PAPERS.exists():
        yield from synthetic.items(count)
        return
    with gzip.open(PAPERS, "rt", encoding="utf-8") as lines:
        for line in itertools.islice(lines, count):
            paper = json.loads(line)
            yield Item(
                id=f"arxiv:{paper['id']}",
                kind=ItemKind.PAPER,
                title=paper["title"],
                url=f"https://arxiv.org/abs/{paper['id']}",
                text=paper["abstract"],
                source="arxiv",
                authors=tuple(paper["authors"]),
                categories=tuple(paper["categories"]),
                comment=paper["comment"] or "",
                published=datetime.fromisoformat(paper["day"]).replace(tzinfo=UTC),
            )


def thumbed(items: list[Item]) -> tuple[Thumbed, ...]:
    """Thumbs of a reader with a taste (agents and reasoning) and a tenth of moods."""
    rng = random.Random(5)
    return tuple(
        Thumbed(
            item,
            (" agent" in item.text or "reasoning" in item.title.lower()) != (rng.random() < 0.1),
            (),
            item.published,
        )
        for item in items
        if item.published is not None
    )


def speed(items: list[Item]) -> None:
    recent, day = items[:1700], items[1700:4700]
    policy = linear.fit(Profile("me", SUBJECTS, thumbs=thumbed(recent[:200])), Corpus(tuple(recent)), TARGETS)
    policy.decide(recent[:600])
    extractive(recent[:600])
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        policy.decide(day)
        extractive(day)
        best = min(best, time.perf_counter() - started)
    figure("route, relevance and summary after warm-up", len(day) / best, "items/s", limit=1000, better="more")


def cold_day(items: list[Item]) -> None:
    recent = tuple(items[:1700])
    picks = {item.id: 10.0 for item in recent[::12]}
    started = time.perf_counter()
    policy = linear.fit(Profile("me", SUBJECTS), Corpus(recent, picks), TARGETS)
    policy.decide(recent[-600:])
    extractive(recent[-600:])
    figure("a cold day: fit on 1,700, decide and summarize 600", time.perf_counter() - started, "s")
    figure("a policy's size", len(policy.to_bytes()) / 1e6, "MB")


def refit(items: list[Item]) -> None:
    profile = Profile("me", SUBJECTS, thumbs=thumbed(items[:10_000]))
    corpus = Corpus(tuple(items[10_000:13_000]))
    started = time.perf_counter()
    policy = linear.fit(profile, corpus, TARGETS)
    figure("refit on 10,000 thumbs, featurizing included", time.perf_counter() - started, "s", limit=10)
    figure("size of a policy of 10,000 thumbs", len(policy.to_bytes()) / 1e6, "MB")


def memory() -> None:
    figure(
        f"peak memory of {sys.argv[1]}, items included",
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "MB",
        limit=350,
    )


PARTS = {"cold-day": (cold_day, 1700), "speed": (speed, 4700), "refit": (refit, 13_000)}


def main() -> None:
    """Each part in a process of its own, so that its memory is its own and nothing is warm that should not be."""
    for name in PARTS:
        subprocess.run([sys.executable, "-m", "benchmarks.bench_triage", name], check=True, env=os.environ)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        part, size = PARTS[sys.argv[1]]
        part(list(papers(size)))
        memory()
    else:
        main()
