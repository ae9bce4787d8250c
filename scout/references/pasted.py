"""Papers as a person pastes them: ids, addresses, BibTeX, one after the other. Pure: nothing is looked up."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from scout.identity import arxiv_id, parse_ref, web_address
from scout.items import Item, ItemId, ItemKind
from scout.text import line, tex_to_plain, tidy

SOURCE = "pasted"
"""The source of items that exist only because someone pasted them."""


_ARXIV = re.compile(r"\barxiv:\s*(\S+)", re.IGNORECASE)
"""As journals, notes and numbers name it: "arXiv preprint arXiv:2401.00001 [cs]"."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was understood of a pasted text."""

    ids: tuple[ItemId, ...]
    """Items named by id or address, in order, each once."""
    items: tuple[Item, ...]
    """Papers told in full (BibTeX with a title); the store may know more of them under the same id."""
    unclear: tuple[str, ...]
    """Lines in which no paper was recognised."""


def parse_pasted(text: str) -> Pasted:
    """Read BibTeX entries, then whatever else the text has, a reference a line (or several, separated by commas)."""
    items, rest = _bibtex(text)
    ids: dict[ItemId, None] = dict.fromkeys(item.id for item in items)
    unclear = []
    for part in filter(None, (part.strip() for part in re.split(r"[\n,;]+", rest))):
        found = parse_ref(part)
        if found is None:
            unclear.append(part)
        else:
            ids[found] = None
    return Pasted(tuple(ids), items, tuple(unclear))


def _bibtex(text: str) -> tuple[tuple[Item, ...], str]:
    """The entries of a text, and the text without them."""
    if not re.search(r"@\w+\s*[{(]", text):
        return (), text
    from bibtexparser.entrypoint import parse_string

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # what it cannot read is told in `unclear`
    library = parse_string(text)
    items = tuple(
        item for entry in library.entries if (item := _item({f.key.lower(): str(f.value) for f in entry.fields}))
    )
    rest = text
    for block in library.blocks:
        if raw := getattr(block, "raw", None):
            rest = rest.replace(raw, "\n") if raw.lstrip().startswith("@") else rest
    return items, rest


def _item(fields: Mapping[str, str]) -> Item | None:
    """The paper of an entry; one that names none goes by its title."""
    if found := paper(fields):
        return found
    title = _title(fields)
    if not title:
        return None
    return _described(f"guid:{SOURCE}:{hashlib.blake2b(title.casefold().encode(), digest_size=8).hexdigest()}", fields)


def paper(fields: Mapping[str, str]) -> Item | None:
    """The paper that a BibTeX entry's fields (names in lower case) name by arXiv number, DOI or address, as old news."""
    said = [
        line(fields.get(key, ""), limit=2_000) for key in ("eprint", "url", "journal", "number", "note", "howpublished")
    ]
    marked = [match[1].rstrip(".,;]") for part in said if (match := _ARXIV.search(part))]
    numbers = (arxiv_id(part) for part in (*said[:3], *marked))
    id = next((f"arxiv:{number[0]}" for number in numbers if number), None)
    if id is None:
        names = (line(fields.get(key, ""), limit=2_000) for key in ("doi", "url"))
        id = next((found for name in names if name and (found := parse_ref(name))), None)
    return _described(id, fields) if id else None


def _described(id: ItemId, fields: Mapping[str, str]) -> Item:
    return Item(
        id=id,
        kind=ItemKind.PAPER,
        title=_title(fields),
        url=web_address(line(fields.get("url", ""), limit=2_000)),
        text=tidy(fields.get("abstract", ""), limit=20_000),
        source=SOURCE,
        authors=tuple(filter(None, map(_author, fields.get("author", "").split(" and ")[:2_000]))),
        backlog=True,
    )


def _title(fields: Mapping[str, str]) -> str:
    return line(fields.get("title", "").replace("{", "").replace("}", ""), limit=500)


def _author(name: str) -> str:
    """`Lee, Ann` as Ann Lee, accents of TeX as letters."""
    plain = tex_to_plain(name.strip()) if "\\" in name else name
    return line(
        " ".join(reversed([part.strip() for part in plain.replace("{", "").replace("}", "").split(",", 1)])), limit=200
    )
