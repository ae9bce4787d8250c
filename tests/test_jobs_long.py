"""Long jobs: done beside the short ones, ended on request, taken up again where only the worker ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

import pytest
import scripted_server as scripted
from agent_samples import AT, BRIEF, OTHER, PAPER
from scripted_server import Request, ScriptedServer, Turn

from scout import config, jobs
from scout.clock import now
from scout.store import Store
from scout.store.jobs import JobRow, JobState


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    with scripted.serving() as server:
        yield server


@pytest.fixture
def settings(model: ScriptedServer, setenv: Callable[[dict[str, str]], None]) -> config.Settings:
    setenv({
        "SCOUT_MODEL__BASE_URLS": json.dumps([model.base_url]), "SCOUT_SOURCES__DEFAULTS": "0",
        "SCOUT_ARXIV__ENABLED": "0", "SCOUT_HUGGINGFACE__ENABLED": "0",
    })  # fmt: skip
    found = config.load()
    with Store(found.database) as store:
        store.items.add([PAPER, OTHER], AT)
    return found


def asked(settings: config.Settings, kind: str, payload: dict[str, object]) -> int:
    with Store(settings.database) as store:
        return store.jobs.ask(kind, payload, now())


def job(settings: config.Settings, id: int) -> JobRow:
    with Store(settings.database) as store:
        found = store.jobs.get(id)
    assert found is not None
    return found


class Worker:
    """The worker, in a thread, until the block ends."""

    def __init__(self, settings: config.Settings) -> None:
        self.settings, self.stop = settings, threading.Event()
        self.thread = threading.Thread(target=lambda: jobs.work(settings, stop=self.stop.is_set))

    def __enter__(self) -> Worker:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def until(self, id: int, *states: JobState) -> JobRow:
        for _ in range(12_000):
            if (found := job(self.settings, id)).state in states:
                return found
            threading.Event().wait(0.01)
        raise AssertionError(f"job {id} is {found.state}")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.01)


def test_a_short_job_does_not_wait_for_a_long_one_and_that_can_be_ended(
    settings: config.Settings, model: ScriptedServer
) -> None:
    model.fails(scripted.HANG, times=None)
    long = asked(settings, "research", {"item": PAPER.id})
    with Worker(settings) as worker:
        worker.until(long, JobState.RUNNING)
        short = asked(settings, "poll", {})
        assert worker.until(short, JobState.DONE, JobState.FAILED).state is JobState.DONE
        assert job(settings, long).state is JobState.RUNNING
        with Store(settings.database) as store:
            store.jobs.stop(long, now())
        ended = worker.until(long, JobState.STOPPED, JobState.FAILED, JobState.DONE)
    assert (ended.state, "goes on from there" in ended.message) == (JobState.STOPPED, True)


def test_a_research_that_was_ended_goes_on_from_there(settings: config.Settings, model: ScriptedServer) -> None:
    rounds = 0

    def once(request: Request) -> Turn:
        nonlocal rounds
        rounds = sum(said["role"] == "assistant" for said in request.messages)
        return Turn("", "", [("note", {"text": "one"}) if rounds == 0 else ("finish", BRIEF)])

    model.script = once
    model.trouble = lambda request: scripted.HANG if len(request.messages) > 2 else None
    first = asked(settings, "research", {"item": PAPER.id})
    with Worker(settings) as worker:
        worker.until(first, JobState.RUNNING)
        while sum(len(request.messages) > 2 for request in model.chats) == 0:
            threading.Event().wait(0.01)
        with Store(settings.database) as store:
            store.jobs.stop(first, now())
        worker.until(first, JobState.STOPPED)
        model.trouble = lambda request: None
        second = asked(settings, "research", {"item": PAPER.id})
        assert "1 claims after 2 rounds" in worker.until(second, JobState.DONE, JobState.FAILED).message
    assert sum(len(request.messages) == 2 for request in model.chats) == 1


def test_a_waiting_job_is_taken_back_and_never_done(settings: config.Settings, model: ScriptedServer) -> None:
    id = asked(settings, "research", {"item": PAPER.id})
    with Store(settings.database) as store:
        store.jobs.stop(id, now())
        store.jobs.stop(id, now())
        assert store.jobs.active() == []
    assert jobs.work(settings, once=True) == 0
    assert (job(settings, id).state, model.chats) == (JobState.STOPPED, [])


def test_a_job_that_ended_with_its_worker_is_taken_up_by_the_next(
    settings: config.Settings, model: ScriptedServer
) -> None:
    model.fails(scripted.HANG, times=None)
    id = asked(settings, "research", {"item": PAPER.id})
    with Worker(settings) as worker:
        worker.until(id, JobState.RUNNING)
    assert job(settings, id).state is JobState.RUNNING
    model.recovers()
    model.script = lambda request: Turn("", "", [("finish", BRIEF)])
    assert jobs.work(settings, once=True) == 1
    assert job(settings, id).state is JobState.DONE


def test_a_dead_workers_job_that_was_to_end_is_not_begun_again(settings: config.Settings) -> None:
    id = asked(settings, "research", {"item": PAPER.id})
    with Store(settings.database) as store:
        store.jobs.take(now())
        store.jobs.stop(id, now())
        assert job(settings, id).stop
        assert store.jobs.requeue_orphans() == 0
    assert job(settings, id).state is JobState.STOPPED


def test_kinds_are_taken_apart(settings: config.Settings) -> None:
    asked(settings, "research", {"item": PAPER.id})
    asked(settings, "poll", {})
    with Store(settings.database) as store:
        first = store.jobs.take(now(), but=("research",))
        assert first is not None
        assert first.kind == "poll"
        assert store.jobs.take(now(), but=("research",)) is None
        second = store.jobs.take(now(), only=("research",))
        assert second is not None
        assert second.kind == "research"
