"""Items as RIS, for managers of references that take no BibTeX. Pure; reading RIS is `files`'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scout.items import Item, ItemKind
from scout.text import line, tex_to_plain


def to_ris(items: Iterable[Item]) -> str:
    """A reference each. Text stays in its line, so that none can begin another tag."""
    return "\n".join("".join(f"{tag}  - {value}\n" for tag, value in _tags(item)) for item in items)


def _tags(item: Item) -> Iterator[tuple[str, str]]:
    yield "TY", "JOUR" if item.kind is ItemKind.PAPER else "ELEC"
    yield "TI", line(tex_to_plain(item.title))
    for name in item.authors:
        yield "AU", _family_first(line(name, limit=200))
    if item.published:
        yield "PY", f"{item.published:%Y}"
        yield "DA", f"{item.published:%Y/%m/%d}"
    if text := line(tex_to_plain(item.text), limit=20_000):
        yield "AB", text
    scheme, _, name = item.id.partition(":")
    if scheme == "arxiv":
        yield "AN", f"arXiv:{name}"
    if doi := next((id.removeprefix("doi:") for id in (item.id, *item.aliases) if id.startswith("doi:")), ""):
        yield "DO", line(doi)
    if item.url:
        yield "UR", line(item.url, limit=4_000)
    yield "ER", ""


def _family_first(name: str) -> str:
    given, _, family = name.rpartition(" ")
    return f"{family}, {given}" if given and "," not in name else name
