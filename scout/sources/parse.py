"""Read a feed: RSS 0.9 to 2.0, RDF, Atom or JSON Feed, as broken as it may be, into plain data.

Runs in the processes of `pool` (see `worker`), with a memory and a time limit around it, and so imports only what reading needs. feedparser
neither sanitises nor resolves addresses here (both are slow in it, and the first can be made very slow): HTML becomes plain
text in `scout.text`, addresses are made absolute and checked in `parsed`.
"""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import struct_time
from typing import Any

import feedparser

from scout import text
from scout.sources import jsonfeed
from scout.sources.parsed import MAX_ENTRIES, NOTHING, Markup, ParsedEntry, ParsedFeed, Unreadable, entry

_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_ENTRY_START = re.compile(rb"<(?:[\w-]+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ENTRY_END = re.compile(rb"</(?:[\w-]+:)?(item|entry)\s*>", re.IGNORECASE)
_DATE = re.compile(rb"<(?:pubDate|published|updated|dc:date|dcterms:\w+)>([^<]{1,60})<", re.IGNORECASE)
_ROOT = re.compile(rb"<((?:[\w-]+:)?(?:rss|rdf|feed))[\s>]", re.IGNORECASE)
_WIDE = re.compile(rb"<\?xml[^>]{1,200}encoding\s*=\s*[\"'](?:utf-?(?:16|32)|ucs|iso-10646)", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(?:(x)([0-9a-f]+)|([0-9]+));?", re.IGNORECASE)
_ENCODING = re.compile(
    rb"(\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"'])(?=[^\"'>]*[^\"'>\x21-\x7e])[^\"'>]*", re.IGNORECASE
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)


def parse(data: bytes, content_type: str, url: str, *, limit: int = MAX_ENTRIES) -> ParsedFeed:
    """The feed in `data`, which came from `url`: `limit` of its entries, from the end where the newer ones are.

    A document that breaks off is a feed as far as it goes.

    Raises:
        Unreadable: it is no feed.
    """
    start = data[:1_000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not data.strip():
        raise Unreadable("an empty answer")
    if start.startswith((b"{", b"[")):
        return jsonfeed.read(data, url, limit=limit)
    shortened, left_out = _newest_entries(_without_impossible(data), limit)
    found = _fed(shortened, f"application/xml{_charset(data, content_type)}")
    if not found.entries and (found.bozo or not found.get("version")):
        raise Unreadable(_guess(start, found.get("bozo_exception")))
    is_atom = str(found.get("version")).startswith("atom")
    entries = [_entry(raw, url, is_atom=is_atom) for raw in found.entries[:limit]]
    return ParsedFeed(
        title=text.line(text.plain(str(found.feed.get("title") or "")), limit=200),
        entries=tuple(made for made in entries if made),
        left_out=max(left_out, len(found.entries) - limit),
        interval=_interval(found.feed),
        published=_moment(found.feed, "published_parsed") or _moment(found.feed, "updated_parsed"),
    )


def _fed(data: bytes, content_type: str) -> Any:
    """What feedparser makes of it. It lets through what its handlers raise on documents that are hardly any.

    Raises:
        Unreadable: it gave up.
    """
    try:
        # A stream, never bytes or text: feedparser would take those for the name of a file first.
        return feedparser.parse(
            io.BytesIO(data),
            response_headers={"content-type": content_type},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (MemoryError, RecursionError):
        raise
    except Exception as err:
        raise Unreadable(f"damaged beyond reading: {type(err).__name__}: {str(err)[:200]}") from err


def _without_impossible(data: bytes) -> bytes:
    """`data` without what makes feedparser give up on all of it: references to no character, an encoding's name in no letters."""
    if b"&#" in data:
        data = _REFERENCE.sub(_character, data)
    return _ENCODING.sub(rb"\1utf-8", data, count=1) if _ENCODING.match(data) else data


def _character(match: re.Match[bytes]) -> bytes:
    code = int(match[2][:9], 16) if match[1] else int(match[3][:9])
    return match[0] if code < 0xD800 or 0xE000 <= code < 0x110000 else b"&#xFFFD;"


def _newest_entries(data: bytes, limit: int) -> tuple[bytes, int]:
    """The document with `limit` entries, and how many that left out: reading them all would take seconds.

    They are the first ones, as feeds go, unless the dates say that this feed has its newest last.
    """
    starts = [match.start() for match in _ENTRY_START.finditer(data)]
    ends = [match.end() for match in _ENTRY_END.finditer(data)]
    root = _ROOT.search(data[:10_000])
    if len(starts) != len(ends) or len(ends) <= limit or not root:
        return data, 0
    if _date(data[starts[0] : ends[0]]) < _date(data[starts[-1] : ends[-1]]):
        return data[: starts[0]] + data[starts[-limit] :], len(ends) - limit
    closing = b"</channel></%b>" % root[1] if root[1].lower() == b"rss" else b"</%b>" % root[1]
    return data[: ends[limit - 1]] + closing, len(ends) - limit


def _date(entry: bytes) -> datetime:
    """When an entry says it appeared; the beginning of time where it does not, or not so that it is easily read."""
    said = _DATE.search(entry)
    words = said[1].decode("ascii", "replace").strip() if said else ""
    try:
        when = parsedate_to_datetime(words) if "," in words else datetime.fromisoformat(words)
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, TypeError):
        return datetime.min.replace(tzinfo=UTC)


def _charset(data: bytes, content_type: str) -> str:
    """The charset to read by: what is UTF-8 is read as that, whatever a server's configuration says."""
    plain_bytes = b"\x00" not in data[:200] and b"\x1b" not in data[:1_000]
    try:
        if plain_bytes:
            data.decode("utf-8")
            return "; charset=utf-8"
    except UnicodeDecodeError:
        pass
    if plain_bytes and _WIDE.match(data.lstrip()):
        return "; charset=windows-1252"  # a declaration that could not even be read if it were true
    said = _CHARSET.search(content_type)
    return f"; charset={said[1]}" if said else ""


def _entry(raw: Any, base: str, *, is_atom: bool) -> ParsedEntry | None:
    guid = _string(raw.get("id"))
    announce_type = _string(raw.get("arxiv_announce_type"))
    link = _string(raw.get("feedburner_origlink")) or _string(raw.get("link"))
    if link == guid and "://" not in link:
        link = ""  # a GUID that was taken for an address, as the standard has it
    return entry(
        base=base,
        # arXiv's titles and abstracts are text with TeX: "x<y" is no tag
        title=(
            Markup(_string(raw.get("title")), is_html=False)
            if announce_type
            else _markup(raw.get("title"), raw.get("title_detail"), is_atom=is_atom)
        ),
        body=Markup(_string(raw.get("summary")), is_html=False) if announce_type else _body(raw, is_atom=is_atom),
        link=link or None,
        guid=guid or None,
        authors=_string(raw.get("author")).split(", ") if announce_type else _authors(raw),
        tags=[_string(tag.get("term")) for tag in raw.get("tags", [])[:100]],
        published=_moment(raw, "published_parsed") or _moment(raw, "updated_parsed"),
        updated=_moment(raw, "updated_parsed"),
        announce_type=announce_type,
        transcript=_transcript(raw),
    )


def _body(raw: Any, *, is_atom: bool) -> Markup:
    """The longest of what the entry gives as its text."""
    bodies = [_markup(part.get("value"), part, is_atom=is_atom) for part in raw.get("content", [])]
    bodies.append(_markup(raw.get("summary"), raw.get("summary_detail"), is_atom=is_atom))
    return max(bodies, key=lambda body: len(body.value), default=NOTHING)


def _transcript(raw: Any) -> str | None:
    """feedparser keeps of an element it does not know the attributes; of several the last."""
    named = raw.get("podcast_transcript")
    return (_string(named.get("url")) or None) if isinstance(named, dict) else None


def _markup(value: Any, detail: Any, *, is_atom: bool) -> Markup:
    """Atom says which texts are plain; in RSS everything may be HTML."""
    kind = detail.get("type", "") if isinstance(detail, dict) else ""
    return Markup(_string(value), is_html=not (is_atom and kind == "text/plain"))


def _authors(raw: Any) -> list[str]:
    named = [_string(author.get("name")) for author in raw.get("authors", [])[:200]]
    return [name for name in named if name] or [_string(raw.get("author"))]


def _moment(raw: Any, key: str) -> datetime | None:
    when = raw.get(key) if key in raw else None
    if not isinstance(when, struct_time):
        return None
    try:
        return datetime(*when[:6], tzinfo=UTC)
    except (ValueError, TypeError):
        return None


def _interval(feed: Any) -> timedelta | None:
    """RSS's `ttl` in minutes, else the syndication module's period over its frequency."""
    ttl = _string(feed.get("ttl")).strip()
    if re.fullmatch(r"\d{1,7}", ttl) and int(ttl) > 0:
        return timedelta(minutes=int(ttl))
    period = _PERIODS.get(_string(feed.get("sy_updateperiod")).strip().lower())
    frequency = _string(feed.get("sy_updatefrequency")).strip()
    times = int(frequency) if re.fullmatch(r"\d{1,4}", frequency) else 1
    return period / times if period and times else None


def _guess(start: bytes, problem: object) -> str:
    if any(mark in start.lower() for mark in (b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page, not a feed; perhaps a check whether a person asks, or the site's front page"
    if problem:
        return f"damaged beyond reading: {str(problem)[:200]}"
    return "neither RSS, RDF, Atom nor JSON Feed"


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
