"""Papers as a person pastes them: ids, addresses, BibTeX, one after the other. Pure: nothing is looked up."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass

from scout.identity import arxiv_id, parse_ref
from scout.items import Item, ItemId, ItemKind

SOURCE = "pasted"
"""The source of items that exist only because someone pasted them."""


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
    for line in filter(None, (part.strip() for part in re.split(r"[\n,;]+", rest))):
        found = parse_ref(line)
        if found is None:
            unclear.append(line)
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


def _item(fields: dict[str, str]) -> Item | None:
    title = " ".join(fields.get("title", "").replace("{", "").replace("}", "").split())
    paper = arxiv_id(fields.get("eprint", "")) or arxiv_id(fields.get("url", "")) or arxiv_id(fields.get("journal", ""))
    id = f"arxiv:{paper[0]}" if paper else None
    if id is None:
        id = next((found for key in ("doi", "url") if fields.get(key) and (found := parse_ref(fields[key]))), None)
    if id is None and title:
        id = f"guid:{SOURCE}:{hashlib.blake2b(title.casefold().encode(), digest_size=8).hexdigest()}"
    if id is None:
        return None
    authors = tuple(
        " ".join(reversed([part.strip() for part in name.split(",", 1)]))
        for name in fields.get("author", "").split(" and ")
        if name.strip()
    )
    return Item(
        id=id,
        kind=ItemKind.PAPER,
        title=title,
        url=fields.get("url", "") if fields.get("url", "").startswith(("http://", "https://")) else "",
        text=" ".join(fields.get("abstract", "").split()),
        source=SOURCE,
        authors=authors,
        backlog=True,
    )
