"""Patience: what servers ask for, and how it is kept over threads, processes and clocks that move back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scout.items import OutcomeKind
from scout.net import hints
from scout.net.errors import FetchError
from scout.net.manners import Hosts, Manners, MemoryHosts
from scout.store import Store

NOW = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "store"])
def hosts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hosts]:
    if request.param == "memory":
        yield MemoryHosts()
        return
    with Store(tmp_path / "scout.db") as store:
        yield store.hosts


def over(hosts: Hosts, clock: Clock) -> Manners:
    @contextmanager
    def opened() -> Iterator[Hosts]:
        yield hosts

    return Manners(opened, sleep=clock.sleep, clock=clock)


def test_requests_start_a_spacing_apart(hosts: Hosts, clock: Clock) -> None:
    manners = over(hosts, clock)
    starts = []
    for took in (0.5, 10.0, 0.0):
        with manners.slot("arxiv", spacing=3.0):
            starts.append(clock.now)
            clock.now += timedelta(seconds=took)
    assert clock.slept == [2.5]
    assert [(start - NOW).total_seconds() for start in starts] == [0, 3, 13]


def test_another_process_sees_when_the_last_request_started(hosts: Hosts, clock: Clock) -> None:
    with over(hosts, clock).slot("arxiv", spacing=3.0):
        clock.now += timedelta(seconds=1)
    with over(hosts, clock).slot("arxiv", spacing=3.0), over(hosts, clock).slot("other", spacing=3.0):
        pass
    assert clock.slept == [2.0]


@pytest.mark.parametrize("back", [timedelta(seconds=30), timedelta(days=400)])
def test_a_clock_moved_back_costs_one_spacing_at_most(hosts: Hosts, clock: Clock, back: timedelta) -> None:
    with over(hosts, clock).slot("arxiv", spacing=3.0):
        clock.now -= back
    with over(hosts, clock).slot("arxiv", spacing=3.0):
        pass
    assert sum(clock.slept) <= 3.0
    with over(hosts, clock).slot("arxiv", spacing=3.0):
        pass
    assert sum(clock.slept) <= 6.0


def test_a_server_that_asked_for_patience_gets_it_from_every_process(hosts: Hosts, clock: Clock) -> None:
    until = NOW + timedelta(minutes=5)
    with pytest.raises(FetchError), over(hosts, clock).slot("arxiv", spacing=3.0):
        raise FetchError(OutcomeKind.BUSY, "slow down", retry_at=until)
    with pytest.raises(FetchError, match="arxiv asked for patience until 2025-12-02 09:05") as caught:
        over(hosts, clock).slot("arxiv", spacing=3.0).__enter__()
    assert (caught.value.kind, caught.value.retry_at) == (OutcomeKind.BUSY, until)
    clock.now = until
    with over(hosts, clock).slot("arxiv", spacing=3.0):
        pass


def test_nobody_gets_more_than_a_day_of_patience(hosts: Hosts, clock: Clock) -> None:
    manners = over(hosts, clock)
    manners.cool("arxiv", NOW + timedelta(days=300))
    assert hosts.cooling("arxiv", NOW) == NOW + timedelta(days=1)


def test_other_failures_cool_nothing(hosts: Hosts, clock: Clock) -> None:
    with pytest.raises(FetchError), over(hosts, clock).slot("arxiv", spacing=3.0):
        raise FetchError(OutcomeKind.HTTP_ERROR, "broken", status=500)
    assert hosts.cooling("arxiv", NOW) is None


def test_few_requests_at_once_go_to_one_host() -> None:
    manners = Manners(per_host=2)
    inside, most = 0, 0
    lock, full = threading.Lock(), threading.Barrier(2)

    def ask() -> None:
        nonlocal inside, most
        with manners.host("http://example.org:8000/feed"):
            with lock:
                inside += 1
                most = max(most, inside)
            full.wait(timeout=60)  # two are in here together, or this breaks
            with lock:
                inside -= 1

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    with manners.host("http://other.example/"):  # one host's queue is not another's
        for thread in threads:
            thread.join(timeout=60)
    assert (most, inside) == (2, 0)


# --- what headers say


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("120", NOW + timedelta(seconds=120)),
        ("0", NOW),
        ("Tue, 02 Dec 2025 10:00:00 GMT", NOW + timedelta(hours=1)),
        ("Mon, 01 Dec 2025 10:00:00 GMT", NOW),
        ("99999999999999999", NOW + timedelta(days=366)),
        ("soon", None), ("-5", None), ("1.5", None), ("", None), ("Tue, 99 Dec 2025 10:00:00 GMT", None), ("²", None),
    ],
)  # fmt: skip
def test_retry_after_is_a_moment(value: str, moment: datetime | None) -> None:
    assert hints.retry_after({"retry-after": value}, NOW) == moment


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache-control": "public, max-age=3600"}, 3600),
        ({"cache-control": 'Max-Age="60"'}, 60),
        ({"cache-control": "max-age=3600", "age": "600"}, 3000),
        ({"cache-control": "max-age=3600", "expires": "Tue, 02 Dec 2025 23:00:00 GMT"}, 3600),
        ({"cache-control": "s-maxage=3600"}, None),
        ({"cache-control": "no-cache, max-age=3600"}, None),
        ({"cache-control": "max-age=0"}, None),
        ({"cache-control": "max-age=99999999999999"}, 366 * 86400),
        ({"expires": "Tue, 02 Dec 2025 10:00:00 GMT"}, 3600),
        ({"expires": "Tue, 02 Dec 2025 10:00:00 GMT", "date": "Tue, 02 Dec 2025 09:30:00 GMT"}, 1800),
        ({"expires": "0"}, None), ({"expires": "-1"}, None), ({}, None), ({"cache-control": "max-age=x", "age": "²"}, None),
    ],
)  # fmt: skip
def test_freshness_is_what_the_headers_promise(headers: dict[str, str], seconds: int | None) -> None:
    found = hints.freshness(headers, NOW)
    assert (found.total_seconds() if found else None) == seconds
