"""Decide what a poll changes. Pure: what was known and what was seen go in, what to write comes out. Writing is ingest's.

Who knows best: arXiv itself, then Hugging Face, then a feed that links to a paper. What one of them said stands against
those below it. An id that was deleted never comes back, one that was archived only in a new version that arXiv announces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum
from types import MappingProxyType

from scout.identity import changed
from scout.items import Item, ItemId, SourceKind

HISTORY_EVERY = timedelta(days=1)
"""Of a text that is edited again and again, its history keeps a version a day."""


class Authority(IntEnum):
    FEED = 1
    HUB = 2
    ARXIV = 3

    @classmethod
    def of(cls, kind: SourceKind) -> Authority:
        return {SourceKind.ARXIV: cls.ARXIV, SourceKind.HF_DAILY: cls.HUB}.get(kind, cls.FEED)


@dataclass(frozen=True, slots=True)
class Known:
    """An item as it is stored."""

    item: Item
    changed_at: datetime
    """When a version was last recorded."""
    authority: Authority = Authority.FEED
    """Of the best of the sources that brought it."""


@dataclass(frozen=True, slots=True)
class Changes:
    new: tuple[Item, ...] = ()
    updated: tuple[Item, ...] = ()
    """Known items with a new version: what they said before goes into their history."""
    replaced: tuple[Item, ...] = ()
    """Known items that now say it better: nothing is kept of what they said before."""
    seen: frozenset[ItemId] = field(default_factory=frozenset)
    """Known items that the poll brought, whether changed or not."""


def changes(
    known: Mapping[ItemId, Known],
    tombstones: Set[ItemId],
    items: Iterable[Item],
    *,
    authority: Authority,
    now: datetime,
    archived: Mapping[ItemId, int] = MappingProxyType({}),
) -> Changes:
    """What `items`, brought by a source of this authority, change in what is `known` by its ids and aliases.

    `tombstones` are not to come in again; `archived` names of those that were archived the version they went with. An item
    that comes twice counts once, its higher or else later version winning. What changes is the current text; what it was goes
    into the history for a new version, and for silent edits once a day.
    """
    new: dict[ItemId, Item] = {}
    updated: dict[ItemId, Item] = {}
    replaced: dict[ItemId, Item] = {}
    seen: set[ItemId] = set()
    for item in _once(items):
        before = _stored(item, known)
        if before is None:
            if item.id not in tombstones or _is_revision(item, archived, authority):
                new[item.id] = item
            continue
        seen.add(before.item.id)
        after = _merged(before.item, item, authority)
        match _verdict(before, item, after, authority=authority, now=now):
            case "updated":
                updated[after.id] = after
            case "replaced":
                replaced[after.id] = after
    return Changes(tuple(new.values()), tuple(updated.values()), tuple(replaced.values()), frozenset(seen))


def _is_revision(item: Item, archived: Mapping[ItemId, int], authority: Authority) -> bool:
    return authority is Authority.ARXIV and item.id in archived and item.version > archived[item.id]


def _once(items: Iterable[Item]) -> Iterable[Item]:
    found: dict[ItemId, Item] = {}
    for item in items:
        if item.id not in found or item.version >= found[item.id].version:
            found[item.id] = item
    return found.values()


def _stored(item: Item, known: Mapping[ItemId, Known]) -> Known | None:
    """The stored item that this is: by its id, or by an alias where the title speaks for it as well.

    A feed may use a GUID again for another post: then it is another item, whatever the alias says.
    """
    if found := known.get(item.id):
        return found
    candidates = (known[alias] for alias in item.aliases if alias in known)
    return next((each for each in candidates if _title(each.item) == _title(item)), None)


def _title(item: Item) -> str:
    return " ".join(item.title.split()).casefold()


def _merged(old: Item, new: Item, authority: Authority) -> Item:
    """What is known once `new` came: its word where it says something, and who brought the item first.

    Old news becomes news only where arXiv announces it.
    """
    other_names = (new.id,) if new.id != old.id else ()
    return replace(
        new,
        id=old.id,
        source=old.source,
        kind=old.kind,
        title=new.title or old.title,
        url=new.url or old.url,
        text=new.text or old.text,
        authors=new.authors or old.authors,
        categories=new.categories or old.categories,
        published=old.published or new.published,
        updated=new.updated or old.updated,
        version=max(old.version, new.version),
        comment=new.comment or old.comment,
        backlog=old.backlog and (new.backlog or authority is not Authority.ARXIV),
        aliases=(*other_names, *(alias for alias in new.aliases if alias != old.id)),
    )


def _verdict(before: Known, item: Item, after: Item, *, authority: Authority, now: datetime) -> str:
    """`updated`, `replaced` or nothing."""
    if authority < before.authority:
        return ""
    if item.version > before.item.version:
        return "updated"
    if item.version < before.item.version:
        return ""
    if authority > before.authority or _gains(before.item, after):
        return "replaced" if replace(after, aliases=()) != replace(before.item, aliases=()) else ""
    if authority is Authority.ARXIV or not changed(before.item, item):
        return ""  # a version of a paper has one text, however arXiv's two services write it
    edited_since = timedelta(0) <= now - before.changed_at < HISTORY_EVERY
    return "replaced" if edited_since else "updated"


def _gains(before: Item, after: Item) -> bool:
    """Whether something is said now on which nothing was known."""
    pairs = (
        (before.text, after.text), (before.authors, after.authors), (before.categories, after.categories),
        (before.comment, after.comment), (before.published, after.published),
    )  # fmt: skip
    return any(now_said and not was_said for was_said, now_said in pairs) or (before.backlog and not after.backlog)
