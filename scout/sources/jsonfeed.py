"""Read a JSON Feed (versions 1 and 1.1). Fields of the wrong type count as absent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from scout import text
from scout.sources.parsed import NOTHING, Markup, ParsedEntry, ParsedFeed, Unreadable, entry


def read(data: bytes, url: str, *, limit: int) -> ParsedFeed:
    """
    Raises:
        Unreadable: no JSON, or JSON that is no feed.
    """
    try:
        feed = json.loads(data)
    except (ValueError, RecursionError) as err:
        raise Unreadable(f"damaged JSON: {str(err)[:200]}") from err
    if not isinstance(feed, dict) or "jsonfeed.org/version" not in _text(feed, "version"):
        raise Unreadable("JSON, but no JSON Feed")
    items = [item for item in _list(feed, "items") if isinstance(item, dict)]
    home = _text(feed, "home_page_url") or url
    entries = [found for item in items[:limit] if (found := _entry(item, feed, home))]
    return ParsedFeed(
        title=text.line(_text(feed, "title"), limit=200),
        entries=tuple(entries),
        left_out=max(0, len(items) - limit),
    )


def _entry(item: dict[str, Any], feed: dict[str, Any], base: str) -> ParsedEntry | None:
    bodies = [Markup(_text(item, "content_html"), is_html=True), Markup(_text(item, "content_text"), is_html=False)]
    bodies.append(Markup(_text(item, "summary"), is_html=False))
    identity = item.get("id")
    return entry(
        base=base,
        title=Markup(_text(item, "title"), is_html=False),
        body=next((body for body in bodies if body.value.strip()), NOTHING),
        link=_text(item, "url") or _text(item, "external_url") or None,
        guid=str(identity) if isinstance(identity, str | int) else None,
        authors=_authors(item) or _authors(feed),
        tags=[tag for tag in _list(item, "tags") if isinstance(tag, str)],
        published=_moment(_text(item, "date_published")),
        updated=_moment(_text(item, "date_modified")),
    )


def _authors(where: dict[str, Any]) -> list[str]:
    found = [*_list(where, "authors"), where.get("author")]  # version 1 knew one author
    return [_text(author, "name") for author in found if isinstance(author, dict)]


def _text(where: dict[str, Any], key: str) -> str:
    value = where.get(key)
    return value if isinstance(value, str) else ""


def _list(where: dict[str, Any], key: str) -> list[Any]:
    value = where.get(key)
    return value if isinstance(value, list) else []


def _moment(value: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(value.strip())
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
