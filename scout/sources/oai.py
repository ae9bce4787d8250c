"""A page of arXiv's records by OAI-PMH 2.0 (ListRecords, metadataPrefix arXiv), as plain data. Read in the processes of `pool`.

Reading is safe against entities: a page that declares any is not read on. Asking for pages, and what the records become, is
`scout.harvest`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from xml.parsers import expat

from scout.identity import arxiv_id, parse_ref
from scout.sources.parsed import Unreadable
from scout.text import line, tidy

_LONGEST = 200_000
"""Characters of one element that are looked at."""
_AUTHORS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One paper as arXiv describes it. Which version it is, the format does not say."""

    name: str
    """arXiv's id, without a version."""
    title: str
    text: str
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """The primary one first."""
    created: date | None = None
    updated: date | None = None
    comment: str = ""
    doi: str = ""
    """As an id, such as `doi:10.1000/x`; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    records: tuple[Record, ...] = ()
    deleted: tuple[str, ...] = ()
    """arXiv's ids of papers that are there no more."""
    left_out: int = 0
    """Records that name no paper of arXiv's, or give it no title."""
    token: str = ""
    """What asks for the next page; empty on the last one."""
    total: int | None = None
    """Records in the whole list, where the server says."""
    error: str = ""
    """OAI-PMH's own code, such as `noRecordsMatch`; empty for none."""
    message: str = ""


def read(data: bytes) -> Page:
    """
    Raises:
        Unreadable: it is no answer of OAI-PMH, or breaks off.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = reader.text, _entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as err:
        reason = expat.errors.messages.get(err.code, str(err))
        raise Unreadable(f"no whole page of records: line {err.lineno}: {reason}") from err
    except (LookupError, ValueError) as err:
        raise Unreadable(f"no page of records: {line(str(err), limit=200)}") from err
    if not reader.is_oai:
        raise Unreadable("no answer of OAI-PMH")
    return reader.page()


def _entity(name: str, *rest: object) -> None:
    raise Unreadable(f"the page declares the entity {line(name, limit=40)!r}, which no record needs")


@dataclass
class _Reader:
    """Collects the text of each element by its local name; what an element's parents are matters for few of them."""

    is_oai: bool = False
    path: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    length: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    authors: list[dict[str, str]] = field(default_factory=list)
    is_deleted: bool = False
    records: list[Record] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    left_out: int = 0
    token: str = ""
    total: int | None = None
    error: str = ""
    message: str = ""

    def page(self) -> Page:
        return Page(
            records=tuple(self.records), deleted=tuple(self.deleted), left_out=self.left_out, token=self.token,
            total=self.total, error=self.error, message=self.message,
        )  # fmt: skip

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self.path.append(local)
        self.words, self.length = [], 0
        match local:
            case "OAI-PMH" if len(self.path) == 1:
                self.is_oai = True
            case "record":
                self.fields, self.authors, self.is_deleted = {}, [], False
            case "header":
                self.is_deleted = attributes.get("status") == "deleted"
            case "author":
                self.authors.append({})
            case "error":
                self.error = line(attributes.get("code", ""), limit=60) or "error"
            case "resumptionToken":
                total = attributes.get("completeListSize", "")
                self.total = int(total) if total.isascii() and total.isdigit() and len(total) < 12 else None

    def text(self, words: str) -> None:
        if self.length < _LONGEST:
            self.words.append(words)
            self.length += len(words)

    def end(self, name: str) -> None:
        local = self.path.pop()
        said = "".join(self.words)[:_LONGEST]
        self.words, self.length = [], 0
        if local == "record":
            self._record()
        elif local == "resumptionToken":
            self.token = said.strip()
        elif local == "error":
            self.message = line(said, limit=300)
        elif self.path and self.path[-1] == "author" and self.authors:
            self.authors[-1].setdefault(local, said)
        else:
            self.fields.setdefault(local, said)

    def _record(self) -> None:
        named = arxiv_id(self.fields.get("identifier", "")) or arxiv_id(self.fields.get("id", ""))
        title = line(self.fields.get("title", ""), limit=500)
        if named and self.is_deleted:
            self.deleted.append(named[0])
        elif named and title:
            self.records.append(self._described(named[0], title))
        else:
            self.left_out += 1

    def _described(self, name: str, title: str) -> Record:
        said: Callable[[str], str] = lambda key: self.fields.get(key, "")  # noqa: E731
        doi = parse_ref(line(said("doi"), limit=300)) or ""
        names = (line(" ".join((a.get("forenames", ""), a.get("keyname", ""), a.get("suffix", ""))), limit=200)
                 for a in self.authors[:_AUTHORS])  # fmt: skip
        return Record(
            name=name,
            title=title,
            text=tidy(said("abstract"), limit=20_000),
            authors=tuple(name for name in names if name),
            categories=tuple(dict.fromkeys(line(said("categories"), limit=500).split())),
            created=_day(said("created")),
            updated=_day(said("updated")),
            comment=line(said("comments"), limit=500),
            doi=doi if doi.startswith("doi:") else "",
        )


def _day(said: str) -> date | None:
    try:
        found = date.fromisoformat(said.strip()[:10])
    except ValueError:
        return None
    return found if found.year > 1980 else None


def as_dict(page: Page) -> dict[str, Any]:
    """`page` as JSON can hold it."""
    found = asdict(page)
    for row in found["records"]:
        for key in ("created", "updated"):
            row[key] = row[key].isoformat() if row[key] else None
    return found


def from_dict(found: dict[str, Any]) -> Page:
    """What `as_dict` was given."""

    def day(value: str | None) -> date | None:
        return date.fromisoformat(value) if value else None

    records = tuple(
        Record(
            **{
                **row,
                "authors": tuple(row["authors"]),
                "categories": tuple(row["categories"]),
                "created": day(row["created"]),
                "updated": day(row["updated"]),
            }
        )
        for row in found["records"]
    )
    return Page(**{**found, "records": records, "deleted": tuple(found["deleted"])})
