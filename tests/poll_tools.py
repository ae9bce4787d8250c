"""What tests of polls share: tools that ask a site on loopback, read in this process, and wait in a clock of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from net_server import Answer, Handler, Site, serving

from scout.config import Settings
from scout.items import OutcomeKind, SourceKind
from scout.net.errors import FetchError
from scout.net.fetch import Fetcher
from scout.net.manners import Manners
from scout.sources.base import Tools
from scout.sources.parse import parse
from scout.sources.parsed import ParsedFeed, Unreadable
from scout.sources.pool import ParserPool
from scout.store.sources import SourceRow

NOW = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)


class InThisProcess:
    """A parser without processes."""

    def parse(self, data: bytes, content_type: str, url: str, *, limit: int = 500) -> ParsedFeed:
        try:
            return parse(data, content_type, url, limit=limit)
        except Unreadable as err:
            raise FetchError(OutcomeKind.UNREADABLE, str(err)) from err


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += timedelta(seconds=seconds)


class _Routes(dict[str, Answer]):
    """Answers by path; the query is left to them."""

    def __missing__(self, path: str) -> Answer:
        if "?" not in path:
            raise KeyError(path)
        return self[path.partition("?")[0]]


@contextmanager
def site() -> Iterator[Site]:
    with serving() as found:
        found.routes = _Routes()
        yield found


def in_turn(*answers: tuple[int, bytes] | tuple[int, bytes, Mapping[str, str]]) -> Callable[[Handler], None]:
    """One answer a request, the last one again and again."""
    left = list(answers)

    def answer(handler: Handler) -> None:
        status, body, *headers = left.pop(0) if len(left) > 1 else left[0]
        handler.reply(status, body, **(headers[0] if headers else {}))

    return answer


def tools_for(url: str, clock: Clock | None = None, **settings: Any) -> Tools:
    """Tools of an installation whose arXiv and Hugging Face are the site at `url`."""
    clock = clock or Clock()
    values: dict[str, Any] = {
        "arxiv": {"rss_url": f"{url}/rss", "api_url": f"{url}/api/query", "categories": ["cs.LG", "cs.CL"]},
        "huggingface": {"url": f"{url}/hf", "organizations": ["lab-a", "lab-b"]},
        "net": {"allow_loopback": True, "deadline_seconds": 2.0},
        **settings,
    }
    found = Settings(**values)
    return Tools(
        settings=found,
        fetcher=Fetcher(found.net),
        parser=cast(ParserPool, InThisProcess()),
        manners=Manners(sleep=clock.sleep, clock=clock),
        now=clock.now,
    )


def source(kind: SourceKind, url: str = "", state: Mapping[str, Any] | None = None) -> SourceRow:
    return SourceRow(
        id=kind.value, kind=kind, url=url, title="", origin="default", added_at=NOW, state=dict(state or {})
    )
