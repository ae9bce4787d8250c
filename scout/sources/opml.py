"""Lists of feeds as other readers write and read them: OPML in and out.

Reading is safe against entities: a document that declares any is not read on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET  # for writing alone; reading goes through expat with entities refused
from xml.parsers import expat

from scout import text
from scout.items import SourceKind
from scout.net.errors import Refused
from scout.net.fetch import checked
from scout.store.sources import SourceRow

MAX_BYTES = 10_000_000
MAX_FEEDS = 10_000


class OpmlError(Exception):
    """A file that is no OPML; the message says where it stops being one."""


@dataclass(frozen=True, slots=True)
class Opml:
    feeds: tuple[tuple[str, str], ...]
    """(title, address) of each feed, in order, each address once."""
    passed_over: tuple[str, ...]
    """Addresses that are not http(s), or beyond the limit."""


def parse(data: bytes) -> list[tuple[str, str]]:
    """The feeds alone; see `read`."""
    return list(read(data).feeds)


def read(data: bytes) -> Opml:
    """The feeds of a list; what is not http(s) is passed over.

    Raises:
        OpmlError: the file cannot be read as OPML. Nothing else.
    """
    if len(data) > MAX_BYTES:
        raise OpmlError(f"the list is larger than {MAX_BYTES:,} bytes")
    reader = _Reader()
    try:
        reader.read(data)
    except expat.ExpatError as err:
        reason = expat.errors.messages.get(err.code, str(err))
        raise OpmlError(f"no OPML: line {err.lineno}, column {err.offset}: {reason}") from err
    except (LookupError, ValueError) as err:
        raise OpmlError(f"no OPML: {err}") from err
    if not reader.is_opml:
        raise OpmlError("no OPML: the file has no <opml> element")
    return Opml(tuple((title, url) for url, title in reader.found.items()), tuple(reader.passed_over))


class _Reader:
    def __init__(self) -> None:
        self.is_opml = False
        self.found: dict[str, str] = {}
        self.passed_over: list[str] = []

    def read(self, data: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EntityDeclHandler = self._entity
        parser.Parse(data, True)

    def _entity(self, name: str, *rest: object) -> None:
        raise OpmlError(f"the list declares the entity {name!r}, which no list of feeds needs")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name.lower() == "opml":
            self.is_opml = True
        if name.lower() != "outline":
            return
        by_name = {key.lower(): value.strip() for key, value in attributes.items()}
        url = by_name.get("xmlurl", "")
        if not url:
            return  # a folder
        try:
            checked(url)
        except Refused:
            self.passed_over.append(url)
            return
        if len(self.found) >= MAX_FEEDS:
            self.passed_over.append(url)
            return
        title = by_name.get("title") or by_name.get("text") or ""
        self.found.setdefault(url, text.line(text.plain(title), limit=200))


def export(rows: Iterable[SourceRow]) -> bytes:
    """The feeds among `rows` as OPML 2.0; what is no feed has no place in such a list."""
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = "scout sources"
    body = ET.SubElement(root, "body")
    for row in rows:
        if row.kind is SourceKind.FEED:
            title = text.line(row.title) or row.url
            ET.SubElement(body, "outline", type="rss", text=title, title=title, xmlUrl=row.url)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"
