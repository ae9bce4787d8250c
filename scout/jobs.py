"""Long work that a page asked for, done by one worker process. A page asks and shows; it never does the work itself.

What can take very long (`LONG`) is done beside the rest, by a thread of its own, so that nothing short waits for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scout import pipeline
from scout.clock import now
from scout.config import ConfigError, Settings, load
from scout.exit_codes import Exit
from scout.ingest import ingest
from scout.locks import Locked, held
from scout.net.errors import FetchError
from scout.progress import Progress
from scout.readers import like
from scout.references.pasted import parse_pasted
from scout.source_list import add_feed, add_feeds, known_feed
from scout.sources import lookup, opml
from scout.store import Store
from scout.store.jobs import LONG, JobRow, JobState

log = logging.getLogger("scout")

POLL_SECONDS = 0.5
"""How often the worker looks for a new job."""

RETRY_SECONDS = 5.0
"""How long a job waits for a run that another process is doing."""


class JobFailed(Exception):
    """The job could not be done; the message is for whoever asked."""


class JobStopped(Exception):
    """The job was asked to end and did; the message says what stands."""


AfterRun = Callable[[Store, Settings, Progress], Sequence[str]]
"""What a run that was asked for does at its end beyond the pipeline, and what it has to say of it."""


def nothing_more(store: Store, settings: Settings, progress: Progress) -> Sequence[str]:
    return ()


def work(
    settings: Settings, *, once: bool = False, stop: Callable[[], bool] = lambda: False,
    after_run: AfterRun = nothing_more,
) -> int:  # fmt: skip
    """Do the waiting jobs, then (unless `once`) wait for more until `stop()`. How many were done.

    Settings are read anew for every job, since a page may have changed them.

    Raises:
        Locked: another worker serves this data directory.
    """
    left = threading.Event()

    def ends() -> bool:
        return left.is_set() or stop()

    with held(settings, "worker"), ThreadPoolExecutor(1, thread_name_prefix="long-jobs") as threads:
        with Store(settings.database) as store:
            store.jobs.requeue_orphans()
        beside = threads.submit(_serve, settings, only=LONG, but=(), once=once, stop=ends, after_run=after_run)
        try:
            done = _serve(
                settings, only=(), but=LONG, once=once, stop=lambda: stop() or (beside.done() and not once),
                after_run=after_run,
            )  # fmt: skip
            return done + beside.result()
        finally:
            if not once:
                left.set()


def _serve(
    settings: Settings, *, only: Sequence[str], but: Sequence[str], once: bool, stop: Callable[[], bool],
    after_run: AfterRun,
) -> int:  # fmt: skip
    """Do jobs of those kinds until `stop()`, or with `once` until none waits. How many were done."""
    done = 0
    with Store(settings.database) as store:
        while not stop():
            job = store.jobs.take(now(), only=only, but=but)
            if job is None:
                if once:
                    break
                time.sleep(POLL_SECONDS)
                continue
            _do(store, load(), job, stop, after_run)
            done += 1
    return done


def _do(store: Store, settings: Settings, job: JobRow, stop: Callable[[], bool], after_run: AfterRun) -> None:
    task = _Task(store, job.id, stop, after_run)
    try:
        message = KINDS[job.kind](store, settings, job.payload, task)
        state = JobState.DONE
    except JobStopped as err:
        if not store.jobs.is_to_stop(job.id):
            return  # it is the worker that ends: the next one takes the job up again
        state, message = JobState.STOPPED, str(err)
    except (JobFailed, FetchError, Locked) as err:
        state, message = JobState.FAILED, str(err)
    except Exception as err:
        log.exception("job failed", extra={"job": job.id, "kind": job.kind})
        state, message = JobState.FAILED, f"{type(err).__name__}: {err}"
    store.jobs.finish(job.id, now(), state=state, message=message)


class _Task:
    """A job under way: its progress lands in its row, at most a few times a second; it may be asked to end."""

    def __init__(self, store: Store, job: int, stop: Callable[[], bool], after_run: AfterRun) -> None:
        self.store, self.job, self._stop, self.after_run = store, job, stop, after_run
        self.name, self.total, self.steps, self.written = "", 0, 0, 0.0

    def is_to_end(self) -> bool:
        """Whether whoever asked wants it no more, or the worker ends."""
        return self._stop() or self.store.jobs.is_to_stop(self.job)

    def stage(self, name: str, total: int | None = None) -> None:
        self.name, self.total, self.steps, self.written = name, total or 0, 0, 0.0
        self._write(name)

    def step(self, label: str = "") -> None:
        self.steps += 1
        self._write(f"{self.name}: {label}" if label else self.name)

    def done(self) -> None:
        self.written = 0.0
        self._write("done")

    def _write(self, message: str) -> None:
        if time.monotonic() - self.written >= 0.3 and not self.store.db.conn.in_transaction:
            share = min(1.0, self.steps / self.total) if self.total else 0.0
            self.store.jobs.report(self.job, progress=share, message=message)
            self.written = time.monotonic()


def _run(store: Store, settings: Settings, payload: Mapping[str, Any], progress: _Task) -> str:
    with held(settings, "run"):
        report = pipeline.run(store, settings, progress=progress)
        more = progress.after_run(store, settings, progress) if report.code is Exit.DONE else ()
    if report.code is not Exit.DONE:
        raise JobFailed(report.message)
    return "; ".join([report.message, *more])


def _poll(store: Store, settings: Settings, payload: Mapping[str, Any], progress: Progress) -> str:
    with held(settings, "run"):
        report = ingest(store, settings, only=list(payload.get("sources") or []) or None, progress=progress)
    if report.failed:
        raise JobFailed("; ".join(f"{source}: {message or outcome}" for source, outcome, message in report.failed))
    return f"{report.new} new and {report.updated} updated items"


def _add_source(store: Store, settings: Settings, payload: Mapping[str, Any], progress: Progress) -> str:
    progress.stage(f"looking for a feed at {payload['url']}", 1)
    found = lookup.feed_at(settings, str(payload["url"]))
    if known := known_feed(store, found.url):
        return f"{known.title or known.url} is a source already"
    id, _ = add_feed(store, title=found.title, url=found.url, at=now())
    return f"added {found.title or found.url}: {_poll(store, settings, {'sources': [id]}, progress)}"


def _import_opml(store: Store, settings: Settings, payload: Mapping[str, Any], progress: Progress) -> str:
    try:
        feeds = opml.parse(str(payload["text"]).encode())
    except opml.OpmlError as err:
        raise JobFailed(str(err)) from err
    new, known = add_feeds(store, feeds, origin="opml", at=now())
    message = f"{len(new)} new sources, {known} known already"
    return f"{message}: {_poll(store, settings, {'sources': new}, progress)}" if new else message


def _onboard(store: Store, settings: Settings, payload: Mapping[str, Any], progress: Progress) -> str:
    """Fetch the papers a reader pasted and note that the reader likes them."""
    pasted = parse_pasted(str(payload["text"]))
    progress.stage("fetching the papers you like", 1)
    wanted = [id for id in pasted.ids if id.startswith("arxiv:")]
    missing = [id for id in wanted if id not in store.items.known(wanted)]
    trouble = ""
    if missing:
        try:
            store.items.add(lookup.papers(settings, missing), now())
        except FetchError as err:
            trouble = f"; {len(missing)} could not be fetched ({err}), paste them again later"
    store.items.add([item for item in pasted.items if item.title], now())  # what arXiv gave stands
    given = like(store, reader=str(payload["reader"]), ids=pasted.ids, at=now(), origin="onboarding")
    known = store.items.known(pasted.ids)
    unknown = [id for id in pasted.ids if id not in known]
    lost = f"; not found: {', '.join(unknown[:3])}" if unknown and not trouble else ""
    unclear = f"; not understood: {', '.join(pasted.unclear[:3])}" if pasted.unclear else ""
    return f"{given} papers liked{trouble}{lost}{unclear}"


def _research(store: Store, settings: Settings, payload: Mapping[str, Any], progress: _Task) -> str:
    """Have the model read on about one item; what it comes to is on the item's page."""
    from scout.agent.research import Stopped, research

    item = store.items.get(str(payload["item"]))
    if item is None:
        raise JobFailed("the item is gone")
    try:
        with held(settings, "research"):
            [found] = research(
                store, settings, [item], again=bool(payload.get("again")), progress=progress, stop=progress.is_to_end
            )
    except Stopped:
        raise JobStopped(f"{item.title[:80]}: stopped; asked for again, it goes on from there") from None
    except ConfigError as err:
        raise JobFailed(str(err)) from err
    if found.brief is None:
        why = found.message or f"it ended without a brief ({found.ending})"
        raise JobFailed(f"{item.title[:80]}: {why}")
    return f"{item.title[:80]}: {len(found.brief.claims)} claims after {found.rounds} rounds"


KINDS: Mapping[str, Callable[[Store, Settings, Mapping[str, Any], _Task], str]] = {
    "run": _run,
    "poll": _poll,
    "add-source": _add_source,
    "import-opml": _import_opml,
    "onboard": _onboard,
    "research": _research,
}
"""What can be asked for: kind → how it is done, giving the message that is shown when it is."""
