"""Find the feed of a site: the address itself, what its page announces, else where feeds usually are.

Pages are searched by pattern, not parsed: nothing of them is kept but a handful of addresses, each of which is then asked
through the door and read like any feed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from scout.items import OutcomeKind
from scout.net.errors import FetchError
from scout.net.fetch import Fetcher, Response, checked
from scout.net.wire import Deadline
from scout.sources.feeds import ACCEPT
from scout.sources.parsed import ParsedFeed, absolute
from scout.sources.pool import ParserPool

SECONDS = 30.0
"""For the whole search."""
_ANNOUNCED = 5
_COMMON = ("feed", "rss.xml", "feed.xml", "atom.xml", "index.xml", "rss", "feed.json")
_PAGE = 500_000
_LINK = re.compile(r"<link\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z]{1,20})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_FEED_START = re.compile(rb"<(?:[\w-]+:)?(?:rss|feed|rdf)[\s>]|^\s*\{", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    url: str
    title: str
    entries: int = field(default=0, compare=False)
    """How many entries it holds now."""


def find_feed(url: str, fetcher: Fetcher, parser: ParserPool) -> Found:
    """The feed at or behind `url`, which may lack its `https://`.

    Raises:
        FetchError: the address cannot be had, or no feed is to be found from there.
    """
    address = url.strip() if "://" in url else f"https://{url.strip()}"
    checked(address)
    deadline = Deadline(SECONDS)
    page = fetcher.get(address, accept=ACCEPT, deadline=min(deadline.left(), fetcher.deadline_seconds))
    if feed := _read(page, parser):
        return Found(page.permanent_url or address, feed.title, len(feed.entries))
    tried = {address}
    for candidate in _candidates(page):
        if candidate in tried:
            continue
        tried.add(candidate)
        if found := _try(candidate, fetcher, parser, deadline):
            return found
    raise FetchError(
        OutcomeKind.UNREADABLE, f"no feed at {address} nor where sites usually have one; give the feed's own address"
    )


def _try(url: str, fetcher: Fetcher, parser: ParserPool, deadline: Deadline) -> Found | None:
    seconds = min(deadline.left(), fetcher.deadline_seconds)
    try:
        answer = fetcher.get(url, accept=ACCEPT, deadline=seconds)
    except FetchError:
        return None
    feed = _read(answer, parser)
    return Found(answer.permanent_url or url, feed.title, len(feed.entries)) if feed else None


def _read(answer: Response, parser: ParserPool) -> ParsedFeed | None:
    if not _FEED_START.search(answer.body[:4_000]):
        return None
    try:
        return parser.parse(answer.body, answer.content_type, answer.url)
    except FetchError:
        return None


def _candidates(page: Response) -> Iterator[str]:
    """Addresses worth a try, the likeliest first."""
    yield from announced(page.body.decode("utf-8", "replace"), page.url)[:_ANNOUNCED]
    here = page.url if page.url.endswith("/") else f"{page.url}/"
    parts = urlsplit(page.url)
    for name in _COMMON:
        if parts.path.strip("/"):
            yield urljoin(here, name)
        yield f"{parts.scheme}://{parts.netloc}/{name}"


def announced(page: str, base: str) -> list[str]:
    """The feeds that a page's `<link rel="alternate">` name, those of comments last."""
    found: dict[str, bool] = {}
    for tag in _LINK.finditer(page[:_PAGE]):
        attributes = {
            name.lower(): html.unescape(double or single or bare)
            for name, double, single, bare in _ATTRIBUTE.findall(tag[1])
        }
        is_feed = attributes.get("type", "").partition(";")[0].strip().lower() in _FEED_TYPES
        if is_feed and "alternate" in attributes.get("rel", "").lower().split():
            url = absolute(base, attributes.get("href", ""))
            if url:
                found.setdefault(url, "comment" in (attributes.get("title", "") + url).lower())
    return sorted(found, key=lambda url: found[url])
