"""What a policy is: a reader's profile and items in, decisions out. No database, no clock, no network.

`Profile`, `Corpus` and `Targets` are all that a fit may look at; whoever owns the database fills them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from scout.items import Decision, Item, ItemId, Subject
from scout.triage.vectors import NONE, Vectors


@dataclass(frozen=True, slots=True)
class Rules:
    """What a reader always (allow) or never (block) wants, whatever the scores say. A block beats an allow."""

    words: tuple[str, ...] = ()
    """Words and phrases, found in title and text as whole words."""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thumbed:
    """One thumb with the item it is about. Of two on one item the later one counts."""

    item: Item
    up: bool
    reasons: tuple[str, ...]
    """Slugs of `scout.items.REASONS`."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """A reader, as far as triage is concerned."""

    reader: str
    subjects: tuple[Subject, ...] = ()
    followed: frozenset[str] | None = None
    """Slugs of the subjects this reader wants; None for all of them."""
    thumbs: tuple[Thumbed, ...] = ()
    corrections: Mapping[ItemId, str] = field(default_factory=dict)
    """Item to the slug it belongs to, by the reader's word. Counts where the item is among thumbs, liked or recent."""
    liked: tuple[tuple[str, Item], ...] = ()
    """Examples with the slug of the subject they stand for."""
    allow: Rules = Rules()
    block: Rules = Rules()


@dataclass(frozen=True, slots=True)
class Corpus:
    """What this installation has seen, for every reader alike."""

    recent: tuple[Item, ...] = ()
    picks: Mapping[ItemId, float] = field(default_factory=dict)
    """Community picks with their upvotes. Those that are not among `recent` are ignored."""
    others: tuple[Thumbed, ...] = ()
    """Thumbs of other readers."""
    vectors: Vectors = NONE
    """What a served model made of these items and of those thumbed, for recipes that look at that."""


@dataclass(frozen=True, slots=True)
class Targets:
    """How much this reader wants to see, and out of how much."""

    read_per_day: float = 20.0
    unsure_per_day: float = 10.0
    items_per_day: float = 600.0
    recall: float | None = None
    """The share of what the reader would thumb up that the lanes are to hold, where there are thumbs enough to promise it."""

    @property
    def base_rate(self) -> float:
        """The share of all items that the read lane is for, kept away from 0 and 1."""
        return min(0.5, max(0.002, self.read_per_day / max(self.items_per_day, 1.0)))


class Policy(Protocol):
    @property
    def version(self) -> str:
        """Names this very fit, such as `linear-1:5d0c2f1a`."""

    @property
    def recipe(self) -> str:
        """Names the way it was made, such as `linear-1`."""

    def decide(self, items: Sequence[Item]) -> list[Decision]:
        """One decision an item, in order. A decision does not depend on the batch it comes in."""
