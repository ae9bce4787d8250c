"""`scout run` and its first stages, `scout ingest` and `scout triage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scout.cli.console import progress
from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.notify import after_digests, notify_facts, ping, tell_sent
from scout.cli.output import complain, emit_json, line, say
from scout.cli.policy_words import challenge_facts
from scout.cli.shared import as_json, open_store, reader_option, settings, typed
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from scout.config import Settings
    from scout.embedding import EmbedReport
    from scout.ingest import IngestReport
    from scout.pipeline import RunReport
    from scout.progress import Progress
    from scout.reading.enrich import EnrichReport
    from scout.store import Store
    from scout.store.promotions import Challenge


@click.command(cls=Command, example="scout run\nscout run --json >> runs.jsonl")
@as_json
@click.pass_context
def run(ctx: click.Context, json_: bool) -> None:
    """Do the daily run: poll, decide, digest.

    Every source is polled, what is new is decided on and summarized, and the day's digest is frozen.

    Run it as often as you like: what is done already is not done again. Exit status: 0 done or nothing new, 75 try again
    later, 78 the configuration must be changed.
    """
    from scout import pipeline
    from scout.locks import held

    found = settings()
    with held(found, "run"), open_store(found, create=True) as store, progress() as bars:
        try:
            report = pipeline.run(store, found, progress=bars)
        except Exception as err:
            ping(found, Exit.BUG, type(err).__name__)
            raise
        sent = after_digests(store, found, [made.reader for made in report.digests])
        challenges = _challenges(store, found, bars) if report.code is Exit.DONE else []
        if report.code is Exit.DONE:
            _back_up(found)
    if unheard := ping(found, report.code, report.message):
        complain(f"the health check was not told: {unheard}")
    if json_:
        judged = [challenge_facts(each) for each in challenges]
        emit_json({**run_facts(report), "challenges": judged, "sent": notify_facts(sent)})
        if report.code is not Exit.DONE:
            complain(report.message)
    elif report.code is not Exit.DONE:
        complain(report.message)
    else:
        _tell(report)
        tell_sent(sent)
        for each in challenges:
            say(f"{each.challenger} challenged {each.champion} for {each.reader}: {each.evidence['reason']}.")
            if each.passed:
                say(f"Let it serve with `scout policy promote {each.challenger} --reader {line(each.reader)}`.")
    ctx.exit(report.code)


def _challenges(store: Store, found: Settings, bars: Progress) -> list[Challenge]:
    """Once a week, where a reader's champion is not of the default recipe: the default challenges."""
    from scout.cli.policy_judging import challenge_when_due
    from scout.pipeline import readers

    return challenge_when_due(store, found, readers(store, found), progress=bars)


def _back_up(found: Settings) -> None:
    """The automatic backup, where one is due. The run is done: no room for it is told, and does not undo that."""
    from scout.clock import now
    from scout.keeping.backup import automatic
    from scout.store import StoreError

    try:
        automatic(found, now())
    except StoreError as err:
        complain(f"no backup was made: {err}")


def run_facts(report: RunReport) -> dict[str, Any]:
    """A run's report as data."""
    return {
        "run": report.run,
        "day": report.day,
        "exit_code": int(report.code),
        "message": report.message,
        "ingest": report.ingest and ingest_facts(report.ingest),
        "embed": report.embedded and embed_facts(report.embedded),
        "triage": [
            {"reader": each.reader, "policy": each.policy, "decided": each.decided, "lanes": each.lanes}
            for each in report.triage
        ],
        "enrich": [enrich_facts(each) for each in report.enriched],
        "digests": [
            {"reader": each.reader, "date": each.day, "shown": each.shown, "note": each.note} for each in report.digests
        ],
        "stages": report.stages,
    }


def embed_facts(report: EmbedReport) -> dict[str, Any]:
    return {"model": report.model, "done": report.done, "waiting": report.waiting, "message": report.message}


def enrich_facts(report: EnrichReport) -> dict[str, Any]:
    return {
        "reader": report.reader,
        "model": report.model,
        "done": report.done,
        "waiting": report.waiting,
        "suspected": report.suspected,
        "points": report.points,
        "dropped_points": report.dropped_points,
        "outcomes": report.outcomes,
        "faults": report.faults,
    }


def ingest_facts(report: IngestReport) -> dict[str, Any]:
    return {
        "sources": len(report.polls),
        "new": report.new,
        "updated": report.updated,
        "failed": [{"source": id, "outcome": outcome, "message": message} for id, outcome, message in report.failed],
    }


def _tell(report: RunReport) -> None:
    """What came of a run, and where to look next."""
    if report.ingest is not None:
        tell_ingest(report.ingest)
    if report.embedded is not None:
        tell_embedded(report.embedded)
    for each in report.triage:
        lanes = ", ".join(f"{count} {lane}" for lane, count in each.lanes.items())
        say(f"Triage for {each.reader}: {lanes}" if each.decided else f"Triage for {each.reader}: nothing new")
    for read in report.enriched:
        say(
            f"{line(read.model) or 'The model'} read {read.done} items for {read.reader}{_waiting(read)}; "
            f"{read.dropped_points} of {read.points} sentences dropped"
        )
    told = bool(report.ingest and report.ingest.failed)  # each failure has had its line above
    for digest in report.digests:
        note = f". {digest.note}" if digest.note and not told else ""
        say(f"Digest for {digest.reader}, {digest.day}: {digest.shown} items{note}")
    say("Read it with `scout digest`, or in a browser with `scout dashboard`.")


def tell_embedded(report: EmbedReport) -> None:
    if report.message:
        complain(
            f"the model that embeds cannot be used: {line(report.message)}; {report.waiting} items go by their words until it can"
        )
    elif report.done or report.waiting:
        waiting = f", {report.waiting} wait for the next run" if report.waiting else ""
        say(f"{line(report.model)} embedded {report.done} items{waiting}")


def _waiting(read: EnrichReport) -> str:
    """How many items wait, and how many of them because the model failed on them and on no other."""
    if not read.waiting:
        return ""
    failed = f" ({read.suspected} of them failed, and will be asked for alone)" if read.suspected else ""
    return f", {read.waiting} wait for the next run{failed}"


def tell_ingest(report: IngestReport) -> None:
    if not report.polls:
        say("No source was polled: none is due, or all are cooling down or paused (`scout sources list`).")
    else:
        say(f"{len(report.polls)} sources polled: {report.new} new items, {report.updated} updated")
    for id, outcome, message in report.failed:
        say(f"  {line(id)} failed, {outcome}: {line(message)}")


@click.command(cls=Command, example="scout ingest --due\nscout ingest --source arxiv --json")
@click.option("--due", is_flag=True, help="Only sources whose next poll is due; for a timer that calls often.")
@click.option("--source", "only", multiple=True, metavar="ID", help="Only this source; may be given more than once.")
@as_json
@click.pass_context
def ingest(ctx: click.Context, due: bool, only: tuple[str, ...], json_: bool) -> None:
    """Poll sources and store what is new."""
    from scout.ingest import ingest as poll
    from scout.locks import held
    from scout.pipeline import unreachable
    from scout.sources.defaults import wanted

    found = settings()
    with held(found, "run"), open_store(found, create=True) as store:
        known = {row.id for row in store.sources.all()} | {source.id for source in wanted(found)}
        if missing := [name for name in only if name not in known]:
            raise Missing(f"no source {typed(missing[0])!r}; `scout sources list` names them")
        with progress() as bars:
            report = poll(store, found, only=only or None, due=due, progress=bars)
    if json_:
        emit_json(ingest_facts(report))
    else:
        tell_ingest(report)
    if report.all_failed:
        complain(unreachable(report))
        ctx.exit(Exit.LATER)


@click.command(cls=Command, example="scout triage\nscout triage --reader ada --json")
@reader_option
@as_json
def triage(reader: str | None, json_: bool) -> None:
    """Decide on what is stored and undecided.

    For every reader, or for one.
    """
    from scout import pipeline
    from scout.locks import held

    found = settings()
    with open_store(found) as store, held(found, "run"):
        names = pipeline.readers(store, found)
        if reader is not None and typed(reader) not in names:
            raise Missing(f"no reader {typed(reader)!r}; there are {', '.join(names)}")
        with progress() as bars:
            reports = [
                pipeline.triage(store, found, name, progress=bars)
                for name in names
                if reader is None or name == typed(reader)
            ]
    facts = [{"reader": r.reader, "policy": r.policy, "decided": r.decided, "lanes": r.lanes} for r in reports]
    if json_:
        emit_json(facts)
        return
    for report in reports:
        lanes = ", ".join(f"{count} {lane}" for lane, count in report.lanes.items())
        say(f"{report.reader}: {lanes} ({report.policy})" if report.decided else f"{report.reader}: nothing new")
