"""Which items belong together through time: one text twice, a sequel, a citation, the same people at the same thing. Pure.

Every item has a few keys (bands of its text, its authors, the name in its title); items that may be linked share one, so
they are found by looking up and not by comparing everything. What was chosen, and how well it does, is in docs/threads.md.
"""

from __future__ import annotations

import calendar
import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from scout.identity import arxiv_id
from scout.items import Item, ItemId, ItemKind
from scout.links import Link, LinkKind
from scout.triage.duplicates import Print, likeness_from, may_share, needed, print_of
from scout.triage.novelty import Rarity, words_in, words_of
from scout.triage.tokens import split

COMMON = 60
"""A key that more items than that have says nothing: a name that many people share."""
ALIKE = {1: 0.28, 2: 0.22, 3: 0.2}
"""Shared authors (three or more, two, one) → how alike two items must be."""
SMALL = 3
"""One shared author counts only where both items have no more than so many: else it is the name that is shared."""
YEARS = range(1900, 2100)
_CITED = re.compile(r"(?<![\w.])(\d{4}\.\d{4,5})(?:v\d+)?(?![\w]|\.\d)")
_PART = re.compile(r"[\s,:;(–—-]*\b(?:part|volume|episode)\s+(\d+|[IVX]+)\b\)?", re.I)
_HERALDS = frozenset(("announcing", "introducing", "launching", "meet", "presenting", "releasing", "welcome"))
_MONTHS = frozenset(name.lower() for names in (calendar.month_name, calendar.month_abbr) for name in names if name) | {
    "sept"
}
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}
_VERSIONED = re.compile(
    r"\b([A-Z][^\W\d_]*(?:\d+[^\W\d_]+)*(?:[ -][A-Z][^\W\d_]+){0,2})[ -]?v?(\d{1,4}(?:\.\d{1,3}){0,2})(?![\w]|\.\d)"
)


@dataclass(frozen=True, slots=True)
class Numbered:
    name: str
    number: tuple[int, ...]


@dataclass(frozen=True)
class Known:
    """An item as it is compared with others. What only some comparisons ask for is made when one does, and kept."""

    item: Item
    seq: int
    rarity: Rarity

    @cached_property
    def print(self) -> Print:
        return print_of(self.item)

    @cached_property
    def authors(self) -> dict[str, str]:
        """Folded name → name."""
        return _signed(self.item)

    @property
    def author_keys(self) -> list[int]:
        return [_author_key(folded) for folded in self.authors]

    @cached_property
    def names(self) -> list[Numbered]:
        return numbered(self.item)

    @cached_property
    def cited(self) -> list[ItemId]:
        return cited(self.item)

    @cached_property
    def words(self) -> frozenset[str]:
        return words_of(self.item)

    @cached_property
    def length(self) -> float:
        return self.rarity.length(self.words)


@dataclass(frozen=True)
class _Both:
    """Two items, and the words that both have: all that most pairs are told apart by."""

    later: Known
    earlier: Known

    @cached_property
    def words(self) -> frozenset[str]:
        return words_in(self.earlier.item, self.later.words)

    def likeness(self, *, least: float) -> float:
        """The cosine of their words, or 0 where it is surely less than this."""
        rarity, together = self.later.rarity, self.later.rarity.weight(self.words)
        if rarity.is_longer(
            self.later.words, math.sqrt(together) / least
        ):  # the earlier is at least as long as what they share
            return 0.0
        return together / (self.later.length * self.earlier.length)


def author_keys(item: Item) -> list[int]:
    return [_author_key(folded) for folded in _signed(item)]


def _signed(item: Item) -> dict[str, str]:
    """Folded name → name."""
    return {" ".join(name.lower().split()): name for name in item.authors[:100] if name.strip()}


def _author_key(folded: str) -> int:
    return _key("author", folded)


def name_keys(names: Iterable[Numbered]) -> list[int]:
    return [_key("name", found.name) for found in names]


def numbered(item: Item) -> list[Numbered]:
    """Names with a version or part number in a title: `Qwen2.5` is (qwen, 2.5), `Widgets, Part II` is (widgets, 2).

    Of a paper only the name before the colon is its own; a name without a number is that name's first.
    """
    title = item.title
    if part := _PART.search(title):
        number = _ROMAN.get(part[1].upper()) or (int(part[1]) if part[1].isdigit() else 0)
        base = _folded(title[: part.start()])
        return [Numbered(base, (number,))] if number and len(base) > 2 else []
    if item.kind is ItemKind.PAPER:
        own, colon, _ = title.partition(":")
        if not colon or len(own.split()) > 4:
            return []
        if versioned := _VERSIONED.fullmatch(own.strip()):
            return _numbered(versioned)
        return [Numbered(_folded(own), (1,))] if len(_folded(own)) > 2 else []
    return [found for versioned in _VERSIONED.finditer(title) for found in _numbered(versioned)]


def _numbered(found: re.Match[str]) -> list[Numbered]:
    words = _folded(found[1]).split()
    name = " ".join(words[1:] if words[:1] and words[0] in _HERALDS else words)
    number = tuple(int(part) for part in found[2].split("."))
    is_date = name.rpartition(" ")[2] in _MONTHS  # some feeds have the day in front of each title
    return [Numbered(name, number)] if len(name) > 2 and number[0] not in YEARS and not is_date else []


def cited(item: Item) -> list[ItemId]:
    """The arXiv papers that title, text or comment name, itself left out."""
    found = [f"arxiv:{number}" for number in _CITED.findall(f"{item.title} {item.text} {item.comment}")]
    return [id for id in dict.fromkeys(found) if id != item.id and arxiv_id(id) is not None]


def in_time(one: Known, other: Known) -> tuple[Known, Known]:
    """The later one, then the earlier one."""
    if one.item.published and other.item.published and abs(one.item.published - other.item.published) > timedelta(0):
        return (one, other) if one.item.published > other.item.published else (other, one)
    return (one, other) if one.seq > other.seq else (other, one)


def link(one: Known, other: Known, *, rare: frozenset[int]) -> Link | None:
    """How two items belong together; None where they do not. `rare` are the author keys that are not too common."""
    later, earlier = in_time(one, other)
    ids = later.item.id, earlier.item.id
    if ids[0] == ids[1]:
        return None
    both = _Both(later, earlier)
    if (likeness := _one_text(both)) is not None:
        return Link(*ids, LinkKind.DUPLICATE, round(likeness, 3), "the same text")
    shared = later.authors.keys() & earlier.authors.keys()
    if sequel := _sequel(later, earlier, known_hands=bool(shared)):
        return Link(*ids, LinkKind.SEQUEL, 1.0, sequel)
    if earlier.item.id in later.cited:
        return Link(*ids, LinkKind.CITES, 1.0, "it names the other by its number")
    known = sum(_author_key(folded) in rare for folded in shared)
    if not may_be_same_hands(known, max(len(later.authors), len(earlier.authors))):
        return None
    least = ALIKE[min(3, len(shared))]
    alike = both.likeness(least=least)
    if alike < least:
        return None
    names = [name for folded, name in later.authors.items() if folded in shared]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return Link(*ids, LinkKind.SAME_AUTHORS, round(alike, 3), f"by {', '.join(names[:2])}{more} too")


def _one_text(both: _Both) -> float | None:
    """How alike they are, where they are one text. Most pairs are told apart by their words, which are cheaper than runs."""
    later, earlier = both.later, both.earlier
    share = needed(later.item, earlier.item)
    if share is None or not later.print.is_enough:
        return None
    lacking = len(later.words) - len(both.words) - len(split(later.item.title))  # runs are of the text alone
    if not may_share(later.print, share, lacking=lacking):
        return None
    return likeness_from(share, later.print, earlier.print)


def may_be_same_hands(rare_authors: int, most: int) -> bool:
    """Whether so many shared authors of not too common a name, of at most `most` on either, can be the same people."""
    return rare_authors >= 2 or (rare_authors == 1 and most <= SMALL)


def _sequel(later: Known, earlier: Known, *, known_hands: bool) -> str:
    """What makes it the next of the other, in words; the same people or the same blog must stand behind both."""
    one, other = later.item, earlier.item
    if not known_hands and not (one.source == other.source and one.kind is other.kind is ItemKind.POST):
        return ""
    before = {found.name: found.number for found in earlier.names} if later.names else {}
    for found in later.names:
        if found.name in before and found.number > before[found.name]:
            return f"{'.'.join(map(str, found.number))} after {'.'.join(map(str, before[found.name]))}"
    return ""


def _folded(name: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", name.lower()))


def _key(kind: str, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{kind}\0{name}".encode(), digest_size=8).digest(), "big", signed=True)
