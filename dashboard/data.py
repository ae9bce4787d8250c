"""What pages read, each with one look at the store. Nothing here scans all items, waits for a network, or draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.actions import Board
from dashboard.charts import AgreementDay
from dashboard.export import Said
from scout.config import Settings
from scout.digest import context
from scout.digest.build import find
from scout.digest.context import Context, Step
from scout.digest.model import Digest
from scout.digest.wording import feature_name
from scout.items import Aspect, Decision, Health, Impression, Item, ItemId, ItemKind, Lane, Release, Signal, Summary
from scout.items import Feedback as Word
from scout.logged import told_of_skipped
from scout.store import Store
from scout.store.items import Stored, Version
from scout.store.jobs import JobRow, JobState
from scout.store.readings import Reading
from scout.store.sources import SourceRow, health
from scout.store.summaries import text_hash
from scout.triage import honest

AGREEMENT_DAYS = 30
"""Digests that the agreement line looks back over."""


@dataclass(frozen=True, slots=True)
class DigestPage:
    """A day's digest with what the reader said of its items."""

    day: date | None
    days: tuple[date, ...]
    """Days that have a digest, the newest first."""
    digest: Digest | None
    board: Board
    items: Mapping[ItemId, Item]
    """The items themselves, for their sentences."""


def digest_page(store: Store, reader: str, asked: date | None) -> DigestPage:
    """The digest of the day asked for, else the newest one."""
    days = tuple(store.digests.dates(reader))
    day = asked if asked in days else (days[0] if days else None)
    digest = find(store, reader=reader, day=day) if day else None
    ids = [entry.id for entry in digest.entries()] if digest else []
    return DigestPage(day, days, digest, words(store, reader, ids), store.items.many(ids))


def words(store: Store, reader: str, ids: Sequence[ItemId]) -> Board:
    """The reader's current words on these items, each with an entry."""
    current = store.feedback.current(reader, ids)
    return {id: current.get(id, {}) for id in ids}


def agreement(store: Store, reader: str) -> list[AgreementDay]:
    """Per digest, oldest first: how often a thumb on what it showed said what the policy had said before it.

    The policy says yes to what it puts in the read lane, and no to what only chance brought up from the skip lane. What it
    was unsure of is left out. The lane is that of the impression, so no later refit can flatter it.
    """
    shown: dict[ItemId, Impression] = {}
    for day in store.digests.dates(reader)[:AGREEMENT_DAYS]:
        for impression in store.digests.impressions(reader, day=day):
            if impression.lane is not Lane.UNSURE:
                shown[impression.item_id] = impression
    by_day: dict[date, list[bool]] = {}
    for id, said in store.feedback.current(reader, list(shown)).items():
        thumb = said.get(Aspect.THUMB)
        if thumb and thumb.value in ("up", "down"):
            agreed = (thumb.value == "up") == (shown[id].lane is Lane.READ)
            by_day.setdefault(shown[id].digest_date, []).append(agreed)
    return [AgreementDay(day, sum(said), len(said)) for day, said in sorted(by_day.items())]


def releases(store: Store, settings: Settings, day: date | None, *, limit: int = 6) -> list[Release]:
    """Open models that had appeared by the end of `day`, or by now: first those with a verdict, half of `limit` at most.

    Each half the newest first.
    """
    until = None
    if day is not None:
        until = datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(settings.digest.timezone))
    newest = store.releases.listing(until=until, limit=10 * limit)
    judged = [release for release in newest if release.verdict][: limit // 2]
    return judged + [release for release in newest if release not in judged][: limit - len(judged)]


def is_welcomed(store: Store, reader: str) -> bool:
    """Whether the reader has been through the welcome, or skipped it."""
    row = store.readers.get(reader)
    return row is not None and row.onboarded


@dataclass(frozen=True, slots=True)
class Found:
    """An item as a list shows it. The snippet has the store's marks around matches; it is empty where nothing was searched."""

    stored: Stored
    snippet: str
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Findings:
    rows: tuple[Found, ...]
    board: Board
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    text: str = ""
    source: str | None = None
    kind: ItemKind | None = None
    subject: str | None = None
    since: date | None = None


def findings(store: Store, reader: str, query: Query, *, page: int, size: int) -> Findings:
    """A page of the items that match, best first; the newest arrivals where no word is asked for."""
    if query.text.strip():
        hits = store.items.search(
            query.text, source=query.source, kind=query.kind, subject=query.subject, since=query.since, reader=reader,
            limit=size + 1, offset=page * size,
        )  # fmt: skip
        pairs = [(hit.stored, hit.snippet) for hit in hits]
    else:
        newest = store.items.listing(
            source=query.source, kind=query.kind, since=query.since, limit=size + 1, offset=page * size
        )
        pairs = [(stored, "") for stored in newest]
    return _found(store, reader, pairs[:size], has_more=len(pairs) > size)


def saved(store: Store, reader: str, *, limit: int) -> Findings:
    """What the reader keeps, the newest first."""
    kept = [word.item_id for word in store.feedback.saved(reader)]
    items = store.items.known_rows(kept[:limit])
    return _found(store, reader, [(items[id], "") for id in kept[:limit] if id in items], has_more=len(kept) > limit)


def _found(store: Store, reader: str, pairs: Sequence[tuple[Stored, str]], *, has_more: bool) -> Findings:
    ids = [stored.item.id for stored, _ in pairs]
    decisions = store.decisions.of(reader, ids)
    rows = tuple(Found(stored, snippet, decisions.get(stored.item.id)) for stored, snippet in pairs)
    return Findings(rows, words(store, reader, ids), has_more)


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Everything known of one item."""

    stored: Stored
    versions: tuple[Version, ...]
    sources: tuple[str, ...]
    aliases: tuple[str, ...]
    signals: tuple[Signal, ...]
    decision: Decision | None
    summary: Summary | None
    reading: Reading | None
    """What a model made of the text that the item has now."""
    board: Board
    history: tuple[Word, ...]
    impressions: tuple[Impression, ...]
    about: Context
    """Its relation to what was read, the other places of its text, what changed."""
    thread: tuple[Step, ...]


def item_page(store: Store, reader: str, ref: str) -> ItemPage | None:
    """What is known of the item that goes by `ref`; None where there is none."""
    stored = store.items.stored(ref)
    if stored is None:
        return None
    id = stored.item.id
    reading = store.readings.of(reader, [id]).get(id)
    return ItemPage(
        stored=stored,
        versions=tuple(store.items.versions(id)),
        sources=tuple(store.items.sources_of(id)),
        aliases=tuple(store.items.aliases(id)),
        signals=tuple(store.signals.of([id]).get(id, ())),
        decision=store.decisions.of(reader, [id]).get(id),
        summary=store.summaries.of([id]).get(id),
        reading=reading if reading and reading.text_hash == text_hash(stored.item) else None,
        board=words(store, reader, [id]),
        history=tuple(store.feedback.history(reader, item=id)),
        impressions=tuple(store.digests.impressions(reader, item=id)),
        about=context.about(store, reader, stored.item),
        thread=tuple(context.thread(store, id)),
    )


def source_titles(store: Store) -> dict[str, str]:
    """Source → the title people know it by, in the order of the titles."""
    titles = {row.id: row.title or row.id for row in store.sources.all(removed=True)}
    return dict(sorted(titles.items(), key=lambda pair: pair[1].casefold()))


@dataclass(frozen=True, slots=True)
class Learned:
    """What the serving policy learned of a reader: features with their weights in log-odds, the strongest first."""

    version: str
    made_at: datetime
    foreseen: float | None
    """Share of the thumbs that a fit on the earlier ones foresaw; None where there are too few."""
    foreseen_of: int
    up: tuple[tuple[str, float], ...]
    down: tuple[tuple[str, float], ...]
    claims: tuple[str, ...] = ()
    """What it promises of its lanes, and what it noticed of how thumbs came, in sentences."""


def learned(store: Store, reader: str) -> Learned | None:
    """What the policy that serves the reader says of itself; None before the first fit."""
    policy = store.policies.champion(reader)
    if policy is None:
        return None
    held_out = policy.facts.get("held_out") or {}
    strongest = policy.facts.get("learned") or {}
    return Learned(
        policy.version, policy.made_at, held_out.get("agreement"), int(held_out.get("n") or 0),
        _weights(strongest.get("up")), _weights(strongest.get("down")),
        tuple(filter(None, (honest.promised(policy.facts), told_of_skipped(store, reader), honest.told_of_bursts(policy.facts)))),
    )  # fmt: skip


def _weights(facts: Any) -> tuple[tuple[str, float], ...]:
    told = [(feature_name(str(fact["feature"])), float(fact["weight"])) for fact in facts or ()]
    return tuple(sorted(told, key=lambda pair: -abs(pair[1])))


EXPORTED = 100_000
"""Words of a reader that one export holds at the most: decades of them."""


def said(store: Store, reader: str, *, limit: int = EXPORTED) -> list[Said]:
    """What the reader said and did not take back, the newest first."""
    history = store.feedback.history(reader, limit=limit)
    items = store.items.many({word.item_id for word in history})
    return [
        Said(
            word.at, word.item_id, items[word.item_id].title if word.item_id in items else "", word.aspect, word.value,
            word.reasons, word.origin,
        )
        for word in history
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourceLine:
    row: SourceRow
    health: Health
    items_week: int


_WORST_FIRST = (Health.FAILING, Health.GONE, Health.COOLING, Health.NEW, Health.OK, Health.PAUSED)


def source_lines(store: Store, now: datetime) -> list[SourceLine]:
    """Every source, those in need of a look first."""
    week = store.sources.items_week(now)
    lines = [SourceLine(row, health(row, now), week.get(row.id, 0)) for row in store.sources.all()]
    return sorted(lines, key=lambda line: (_WORST_FIRST.index(line.health), -line.items_week, line.row.id))


def jobs(store: Store, *, since: datetime) -> list[JobRow]:
    """Jobs that wait or run, and those that ended after `since`; the oldest first."""
    rows = store.jobs.listing(limit=10)
    active = [row for row in rows if row.state in (JobState.QUEUED, JobState.RUNNING)]
    ended = [row for row in rows if row.finished and row.finished >= since]
    return sorted({row.id: row for row in (*active, *ended)}.values(), key=lambda row: row.id)
