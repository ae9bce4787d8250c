"""A store as fifty readers share it: ten days of made-up papers, each with a digest that the pipeline made, handed to every reader.

One reader's days are made as `scout run` makes them; the others get the same decisions, digests and impressions under their
own names, and all of them thumbs on the earlier days.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from unittest import mock

from benchmarks import synthetic
from scout import pipeline
from scout.config import load
from scout.items import Aspect, Feedback, Item, SourceKind
from scout.store import Store

DAYS, A_DAY = 10, 500
LAST = synthetic.START.date() + timedelta(days=DAYS - 1)


def fill(folder: Path, readers: list[str]) -> None:
    """Make `scout.db` in `folder`, whose settings are `scout.toml` there."""
    stream = synthetic.items(DAYS * A_DAY, a_day=A_DAY)
    first = readers[0]
    with Store(folder / "scout.db") as store:
        store.sources.add(
            "arxiv", SourceKind.ARXIV, "https://rss.arxiv.org/rss/cs.LG", title="arXiv", at=synthetic.START
        )
        for reader in readers:
            store.readers.ensure(reader, synthetic.START)
            store.readers.onboarded(reader)
        for n in range(DAYS):
            day = synthetic.START.date() + timedelta(days=n)
            _day(store, folder, day, list(islice(stream, A_DAY)), first)
            for reader in readers:
                if reader != first:
                    _hand_on(store, first, reader, day)
                if day != LAST:
                    _thumbs(store, reader, day)


def settings_in(folder: Path, day: date) -> dict[str, str]:
    """The environment of scout at work there on `day`."""
    return {
        "SCOUT_DATA_DIR": str(folder),
        "SCOUT_CONFIG": str(folder / "scout.toml"),
        "SCOUT_TODAY": day.isoformat(),
        "SCOUT_READER": "r00",
    }


def _day(store: Store, folder: Path, day: date, papers: list[Item], reader: str) -> None:
    with mock.patch.dict(os.environ, settings_in(folder, day)):
        settings = load()
    store.items.add(papers, datetime.combine(day, time(6), synthetic.START.tzinfo))
    pipeline.triage(store, settings, reader)
    pipeline.digest(store, settings, reader)


def _hand_on(store: Store, first: str, reader: str, day: date) -> None:
    """The digest of `first`, its impressions and the decisions on what it shows, as `reader`'s."""
    impressions = store.digests.impressions(first, day=day)
    at = datetime.combine(day, time(6), synthetic.START.tzinfo)
    decisions = store.decisions.of(first, [each.item_id for each in impressions]).values()
    store.decisions.write([replace(each, reader=reader) for each in decisions], at)
    snapshot = store.digests.get(first, day)
    assert snapshot is not None
    store.digests.save(
        reader, day, made_at=at, policy=impressions[0].policy, cutoff=store.items.newest_seq(), snapshot=snapshot,
        impressions=[replace(each, reader=reader) for each in impressions],
    )  # fmt: skip


def _thumbs(store: Store, reader: str, day: date) -> None:
    """A thumb on every third item that the day's digest showed."""
    rng = random.Random(f"{reader} {day}")
    at = datetime.combine(day, time(8), synthetic.START.tzinfo)
    with store.writing():
        for impression in store.digests.impressions(reader, day=day):
            if rng.random() < 1 / 3:
                store.feedback.add(Feedback(reader, impression.item_id, Aspect.THUMB, rng.choice(("up", "down")), at))
