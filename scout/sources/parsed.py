"""What a feed says, as plain data that travels between processes: every text tidy, short enough, and without markup.

Shared by the readers of XML (`parse`) and of JSON (`jsonfeed`). Light on purpose: it is imported by the parser's processes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from scout import text

MAX_ENTRIES = 500
_TITLE, _TEXT, _NAME, _GUID = 500, 20_000, 200, 1_000
_MARKUP = 200_000
"""Characters of a body that are looked at, markup included."""
_AUTHORS, _TAGS = 100, 30
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)


class Unreadable(Exception):
    """An answer that is no feed; the message says what it seems to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEntry:
    title: str
    text: str
    link: str | None = None
    """An absolute http(s) address."""
    guid: str | None = None
    """As given, never made absolute: it is a name."""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published: datetime | None = None
    """Aware, in UTC; may lie in the future, as it was said."""
    updated: datetime | None = None
    transcript: str | None = None
    """Where a podcast's feed says that the episode's words are written down."""
    announce_type: str = ""
    """arXiv's own: new, cross, replace or replace-cross."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    title: str
    entries: tuple[ParsedEntry, ...]
    left_out: int = 0
    """Entries beyond the limit, the older ones."""
    interval: timedelta | None = None
    """How often the feed says it is worth asking."""
    published: datetime | None = None
    """When the feed as a whole appeared."""


@dataclass(frozen=True, slots=True)
class Markup:
    """Words as they came, and whether they are HTML or already plain text."""

    value: str
    is_html: bool

    def plain(self) -> str:
        value = self.value[:_MARKUP]
        return text.plain(value, limit=_TEXT) if self.is_html else text.tidy(value, limit=_TEXT)


NOTHING = Markup("", is_html=False)


def entry(
    *,
    base: str,
    title: Markup,
    body: Markup,
    link: str | None,
    guid: str | None,
    authors: list[str],
    tags: list[str],
    published: datetime | None,
    updated: datetime | None,
    announce_type: str = "",
    transcript: str | None = None,
) -> ParsedEntry | None:
    """One entry, or None where it says nothing at all. Without a title it takes the beginning of its text as one."""
    words = body.plain()
    heading = text.line(title.plain(), limit=_TITLE)
    if not heading:
        heading = text.line(words, limit=_TITLE)[:120] or text.line(link or "", limit=_TITLE)
    if not heading:
        return None
    name = text.line(guid, limit=_GUID) if guid else ""
    return ParsedEntry(
        title=heading,
        text=words,
        link=absolute(base, link) if link else None,
        guid=name or None,
        authors=_names(authors, _AUTHORS),
        tags=_names(tags, _TAGS),
        published=plausible(published),
        updated=plausible(updated),
        transcript=absolute(base, transcript) if transcript else None,
        announce_type=text.line(announce_type, limit=30),
    )


def absolute(base: str, link: str) -> str | None:
    """`link` as an absolute http(s) address, or None where it is none."""
    try:
        given = urlsplit(link.strip())
        if given.scheme and not given.netloc:
            return None
        url = urljoin(base, link.strip())
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc or len(url) > 2_000:
        return None
    return url.replace(" ", "%20") if url.isprintable() else None


def plausible(when: datetime | None) -> datetime | None:
    """`when`, unless it is the zero of somebody's calendar."""
    return when if when and when > _OLDEST else None


def _names(values: list[str], limit: int) -> tuple[str, ...]:
    tidied = (text.line(value, limit=_NAME) for value in values[:limit])
    return tuple(dict.fromkeys(name for name in tidied if name))


def as_dict(feed: ParsedFeed) -> dict[str, Any]:
    """`feed` as JSON can hold it."""
    found = asdict(feed)
    for row in found["entries"]:
        for key in ("published", "updated"):
            row[key] = row[key].isoformat() if row[key] else None
    found["interval"] = feed.interval.total_seconds() if feed.interval else None
    found["published"] = feed.published.isoformat() if feed.published else None
    return found


def from_dict(found: dict[str, Any]) -> ParsedFeed:
    """What `as_dict` was given."""
    entries = [
        ParsedEntry(
            **{
                **row,
                "authors": tuple(row["authors"]),
                "tags": tuple(row["tags"]),
                "published": _moment_or_none(row["published"]),
                "updated": _moment_or_none(row["updated"]),
            }
        )
        for row in found["entries"]
    ]
    interval = timedelta(seconds=found["interval"]) if found["interval"] else None
    return ParsedFeed(
        title=found["title"],
        entries=tuple(entries),
        left_out=found["left_out"],
        interval=interval,
        published=_moment_or_none(found["published"]),
    )


def _moment_or_none(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
