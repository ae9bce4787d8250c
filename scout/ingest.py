"""Poll what is due, merge it into the store, write down how each poll ended. One bad source never stops the rest.

lay the shipped sources over the source table
in threads: poll each source that is due            (no database in there)
on this thread, in a fixed order: for each poll, in one transaction
    decide what it changes                          (`changes`, pure)
    write items, signals, releases, the source's new state and the poll's record
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from scout import clock
from scout.changes import Authority, Changes, Known, changes
from scout.config import Settings
from scout.items import Item, ItemId, Outcome, OutcomeKind, SourceKind
from scout.progress import SILENT, Progress
from scout.sources import arxiv, feeds, huggingface, imap, maildir
from scout.sources.base import Poll, Tools
from scout.sources.defaults import wanted
from scout.sources.schedule import next_times
from scout.sources.tools import open_tools
from scout.store import Store, StoreError
from scout.store.sources import PollRow, SourceRow

log = logging.getLogger("scout")

Poller = Callable[[SourceRow, Tools], Poll]
POLLERS: Mapping[SourceKind, Poller] = {
    SourceKind.ARXIV: arxiv.poll,
    SourceKind.HF_DAILY: huggingface.poll_daily,
    SourceKind.HF_RELEASES: huggingface.poll_releases,
    SourceKind.FEED: feeds.poll,
    SourceKind.MAILDIR: maildir.poll,
    SourceKind.IMAP: imap.poll,
}
_ORDER = list(POLLERS)
"""arXiv is written first: a paper then has arXiv for its source, whoever else brought it in the same run."""


@dataclass(frozen=True, slots=True)
class PollRecord:
    """What became of one poll."""

    source: str
    outcome: Outcome
    new: int
    updated: int
    seconds: float


@dataclass(frozen=True, slots=True)
class IngestReport:
    polls: tuple[PollRecord, ...] = field(default_factory=tuple)

    @property
    def new(self) -> int:
        return sum(poll.new for poll in self.polls)

    @property
    def updated(self) -> int:
        return sum(poll.updated for poll in self.polls)

    @property
    def failed(self) -> tuple[tuple[str, OutcomeKind, str], ...]:
        return tuple(
            (poll.source, poll.outcome.kind, poll.outcome.message)
            for poll in self.polls
            if not poll.outcome.kind.is_success
        )

    @property
    def all_failed(self) -> bool:
        """Whether there were polls and none of them went well."""
        return bool(self.polls) and len(self.failed) == len(self.polls)


def ingest(
    store: Store,
    settings: Settings,
    *,
    run: str | None = None,
    only: Collection[str] | None = None,
    due: bool = False,
    progress: Progress = SILENT,
) -> IngestReport:
    """Poll every source that is not paused, gone or cooling down; with `due` those whose next poll has come, with `only`
    those with one of these ids.

    Raises:
        StoreError: the database cannot be written. A source's failure never raises.
    """
    now = clock.now()
    sync_defaults(store, settings, now)
    sources = to_poll(store.sources.all(), settings, now, only=only, due=due)
    progress.stage("ingest", len(sources))
    if not sources:
        return IngestReport()
    records = []
    with open_tools(settings, now=now) as tools:
        for done in _in_order(sources, polled(sources, tools, progress)):
            records.append(_record(store, settings, done, run=run))
    return IngestReport(tuple(records))


def sync_defaults(store: Store, settings: Settings, now: datetime) -> None:
    """Lay the shipped sources over the table: new ones come in, removed ones stay removed, and those whose address is made
    from the settings follow them."""
    known = {row.id: row for row in store.sources.all(removed=True)}
    for id, kind, url, title in wanted(settings):
        if id not in known:
            store.sources.add(id, kind, url, title=title, origin="default", at=now)
        elif kind is not SourceKind.FEED and known[id].url != url:
            store.sources.set_url(id, url)


def to_poll(
    rows: Iterable[SourceRow], settings: Settings, now: datetime, *, only: Collection[str] | None, due: bool
) -> list[SourceRow]:
    """Which sources are asked now, arXiv first. A time that a clock since moved back wrote down holds nobody up."""
    shipped = {source.id for source in wanted(settings)}
    chosen = []
    for row in rows:
        if row.paused or row.gone or (row.origin == "default" and row.id not in shipped):
            continue
        if only is not None and row.id not in only:
            continue
        trusted = row.last_poll is None or row.last_poll <= now
        if trusted and row.cooling_until and row.cooling_until > now:
            continue
        if due and trusted and row.next_poll and row.next_poll > now:
            continue
        chosen.append(row)
    return sorted(chosen, key=lambda row: (_ORDER.index(row.kind), row.id))


# --- polling


@dataclass(frozen=True, slots=True)
class Polled:
    source: SourceRow
    poll: Poll
    started: datetime
    seconds: float


def polled(sources: Sequence[SourceRow], tools: Tools, progress: Progress = SILENT) -> Iterator[Polled]:
    """Each source's poll, as they end. The threads are daemons, so that an interrupt ends the process at once."""
    waiting: queue.SimpleQueue[SourceRow] = queue.SimpleQueue()
    ended: queue.SimpleQueue[Polled] = queue.SimpleQueue()
    for source in sources:
        waiting.put(source)

    def work() -> None:
        while True:
            try:
                source = waiting.get_nowait()
            except queue.Empty:
                return
            ended.put(_poll(source, tools))

    for n in range(min(tools.settings.net.workers, len(sources))):
        threading.Thread(target=work, name=f"poll-{n}", daemon=True).start()
    for _ in sources:
        one = ended.get()
        progress.step(one.source.title or one.source.id)
        yield one


def _poll(source: SourceRow, tools: Tools) -> Polled:
    started, begun = clock.now(), time.perf_counter()
    try:
        poll = POLLERS[source.kind](source, tools)
    except Exception as err:  # a fault of ours must not take the other sources down
        poll = _fault(source, err)
    return Polled(source, poll, started, time.perf_counter() - begun)


def _fault(source: SourceRow, err: Exception) -> Poll:
    log.exception("poll failed", extra={"source": source.id})
    message = f"a fault in scout, see the log: {type(err).__name__}: {err}"[:500]
    return Poll(outcome=Outcome(OutcomeKind.ERROR, message), state=source.state)


def _in_order(sources: Sequence[SourceRow], ended: Iterable[Polled]) -> Iterator[Polled]:
    """The polls in the order of `sources`, each as soon as those before it have ended: the same run, the same database."""
    there: dict[str, Polled] = {}
    ids = iter([source.id for source in sources])
    awaited = next(ids, None)
    for one in ended:
        there[one.source.id] = one
        while awaited in there:
            yield there.pop(awaited)
            awaited = next(ids, None)


# --- writing


def _record(store: Store, settings: Settings, done: Polled, *, run: str | None) -> PollRecord:
    """Write a poll; one whose items cannot be written is written as a fault of ours, without them."""
    try:
        return _write(store, settings, done, run=run)
    except StoreError:
        raise
    except Exception as err:
        fault = _fault(done.source, err)
    return _write(store, settings, replace(done, poll=fault), run=run)


def _write(store: Store, settings: Settings, done: Polled, *, run: str | None) -> PollRecord:
    """One poll into the store, in one transaction."""
    source, poll, outcome = done.source, done.poll, done.poll.outcome
    now = clock.now()
    interval = timedelta(minutes=settings.sources.interval_minutes)
    times = next_times(outcome, source.failures, interval, poll.hint, now, random.Random())  # noqa: S311 - not a secret
    with store.writing():
        found = merge(store, poll.items, source=source.id, authority=Authority.of(source.kind), now=now)
        store.signals.add(poll.signals)
        new_releases = store.releases.add(poll.releases, now)
        row = PollRow(
            source=source.id, run=run, started=done.started, seconds=done.seconds, outcome=outcome.kind,
            message=outcome.message, status=outcome.status, new=len(found.new), updated=len(found.updated),
            bytes=outcome.bytes,
        )  # fmt: skip
        store.sources.record(
            row, state=poll.state, failures=times.failures, next_poll=times.next_poll,
            cooling_until=times.cooling_until, title=poll.title, moved_to=poll.moved_to,
        )  # fmt: skip
    facts = {"source": source.id, "outcome": outcome.kind, "new": row.new, "updated": row.updated}
    facts |= {"releases": new_releases, "seconds": round(done.seconds, 3), "reason": outcome.message}
    log.log(logging.INFO if outcome.kind.is_success else logging.WARNING, "polled", extra=facts)
    return PollRecord(source.id, outcome, row.new, row.updated, done.seconds)


def merge(
    store: Store, items: Sequence[Item], *, source: str, authority: Authority, now: datetime, old: bool = False
) -> Changes:
    """Write what `items`, which `source` brought, add to what is known; what that was. Part of a transaction of the caller's.

    With `old` what is new here was looked for, and takes its place before all that came.
    """
    found = _changes(store, items, authority, now)
    (store.items.add_old if old else store.items.add)(found.new, now)
    store.items.update(found.updated, now)
    store.items.update(found.replaced, now, keep_version=False)
    store.items.touch_sources([(id, source) for id in found.seen], now)
    return found


def _changes(store: Store, items: Sequence[Item], authority: Authority, now: datetime) -> Changes:
    rows = store.items.known_rows(name for item in items for name in (item.id, *item.aliases))
    best = _authorities(store, {stored.item.id: stored.item for stored in rows.values()}.values())
    known = {
        asked: Known(stored.item, stored.changed_at, best.get(stored.item.id, Authority.FEED))
        for asked, stored in rows.items()
    }
    ids = [item.id for item in items]
    gone, archived = store.items.tombstoned(ids), store.archive.versions(ids)
    return changes(known, gone, items, authority=authority, now=now, archived=archived)


def _authorities(store: Store, items: Iterable[Item]) -> dict[ItemId, Authority]:
    """The best authority that spoke of each paper. Posts have feeds alone, and feeds one authority."""
    kinds = {row.id: row.kind for row in store.sources.all(removed=True)}
    return {
        item.id: max(
            (Authority.of(kinds[id]) for id in store.items.sources_of(item.id) if id in kinds), default=Authority.FEED
        )
        for item in items
        if item.id.startswith(("arxiv:", "doi:"))
    }
