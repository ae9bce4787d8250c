"""A digest as a short message: what every channel says, before it is put into the channel's own shape. Plain text, no markup.

Texts come through `digest.wording`: one line each, TeX made readable, characters that nobody sees taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from scout.digest import wording
from scout.digest.model import Digest, Entry

_TITLE, _TLDR, _URL = 200, 300, 1_500


@dataclass(frozen=True, slots=True)
class Line:
    """An item."""

    title: str
    url: str
    """http or https, or empty."""
    about: str
    tldr: str


@dataclass(frozen=True, slots=True)
class Message:
    reader: str
    day: date
    title: str
    headline: str
    lines: tuple[Line, ...]
    more: int
    """Items that are in the digest and not among the lines."""
    link: str = ""
    """Where the whole of it is."""
    test: bool = False

    def ending(self) -> str:
        """What follows the lines; empty for nothing."""
        return f"and {wording.plural(self.more, 'more item')}" if self.more else ""

    def to_dict(self) -> dict[str, Any]:
        """The plain webhook's JSON (docs/schemas/notify.schema.json)."""
        return {
            "event": "test" if self.test else "digest",
            "reader": self.reader,
            "date": self.day.isoformat(),
            "title": self.title,
            "headline": self.headline,
            "items": [
                {"title": line.title, "url": line.url, "about": line.about, "tldr": line.tldr} for line in self.lines
            ],
            "more": self.more,
            "link": self.link,
        }


def message(digest: Digest, *, reader: str, most: int, link: str = "") -> Message:
    """What is told of `digest`: its first `most` items, the way it orders them."""
    entries = list(digest.entries())
    return Message(
        reader=reader,
        day=digest.date,
        title=f"Digest of {wording.long_day(digest.date)}",
        headline=wording.headline(digest),
        lines=tuple(_line(entry) for entry in entries[:most]),
        more=max(0, len(entries) - most),
        link=wording.safe_url(link),
    )


def trial(*, reader: str, day: date, link: str = "") -> Message:
    """What `scout notify --test` sends."""
    sample = Line("This is where titles stand", "https://example.org/", "Ada Lovelace · example.org", "What it says.")
    return Message(
        reader, day, "A test of scout", "Digests will arrive here.", (sample,), 0,
        wording.safe_url(link), test=True,
    )  # fmt: skip


def _line(entry: Entry) -> Line:
    url = wording.safe_url(entry.url)
    return Line(
        title=wording.shown(entry.title, limit=_TITLE) or "(without a title)",
        url=url if len(url) <= _URL else "",
        about=wording.about(entry, most=2),
        tldr=wording.shown(entry.summary.tldr, limit=_TLDR),
    )
