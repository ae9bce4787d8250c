"""How often somebody may be asked: spacing and cooldown of a service, kept on disk so that they outlive a process, and few
requests at once to one host within a process.

Where the record is kept is the caller's: any `Hosts` does, the store's among them. Nothing here opens a connection.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from scout import clock
from scout.items import OutcomeKind
from scout.net.errors import FetchError

ARXIV = "arxiv"
ARXIV_SPACING = 3.0
"""Seconds between the starts of two requests that arXiv asks of everybody, over all of one's machines."""


class Hosts(Protocol):
    """The record of who was asked when. Moments are aware datetimes, spacings seconds."""

    def claim(self, name: str, spacing: float, now: datetime) -> float:
        """0.0 where a request was let start at `now`, else the seconds to wait before asking again."""

    def cool(self, name: str, until: datetime, now: datetime) -> None:
        """Nothing is to be asked before `until`."""

    def cooling(self, name: str, now: datetime) -> datetime | None:
        """Until when nothing is to be asked, if so."""


class MemoryHosts:
    """A record that is gone with its process: for tests and single questions."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}
        self._until: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def claim(self, name: str, spacing: float, now: datetime) -> float:
        with self._lock:
            since = (now - self._last[name]).total_seconds() if name in self._last else spacing
            if 0 <= since < spacing:
                return spacing - since
            self._last[name] = now
            return spacing if since < 0 else 0.0

    def cool(self, name: str, until: datetime, now: datetime) -> None:
        self._until[name] = until

    def cooling(self, name: str, now: datetime) -> datetime | None:
        until = self._until.get(name)
        return until if until and until > now else None


class Manners:
    """Thread-safe. `open_hosts` is entered for each look at the record, in the thread that looks."""

    def __init__(
        self,
        open_hosts: Callable[[], AbstractContextManager[Hosts]] | None = None,
        *,
        per_host: int = 2,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = clock.now,
    ) -> None:
        memory = MemoryHosts()
        self._open = open_hosts or (lambda: nullcontext(memory))
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._services: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._hosts: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(per_host))

    @contextmanager
    def slot(self, service: str, *, spacing: float) -> Iterator[None]:
        """A turn at `service`: one at a time here, starts at least `spacing` seconds apart in all processes.

        A request inside that ends in BUSY with a time to come back cools the service down, on disk.

        Raises:
            FetchError: BUSY while the service is cooling down; nothing was asked.
        """
        with self._lock:
            turn = self._services[service]
        with turn:
            self._await_turn(service, spacing)
            try:
                yield
            except FetchError as err:
                if err.kind is OutcomeKind.BUSY and err.retry_at:
                    self.cool(service, err.retry_at)
                raise

    def cool(self, service: str, until: datetime) -> None:
        """Ask `service` nothing before `until`, a day from now at the most."""
        now = self._clock()
        with self._open() as hosts:
            hosts.cool(service, min(until, now + timedelta(days=1)), now)

    @contextmanager
    def host(self, url: str) -> Iterator[None]:
        """A place among the few requests that this process makes to one host at once."""
        with self._lock:
            places = self._hosts[urlsplit(url).netloc.lower()]
        with places:
            yield

    def _await_turn(self, service: str, spacing: float) -> None:
        while True:
            now = self._clock()
            with self._open() as hosts:
                until = hosts.cooling(service, now)
                wait = 0.0 if until else hosts.claim(service, spacing, now)
            if until:
                message = f"{service} asked for patience until {until:%Y-%m-%d %H:%M:%S} UTC"
                raise FetchError(OutcomeKind.BUSY, message, retry_at=until)
            if wait <= 0:
                return
            self._sleep(min(wait, spacing))
