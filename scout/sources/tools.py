"""The tools of a poll, put together from the settings and put away again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from scout import clock
from scout.config import Settings
from scout.net.fetch import Fetcher
from scout.net.manners import Manners
from scout.sources.base import Tools
from scout.sources.pool import ParserPool
from scout.store import Store
from scout.store.hosts import Hosts


@contextmanager
def open_tools(settings: Settings, *, now: datetime | None = None) -> Iterator[Tools]:
    """Tools for polls at `now`. Who was asked when is remembered in the database, which each look opens for itself."""

    @contextmanager
    def hosts() -> Iterator[Hosts]:
        with Store(settings.database) as store:
            yield store.hosts

    with Fetcher(settings.net) as fetcher, ParserPool(settings.net) as parser:
        manners = Manners(hosts, per_host=settings.net.per_host)
        yield Tools(settings=settings, fetcher=fetcher, parser=parser, manners=manners, now=now or clock.now())
