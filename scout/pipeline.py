"""The daily run as a list of stages: ingest, then for each reader triage, what a model reads on, and digest.

Every stage does only what is not done yet and commits its work with the note that it is done, so that a run killed
anywhere and started again ends in the same database.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from scout import logs, policies
from scout.clock import now, today
from scout.config import Settings
from scout.digest.build import build, window
from scout.embedding import EmbedReport, embed_new
from scout.exit_codes import Exit
from scout.ingest import IngestReport, ingest
from scout.items import Item, Lane
from scout.linking import link_new
from scout.progress import SILENT, Progress
from scout.reading.enrich import EnrichReport, enrich
from scout.store import Store, StoreError
from scout.store.ledger import Key
from scout.store.merging import merge
from scout.store.rows import batches
from scout.store.summaries import EXTRACTIVE, text_hash
from scout.store.tidy import tidy
from scout.text import line
from scout.triage.summarize import extractive

log = logging.getLogger("scout")

BATCH = 500
"""Items decided and written at a time."""


@dataclass(frozen=True, slots=True)
class TriageReport:
    reader: str
    policy: str
    decided: int
    lanes: dict[str, int]
    """Lane → how many of them."""


@dataclass(frozen=True, slots=True)
class DigestReport:
    reader: str
    day: date
    shown: int
    note: str


@dataclass
class RunReport:
    """What a run did, for whoever watches; `code` is the exit status it deserves."""

    run: str
    day: date
    ingest: IngestReport | None = None
    embedded: EmbedReport | None = None
    """What a served model made vectors of; None where none is set."""
    triage: list[TriageReport] = field(default_factory=list)
    enriched: list[EnrichReport] = field(default_factory=list)
    """What a served model read; empty where none is set."""
    digests: list[DigestReport] = field(default_factory=list)
    stages: list[dict[str, Any]] = field(default_factory=list)
    code: Exit = Exit.DONE
    message: str = ""


def run(store: Store, settings: Settings, *, progress: Progress = SILENT) -> RunReport:
    """The daily run. The caller holds the `run` lock."""
    report = RunReport(store.runs.start("run", now()), today(settings))
    with recorded(store, report):
        with _stage(report, "ingest"):
            report.ingest = ingest(store, settings, run=report.run, progress=progress)
        if report.ingest.all_failed:
            report.code, report.message = Exit.LATER, unreachable(report.ingest)
        with _stage(report, "threads"):
            link_new(store, progress=progress)
        if settings.embedding.base_urls:
            with _stage(report, "embed"):
                report.embedded = embed_new(store, settings, embeddable(store), progress=progress)
        _decide(store, settings, report, progress)
        with _stage(report, "tidy"):
            merge(store)
            if days := settings.keeping.details_days:
                tidy(store, now() - timedelta(days=days), now())
        if not report.message:
            report.message = _summary(report)
    progress.done()
    return report


def _decide(store: Store, settings: Settings, report: RunReport, progress: Progress) -> None:
    """The stages of each reader. A model that is away keeps no digest from being made; it only changes how the run ends."""
    everyone = readers(store, settings)
    for reader in everyone:
        # Nothing came, nothing waits: no empty digest takes the place of tomorrow's.
        idle = report.code is Exit.LATER and not _waiting(store, settings, reader)
        if not idle:
            with _stage(report, f"triage {reader}"):
                report.triage.append(triage(store, settings, reader, run=report.run, progress=progress))
        if settings.model.base_urls:
            with _stage(report, f"enrich {reader}"):
                report.enriched.append(
                    enrich(store, settings, reader, readers=len(everyone), run=report.run, progress=progress)
                )
        if not idle:
            with _stage(report, f"digest {reader}"):
                report.digests.append(digest(store, settings, reader, run=report.run, progress=progress))
    if report.code is Exit.DONE and (away := [each for each in report.enriched if each.away]):
        report.code = Exit.CONFIG if any(each.misconfigured for each in away) else Exit.LATER
        report.message = without_model(away)


@contextmanager
def recorded(store: Store, report: RunReport) -> Iterator[None]:
    """Write the run's end into the store, however it ends."""
    log.info("run started", extra={"run": report.run, "day": report.day.isoformat()})
    try:
        with logs.running(report.run):
            yield
    except BaseException as err:
        report.code, report.message = _ending(err)
        store.runs.finish(report.run, now(), exit_code=report.code, message=report.message, stages=report.stages)
        raise
    store.runs.finish(report.run, now(), exit_code=report.code, message=report.message, stages=report.stages)
    log.info("run finished", extra={"run": report.run, "code": int(report.code), "outcome": report.message})


def _ending(err: BaseException) -> tuple[Exit, str]:
    """How a run that `err` ended stands in the records: as the command's exit status tells it."""
    if isinstance(err, StoreError):
        return Exit.LATER, str(err)
    if isinstance(err, KeyboardInterrupt):
        return Exit.INTERRUPTED, "stopped"
    return Exit.BUG, f"{type(err).__name__}: {err}"


@contextmanager
def _stage(report: RunReport, name: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        report.stages.append({"name": name, "seconds": round(time.perf_counter() - started, 3)})


def readers(store: Store, settings: Settings) -> list[str]:
    """Everyone a digest is made for: the configured reader, and whoever else has come."""
    store.readers.ensure(settings.reader, now())
    return [row.name for row in store.readers.all()]


def embeddable(store: Store) -> list[Item]:
    """What a policy decides on or learns from, the newest first, and what was thumbed longer ago after it."""
    thumbed = store.items.many(
        {word.item_id for row in store.readers.all() for word in store.feedback.thumbs(row.name)}
    )
    return [*reversed(store.items.recent(policies.RECENT_ITEMS)), *thumbed.values()]


def triage(
    store: Store, settings: Settings, reader: str, *, run: str | None = None, progress: Progress = SILENT
) -> TriageReport:
    """Decide on what arrived since the reader's last digest and is not decided yet, and summarize it.

    Old news of a new source is decided too (it can be searched by subject) but not summarized. What was edited after it was
    summarized is summarized again: its summary cites sentences by number.
    """
    policy = policies.serving(store, settings, reader)
    after = store.digests.last_cutoff(reader, before=today(settings))
    todo = store.decisions.undecided(reader, after_seq=after)
    progress.stage(f"triage for {reader}", len(todo))
    lanes: Counter[str] = Counter(dict.fromkeys(Lane, 0))
    for batch in batches(todo, BATCH):
        items = [stored.item for stored in batch]
        decisions = policy.decide(items)
        with store.writing():
            at = now()
            store.decisions.write(decisions, at, run=run)
            store.ledger.mark(
                Key(stage="triage", reader=reader, policy=policy.version), [item.id for item in items], at, run=run
            )
        lanes.update(decision.lane for decision in decisions)
        for _ in batch:
            progress.step()
    since = [stored.item for stored in store.items.arrived(after, window(today(settings), settings)[0])]
    changed = store.items.many(store.summaries.outdated(by=EXTRACTIVE)).values()
    summarize(store, [*since, *changed], progress=progress)
    return TriageReport(reader, policy.version, len(todo), dict(lanes))


def summarize(store: Store, items: list[Item], *, progress: Progress = SILENT) -> int:
    """Extractive summaries of those items whose text has none, or another one than the text it has now."""
    known = store.summaries.hashes([item.id for item in items], by=EXTRACTIVE)
    todo = [item for item in {item.id: item for item in items}.values() if known.get(item.id) != text_hash(item)]
    progress.stage("summarize", len(todo))
    for batch in batches(todo, BATCH):
        summaries = {summary.item_id: summary for summary in extractive(batch)}
        store.summaries.write([(item, summaries[item.id]) for item in batch if item.id in summaries], now())
        for _ in batch:
            progress.step()
    return len(todo)


def digest(
    store: Store, settings: Settings, reader: str, *, run: str | None = None, progress: Progress = SILENT
) -> DigestReport:
    """Freeze today's digest for `reader`, if it is not frozen yet."""
    progress.stage(f"digest for {reader}", 1)
    day = today(settings)
    made = build(store, settings, reader=reader, day=day, run=run)
    progress.step()
    return DigestReport(reader, day, made.counts.get("shown", 0), made.note)


def unreachable(report: IngestReport) -> str:
    """One line for the day on which no source could be reached."""
    names = [f"{source}: {message or outcome}" for source, outcome, message in report.failed]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"offline? none of {len(report.polls)} sources could be read ({'; '.join(names[:2])}{more}); try again later"


def without_model(away: list[EnrichReport]) -> str:
    """One line for the day on which the model could not be used, with what to do."""
    waiting = sum(each.waiting for each in away)
    items = "1 item waits" if waiting == 1 else f"{waiting} items wait"
    todo = (
        "set model.name and model.api_key as the endpoint wants them, then run again"
        if any(each.misconfigured for each in away)
        else "the digest is made; run again later and they are read"
    )
    return f"the model cannot be used: {line(away[0].message)}; {items} for it with extractive summaries; {todo}"


def _waiting(store: Store, settings: Settings, reader: str) -> bool:
    after = store.digests.last_cutoff(reader, before=today(settings))
    return store.items.waiting(after, window(today(settings), settings)[0]) > 0


def _summary(report: RunReport) -> str:
    assert report.ingest is not None
    parts = [f"{report.ingest.new} new and {report.ingest.updated} updated items"]
    if failed := len(report.ingest.failed):
        parts.append(f"{failed} of {len(report.ingest.polls)} sources failed")
    parts += [f"{read.done} read by {read.model}" for read in report.enriched if read.done]
    parts += [f"{made.shown} in the digest for {made.reader}" for made in report.digests]
    return ", ".join(parts)
