"""The noun of a thread: how two items belong together. Finding links is `triage.threads`', keeping them `store.threads`'."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scout.items import ItemId


class LinkKind(StrEnum):
    """Why two items belong together, the strongest first; a pair has one link."""

    DUPLICATE = "duplicate"
    """One text under two ids."""
    SEQUEL = "sequel"
    """The next version or part of what has a number in its name."""
    CITES = "cites"
    """Its text names the other by its arXiv number."""
    SAME_AUTHORS = "same-authors"
    """The same people, on much the same."""


@dataclass(frozen=True, slots=True)
class Link:
    later: ItemId
    earlier: ItemId
    kind: LinkKind
    strength: float
    """From 0 to 1: how alike they are; 1 where the words say so themselves."""
    why: str
    """For people."""


class RelationKind(StrEnum):
    """What an item is to what a reader has read."""

    NEW = "new"
    FOLLOW_UP = "follow-up"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class Relation:
    """An item's relation to what one reader has read."""

    kind: RelationKind = RelationKind.NEW
    to: ItemId = ""
    """The earlier item; empty where it is new."""
    title: str = ""
    why: str = ""
    """How the two belong together, for people."""
    read: str = ""
    """What the reader did with the earlier one, as in "which you liked"."""


UNRELATED = Relation()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the same text also stands."""

    id: ItemId
    title: str
    url: str
    source: str
