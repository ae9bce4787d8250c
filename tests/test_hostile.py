"""Every answer of the world's hostile corner, as a source beside good ones: one outcome each, soon, and nobody is hurt."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from scout import clock
from scout.config import Settings, load
from scout.ingest import IngestReport, PollRecord, ingest
from scout.items import Item, OutcomeKind, SourceKind
from scout.store import Store

if TYPE_CHECKING:
    from conftest import World

pytestmark = pytest.mark.world
ENDLESS, SECONDS = ("drip.xml", "never.xml"), 2.0
"""Answers that never come to an end, and how long they are given; all others have PATIENCE, however busy this machine is."""
PATIENCE = 120.0
MEGABYTES = 512
GOOD = ("hamel", "ollama", "paulgraham")
"""Blogs with posts on that day."""
NO_FEED = {
    "busy.xml": OutcomeKind.BUSY,
    "cut-short.xml": OutcomeKind.UNREACHABLE,
    "drip.xml": OutcomeKind.TOO_SLOW,
    "empty.xml": OutcomeKind.UNREADABLE,
    "flaky.xml": OutcomeKind.HTTP_ERROR,
    "gone.xml": OutcomeKind.GONE,
    "gzip-bomb.xml": OutcomeKind.TOO_LARGE,
    "huge.xml": OutcomeKind.TOO_LARGE,
    "many-items.xml": OutcomeKind.TOO_LARGE,
    "never.xml": OutcomeKind.TOO_SLOW,
    "not-xml.xml": OutcomeKind.UNREADABLE,
    "nulls.xml": OutcomeKind.UNREADABLE,
    "redirect-file.xml": OutcomeKind.REFUSED,
    "redirect-loop.xml": OutcomeKind.HTTP_ERROR,
    "redirect-private.xml": OutcomeKind.REFUSED,
    "reset.xml": OutcomeKind.UNREACHABLE,
}
"""Every other path is a feed, however odd."""


@dataclass(frozen=True)
class Day:
    reports: tuple[IngestReport, ...]
    settings: Settings
    store: Store
    megabytes: float

    @property
    def polls(self) -> list[PollRecord]:
        return [record for report in self.reports for record in report.polls]


@pytest.fixture(scope="module")
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Every hostile path and a few good feeds, ingested; all tests look at what that left."""
    from conftest import SERVE, start_world

    if not SERVE.exists():
        pytest.skip("the replayed world is not beside this checkout (../shared/world/serve.py)")
    process, world = start_world("--date", "2025-12-01", "--papers-per-day", "5")
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.env("2025-12-01", folder).items():
            patch.setenv(name, value)
        settings = load()
    try:
        with Store(settings.database) as store, peak_memory(except_for=process.pid) as peak:
            ids = add_sources(store, world)
            reports = (
                ingest(store, patient(settings, PATIENCE), only=[id for id in ids if id not in ENDLESS]),
                ingest(store, patient(settings, SECONDS), only=ENDLESS),
            )
            yield Day(reports, settings, store, peak[0] / 1e6)
    finally:
        process.terminate()
        process.wait(timeout=60)


def patient(settings: Settings, seconds: float) -> Settings:
    net = settings.net.model_copy(update={"deadline_seconds": seconds, "parse_seconds": seconds})
    return settings.model_copy(update={"net": net})


def add_sources(store: Store, world: World) -> list[str]:
    with urllib.request.urlopen(f"{world.url}/hostile/", timeout=60) as answer:
        paths = answer.read().decode().split()
    urls = {path: f"{world.url}/hostile/{path}" for path in paths}
    urls |= {f"good-{name}": f"{world.url}/feeds/{name}.xml" for name in GOOD}
    for id, url in urls.items():
        store.sources.add(id, SourceKind.FEED, url, at=clock.now())
    return list(urls)


class peak_memory:  # noqa: N801, RUF100 - read as a function
    """The most resident memory of this process and its children while inside, in bytes, beyond what it began with."""

    def __init__(self, *, except_for: int) -> None:
        self._except_for = except_for
        self._over = threading.Event()
        self.peak = [0]

    def __enter__(self) -> list[int]:
        begun = self._resident()

        def watch() -> None:
            while not self._over.wait(0.05):
                self.peak[0] = max(self.peak[0], self._resident() - begun)

        threading.Thread(target=watch, daemon=True).start()
        return self.peak

    def __exit__(self, *ended: object) -> None:
        self._over.set()

    def _resident(self) -> int:
        total, me = 0, psutil.Process()
        for process in (me, *me.children(recursive=True)):
            try:
                total += 0 if process.pid == self._except_for else process.memory_info().rss
            except psutil.Error:
                continue
        return total


def test_every_path_has_one_recorded_outcome(day: Day) -> None:
    kinds = {record.source: record.outcome.kind for record in day.polls}
    assert len(day.polls) == len(kinds) > 30
    assert {id: kind for id, kind in kinds.items() if not kind.is_success} == NO_FEED
    recorded = [poll.source for poll in day.store.sources.polls(limit=1000)]
    assert sorted(recorded) == sorted(kinds)


def test_every_failure_says_why(day: Day) -> None:
    assert [id for report in day.reports for id, _, message in report.failed if len(message) < 10] == []


def test_an_answer_without_end_is_left_when_its_time_is_up(day: Day) -> None:
    told = {record.source: record.outcome.message for record in day.polls if record.source in ENDLESS}
    assert told == dict.fromkeys(ENDLESS, "no whole answer within 2 s")


def test_all_together_stay_within_the_memory(day: Day) -> None:
    assert day.megabytes < MEGABYTES


def test_the_good_ones_are_unharmed(day: Day) -> None:
    good = [record for record in day.polls if record.source.startswith("good-")]
    assert len(good) == len(GOOD)
    assert [record for record in good if record.outcome.kind is not OutcomeKind.OK or record.new == 0] == []
    assert day.store.items.get("url:example.org/honest") is not None


def test_nothing_private_or_active_got_in(day: Day) -> None:
    def words(item: Item) -> str:
        return "\n".join((item.title, item.text, item.url, *item.authors, *item.categories))

    hostile = [item for item in day.store.items.recent(10_000) if not item.source.startswith("good-")]
    everything = "\n".join(map(words, hostile))
    passwd = Path("/etc/passwd").read_text(encoding="utf-8").splitlines()[0]
    for bad in ("<script", "onerror", "javascript:", "data:text", "\u202e", "\x00", passwd, "lollollol"):
        assert bad not in everything
    assert all(item.url == "" or item.url.startswith(("http://", "https://")) for item in hostile)
    assert all(len(item.title) <= 500 for item in hostile)


def test_items_with_one_guid_stay_apart_and_the_future_is_now(day: Day) -> None:
    posts = [day.store.items.get(f"url:example.org/p{n}") for n in range(5)]
    assert [post.title for post in posts if post] == [f"Post {n}" for n in range(5)]
    future = day.store.items.get("url:example.org/f")
    assert future is not None
    assert future.published is not None
    assert future.published <= clock.now()


def test_a_gone_source_is_disabled_and_a_moved_one_remembered(day: Day) -> None:
    gone, moved = day.store.sources.get("gone.xml"), day.store.sources.get("moved.xml")
    assert gone is not None
    assert gone.gone
    assert moved is not None
    assert moved.url.endswith("/hostile/moved-here.xml")
