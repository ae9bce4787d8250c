"""The digest as an Atom feed (RFC 4287): one entry an item, in the order of display.

An item is in one digest of a reader at the most, so its entry's id stays the same however often the feed is written,
and a feed reader that watches the file shows it once.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime, time
from urllib.parse import quote

from scout.digest import wording
from scout.digest.html import entry_html
from scout.digest.model import Digest, Entry

ATOM = "http://www.w3.org/2005/Atom"
TAG = "tag:scout-digest.invalid,2025:"
"""Where all ids begin (RFC 4151). The name belongs to nobody and never will, so no one else can make the same id."""


def atom(digest: Digest) -> str:
    """The feed of one day as a text to be written in UTF-8."""
    return feed_of([digest])


def feed_of(digests: Sequence[Digest], *, reader: str = "") -> str:
    """The feed of several days, the newest first, named by the newest; at least one. As a text to be written in UTF-8."""
    ET.register_namespace("", ATOM)
    digest = digests[0]
    made = datetime.combine(digest.date, time.min, UTC)
    feed = ET.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    _add(feed, "id", f"{TAG}digest/{quote(reader, safe='')}" if reader else f"{TAG}digest")
    _add(feed, "title", f"Digest of {wording.long_day(digest.date)}")
    _add(feed, "subtitle", _subtitle(digest))
    _add(feed, "updated", _stamp(made))
    _add(_add(feed, "author"), "name", "scout")
    _add(feed, "generator", "scout")
    for each in digests:
        _day(feed, each)
    ET.indent(feed)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(feed, encoding="unicode") + "\n"


def _day(feed: ET.Element, digest: Digest) -> None:
    made = datetime.combine(digest.date, time.min, UTC)
    for block in digest.subjects:
        for entry in block.entries:
            _entry(feed, entry, made, subject=block.slug, label=wording.shown(block.name))
    for entry in digest.unsure:
        _entry(feed, entry, made, subject="unsure", label="Unsure")


def _subtitle(digest: Digest) -> str:
    said = " ".join(wording.why_empty(digest)).replace("`", "") if digest.is_empty else wording.headline(digest)
    return f"{said} Note: {wording.shown(digest.note)}" if digest.note else said


def _entry(feed: ET.Element, entry: Entry, made: datetime, *, subject: str, label: str) -> None:
    node = _add(feed, "entry")
    _add(node, "id", f"{TAG}item/{quote(entry.id, safe=':/?=&;,@!$()*+~')}")
    _add(node, "title", wording.shown(entry.title) or "(without a title)", type="text")
    _add(node, "updated", _stamp(made))
    if entry.published:
        _add(node, "published", _stamp(entry.published))
    for name in filter(None, map(wording.shown, entry.authors)):
        _add(_add(node, "author"), "name", name)
    if url := wording.safe_url(entry.url):
        _add(node, "link", rel="alternate", href=url)
    _add(node, "category", term=subject, label=label)
    if entry.summary.tldr:
        said = wording.shown(entry.summary.tldr)
        _add(node, "summary", f"{said} [{wording.shown(entry.label)}]" if entry.label else said, type="text")
    _add(node, "content", entry_html(entry), type="html")


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    node = ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    node.text = text or None
    return node


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
