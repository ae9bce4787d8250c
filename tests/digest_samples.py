"""Items, decisions and digests made up for the digest's tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from scout.digest.choose import Candidate
from scout.digest.model import Digest, Entry, ReleaseLine, SubjectBlock
from scout.items import Contribution, Decision, Item, ItemKind, Lane, Point, Summary
from scout.store import Store

DAY = date(2025, 12, 2)
NOON = datetime(2025, 12, 2, 12, tzinfo=UTC)
POLICY = "linear-1:5d0c2f1a"
READER = "ada"


def item(number: int, *, published: datetime | None = NOON, backlog: bool = False, title: str = "") -> Item:
    return Item(
        id=f"arxiv:2512.{number:05d}",
        kind=ItemKind.PAPER,
        title=title or f"Paper {number}",
        url=f"https://arxiv.org/abs/2512.{number:05d}",
        text=f"We study matter {number}. It matters.",
        source="arxiv",
        authors=("Ada Lovelace", "Alan Turing"),
        categories=("cs.LG",),
        published=published,
        backlog=backlog,
    )


def decision(
    of: Item, lane: Lane, probability: float, *, subject: str = "agents", reader: str = READER, why: str = "word:matter"
) -> Decision:
    return Decision(
        item_id=of.id,
        reader=reader,
        policy=POLICY,
        subject=subject,
        subjects={subject: 0.75, "other": 0.25},
        probability=probability,
        lane=lane,
        why=(Contribution(why, 1.5),),
    )


def candidate(
    number: int, lane: Lane, probability: float, *, subject: str = "agents", why: str = "word:x"
) -> Candidate:
    of = item(number)
    return Candidate(of, decision(of, lane, probability, subject=subject, why=why))


def summary(of: Item) -> Summary:
    return Summary(of.id, f"In short: {of.title}.", (Point("It matters.", (2,)),), "extractive")


def fill(store: Store, pairs: Iterable[tuple[Item, Lane | None]], *, reader: str = READER) -> None:
    """Store items with a decision each, the earlier the likelier, and none where the lane is None."""
    pairs = list(pairs)
    store.items.add([of for of, _ in pairs], NOON)
    decided = [(of, lane) for of, lane in pairs if lane is not None]
    store.decisions.write(
        [decision(of, lane, 0.9 - place / 1000, reader=reader) for place, (of, lane) in enumerate(decided)], NOON
    )
    store.summaries.write([(of, summary(of)) for of, _ in pairs], NOON)


def opened(folder: Path) -> Store:
    return Store(folder / "scout.db")


def entry(number: int = 1, **changes: object) -> Entry:
    of = item(number)
    plain = Entry(
        id=of.id,
        title=of.title,
        url=of.url,
        source=of.source,
        authors=of.authors,
        published=of.published,
        lane=Lane.READ,
        probability=0.83,
        subjects={"agents": 0.75, "other": 0.25},
        why=(Contribution("word:matter", 1.5), Contribution("author:Ada Lovelace", -0.5)),
        summary=summary(of),
        position=number,
        propensity=1.0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def digest(*entries: Entry, **changes: object) -> Digest:
    """A digest with these entries under one subject, or with one of everything."""
    read = entries or (entry(1), entry(2, lane=Lane.SKIP, probability=0.02, propensity=1 / 40))
    whole = Digest(
        date=DAY,
        policy=POLICY,
        subjects=(SubjectBlock("agents", "Agents & tools", tuple(read)),),
        unsure=() if entries else (entry(3, lane=Lane.UNSURE, probability=0.4),),
        releases=() if entries else (ReleaseLine("Qwen/Qwen3-8B", NOON - timedelta(days=1)),),
        counts={
            "considered": 60, "undecided": 0, "read": 4, "unsure": 1, "skipped": 55, "shown": 3, "explored": 1,
            "read_left_out": 3, "unsure_left_out": 0, "sources_failed": 1, "sources_quiet": 0, "sources_unpolled": 0,
        },
        note="" if entries else "1 source failed: Example Lab (too slow: no answer in 8 s).",
    )  # fmt: skip
    return replace(whole, **changes)  # type: ignore[arg-type]


def empty(**counts: int) -> Digest:
    return Digest(date=DAY, policy="", counts={"considered": 0, "undecided": 0, **counts})
