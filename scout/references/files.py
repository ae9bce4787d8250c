"""A library of references as managers of them export it: BibTeX, RIS, CSL JSON. Pure: nothing is looked up.

Each becomes the fields of a BibTeX entry, whatever it was written as; what paper they name is `pasted`'s. Keeping it is
`importing`'s.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scout.text import line

MAX_BYTES = 20_000_000
_RIS = re.compile(r"^([A-Z][A-Z0-9])  - ?(.*)$")
_RIS_FIELDS = {
    "TI": "title", "T1": "title", "AU": "author", "A1": "author", "AB": "abstract", "N2": "abstract", "DO": "doi", "UR": "url",
    "L1": "url", "JO": "journal", "JF": "journal", "T2": "journal", "M1": "number", "AN": "number", "N1": "note", "ID": "key",
}  # fmt: skip
_CSL_FIELDS = {
    "title": "title", "abstract": "abstract", "DOI": "doi", "URL": "url", "container-title": "journal", "number": "number",
    "note": "note", "id": "key", "citation-key": "key",
}  # fmt: skip


class BadLibrary(Exception):
    """A file that is no library of references; the message says why."""


@dataclass(frozen=True, slots=True)
class Reference:
    key: str
    """What the file calls it; empty where it has no name."""
    line: int
    """Where it begins, from 1; in CSL JSON, which is often one line, its place in the list."""
    fields: Mapping[str, str]
    """By BibTeX's names, in lower case; several authors joined by " and ", family name first."""


@dataclass(frozen=True, slots=True)
class Library:
    references: tuple[Reference, ...]
    unread: tuple[tuple[int, str], ...] = ()
    """(line, why) of what could not be read as a reference."""


def read(data: bytes) -> Library:
    """The references of a file, in its order.

    Raises:
        BadLibrary: it is none, or too large.
    """
    if len(data) > MAX_BYTES:
        raise BadLibrary(f"larger than {MAX_BYTES:,} bytes")
    text = data.decode("utf-8-sig", "replace")
    if text.lstrip().startswith(("[", "{")):
        return _csl(text)
    if re.search(r"^TY  -", text, re.MULTILINE):
        return Library(tuple(_ris(text)))
    if re.search(r"@\w+\s*[{(]", text):
        return _bibtex(text)
    raise BadLibrary("neither BibTeX, RIS nor CSL JSON, as Zotero exports them")


def _bibtex(text: str) -> Library:
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.model import Entry, ParsingFailedBlock

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # what it cannot read is told in `unread`
    try:
        blocks = parse_string(text).blocks
    except Exception as err:  # a fault of the library's on a file that nobody expects
        raise BadLibrary(f"no BibTeX that can be read: {type(err).__name__}: {line(str(err), limit=120)}") from err
    found: list[Reference] = []
    unread: list[tuple[int, str]] = []
    for block in blocks:
        entry = getattr(block, "ignore_error_block", None) or block  # a key that is there twice is read all the same
        where = (block.start_line or 0) + 1
        if isinstance(entry, Entry):
            fields = {field.key.lower(): _bare(str(field.value)) for field in entry.fields}
            found.append(Reference(line(entry.key, limit=200), where, fields))
        elif isinstance(block, ParsingFailedBlock):
            why = getattr(block.error, "abort_reason", "") or str(block.error) or "no entry that can be read"
            unread.append((where, line(why, limit=160)))
    return Library(tuple(found), tuple(unread))


def _bare(value: str) -> str:
    """A value without the marks around it, which the second of two entries with one key still has."""
    whole = value[:1] + value[-1:] in ("{}", '""') and len(value) > 1
    return value[1:-1] if whole else value


def _ris(text: str) -> Iterator[Reference]:
    fields: dict[str, list[str]] = {}
    began, last = 0, ""
    for number, row in enumerate(text.splitlines(), 1):
        match = _RIS.match(row)
        if match is None:
            if last and row.strip():
                fields[last][-1] += f" {row.strip()}"  # a value goes on in the next line
            continue
        tag, value = match[1], match[2].strip()
        last = ""
        if tag in ("TY", "ER"):
            if fields:
                yield _reference(fields, began)
            fields, began = {}, number if tag == "TY" else 0
        elif value and (name := _RIS_FIELDS.get(tag)):
            began = began or number  # some begin without saying of what type it is
            fields.setdefault(name, []).append(value)
            last = name
    if fields:
        yield _reference(fields, began)


def _reference(fields: dict[str, list[str]], where: int) -> Reference:
    key = line((fields.pop("key", None) or [""])[0], limit=200)
    return Reference(
        key, where, {name: " and ".join(all_) if name == "author" else all_[0] for name, all_ in fields.items()}
    )


def _csl(text: str) -> Library:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise BadLibrary(f"no JSON that can be read: {line(str(err), limit=120)}") from err
    entries = found.get("items", [found]) if isinstance(found, dict) else found
    if not isinstance(entries, list):
        raise BadLibrary("JSON, but no list of references")
    references: list[Reference] = []
    unread: list[tuple[int, str]] = []
    for place, entry in enumerate(entries, 1):
        if isinstance(entry, dict):
            references.append(_reference(_csl_fields(entry), place))
        else:
            unread.append((place, f"a {type(entry).__name__}, no reference"))
    return Library(tuple(references), tuple(unread))


def _csl_fields(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    fields = {
        name: [str(entry[said])] for said, name in _CSL_FIELDS.items() if isinstance(entry.get(said), str | int) and entry[said] != ""
    }  # fmt: skip
    authors = entry.get("author")
    names = [
        ", ".join(part for part in (author.get("family"), author.get("given")) if isinstance(part, str) and part)
        or (author.get("literal") if isinstance(author.get("literal"), str) else "")
        for author in (authors if isinstance(authors, list) else [])
        if isinstance(author, dict)
    ]
    if any(names):
        fields["author"] = [name for name in names if name]
    return fields
