"""Items as BibTeX, for Zotero and other managers of references. Pure; reading BibTeX is `pasted`'s."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from scout.items import Item, ItemKind
from scout.text import line, tex_to_plain

_SPECIAL = str.maketrans(
    {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "_": r"\_", "^": r"\^{}",
     "~": r"\~{}"}
)  # fmt: skip
_ADDRESS = str.maketrans({"{": "%7B", "}": "%7D", "\\": "%5C", "%": "%"})


def to_bibtex(items: Iterable[Item]) -> str:
    """An entry each: papers as `@article`, anything else as `@misc`; every key once. Text cannot end its braces."""
    taken: set[str] = set()
    return "\n".join(_entry(item, _key(item, taken)) for item in items)


def _entry(item: Item, key: str) -> str:
    fields = {
        "title": f"{{{_plain(item.title)}}}",  # double braces keep capitals
        "author": " and ".join(f"{{{_plain(name)}}}" if "," in name else _plain(name) for name in item.authors),
        "year": f"{item.published:%Y}" if item.published else "",
        "month": f"{item.published.month}" if item.published else "",
        "url": line(item.url, limit=4_000).translate(_ADDRESS),
        "abstract": _plain(item.text, limit=20_000),
    }
    scheme, _, name = item.id.partition(":")
    if scheme == "arxiv":
        fields |= {"eprint": name, "archiveprefix": "arXiv", "primaryclass": next(iter(item.categories), "")}
    doi = next((id.removeprefix("doi:") for id in (item.id, *item.aliases) if id.startswith("doi:")), "")
    fields["doi"] = doi.translate(_ADDRESS)
    told = "".join(f"  {field} = {{{value}}},\n" for field, value in fields.items() if value)
    return f"@{'article' if item.kind is ItemKind.PAPER else 'misc'}{{{key},\n{told}}}\n"


def _key(item: Item, taken: set[str]) -> str:
    """Such as lovelace2025agents; numbered where it is taken."""
    name = item.authors[0].split()[-1] if item.authors and item.authors[0].split() else item.source
    first = next((word for word in _ascii(tex_to_plain(item.title)).split() if len(word) > 3), "")
    year = f"{item.published:%Y}" if item.published else ""
    base = f"{_ascii(name).replace(' ', '')}{year}{first}" or "item"
    key, n = base, 2
    while key in taken:
        key, n = f"{base}-{n}", n + 1
    taken.add(key)
    return key


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(re.findall(r"[a-z0-9]+", folded))


def _plain(text: str, *, limit: int = 1_000) -> str:
    return line(tex_to_plain(text), limit=limit).translate(_SPECIAL)
