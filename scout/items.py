"""The nouns, frozen. Data only: nothing here reads a clock, a file or a network.

Times are aware datetimes in UTC; days are `datetime.date`. Texts are plain text, never HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

ItemId = str
"""`arxiv:2511.21735`, `doi:10.1000/x`, `url:example.org/post` or, where a post has no address, `guid:<source>:<hash>`."""

OTHER = "other"
"""The slug of the subject that holds what fits none of the reader's subjects."""


class ItemKind(StrEnum):
    PAPER = "paper"
    POST = "post"


class SourceKind(StrEnum):
    FEED = "feed"
    ARXIV = "arxiv"
    HF_DAILY = "hf-daily"
    HF_RELEASES = "hf-releases"
    MAILDIR = "maildir"
    IMAP = "imap"


class OutcomeKind(StrEnum):
    """How a poll ended. Every poll leaves exactly one."""

    OK = "ok"
    UNCHANGED = "unchanged"
    """304, or the same bytes again."""
    NO_ANNOUNCEMENT = "no-announcement"
    """A day on which nothing is announced: a weekend, a holiday. Success."""
    BUSY = "busy"
    """429 or 503 with a time to come back: the server asks for patience."""
    GONE = "gone"
    """410: the source is disabled until someone enables it."""
    REFUSED = "refused"
    """The address, or one it redirects to, is not one we fetch (private, loopback, not http)."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke."""
    HTTP_ERROR = "http-error"
    TOO_SLOW = "too-slow"
    """The deadline for the whole answer, or for parsing it, passed."""
    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"
    """An answer that is no feed."""
    ERROR = "error"
    """A fault of ours, with the source named; the rest of the run goes on."""

    @property
    def is_success(self) -> bool:
        return self in (OutcomeKind.OK, OutcomeKind.UNCHANGED, OutcomeKind.NO_ANNOUNCEMENT)


class Health(StrEnum):
    """A source's state at a glance, derived from its row (see `store.sources.health`)."""

    NEW = "new"
    OK = "ok"
    COOLING = "cooling"
    FAILING = "failing"
    GONE = "gone"
    PAUSED = "paused"


class Lane(StrEnum):
    READ = "read"
    UNSURE = "unsure"
    SKIP = "skip"


class Slot(StrEnum):
    """Where an item was put before a reader."""

    DIGEST = "digest"
    ASK = "ask"
    """In a digest, for the thumb it asks for."""
    MISSED = "missed"
    """On the weekly page of what was skipped."""


class Aspect(StrEnum):
    """What a feedback is about. The newest live one of each aspect is the reader's current word on an item."""

    THUMB = "thumb"
    """value `up` or `down`."""
    SUBJECT = "subject"
    """value: the slug of the subject the item belongs to."""
    SAVED = "saved"
    """value `yes` or `no`."""
    HIDDEN = "hidden"
    """value `yes` or `no`."""


REASONS: Mapping[str, str] = {
    "on-topic": "On my topic",
    "novel": "New to me",
    "useful": "I can use it",
    "well-done": "Well done",
    "off-topic": "Not my topic",
    "known": "Already known",
    "weak": "Weak evidence",
    "hype": "Hype",
}
"""Reason chips: slug to label. The first four go with a thumb up, the others with a thumb down."""


@dataclass(frozen=True, slots=True)
class Item:
    """One paper or post, however many sources and versions brought it."""

    id: ItemId
    kind: ItemKind
    title: str
    url: str
    """http(s) address to show and link; empty where the item has none."""
    text: str
    """Abstract or body, plain text."""
    source: str
    """id of the source that first brought it."""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """arXiv categories, the primary one first, or a feed's own tags."""
    published: datetime | None = None
    """When its publisher says it appeared; None where unknown."""
    updated: datetime | None = None
    version: int = 1
    comment: str = ""
    """The arXiv comment field ("accepted at …")."""
    backlog: bool = False
    """True where it is stored for search but is old news: no digest takes it up."""
    aliases: tuple[ItemId, ...] = ()
    """Other ids under which the same item is known (DOI, mirror, GUID)."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a community said of an item: `hf-daily` with upvotes. Never an item of its own."""

    item_id: ItemId
    kind: str
    day: date
    value: float


@dataclass(frozen=True, slots=True)
class Release:
    """An open model that appeared on the Hub."""

    id: str
    author: str
    published: datetime
    url: str
    tags: tuple[str, ...] = ()
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    slug: str
    name: str
    description: str = ""
    keywords: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """arXiv categories that belong to it."""
    liked: tuple[str, ...] = ()
    """Examples by item id, URL or BibTeX entry."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """A part of a score, in log-odds: the sum of all of an item's is the logit of its probability."""

    feature: str
    weight: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy made of one item for one reader."""

    item_id: ItemId
    reader: str
    policy: str
    """The policy's version, such as `linear-1:5d0c2f1a`."""
    subject: str
    subjects: Mapping[str, float]
    """Probability of each subject; sums to 1."""
    probability: float
    """Calibrated probability that this reader wants it."""
    lane: Lane
    why: tuple[Contribution, ...] = ()
    """The largest contributions, largest magnitude first."""


@dataclass(frozen=True, slots=True)
class Point:
    text: str
    cites: tuple[int, ...]
    """Numbers, from 1, of the sentences of `text.sentences(item.text)` that carry it."""


@dataclass(frozen=True, slots=True)
class Summary:
    item_id: ItemId
    tldr: str
    points: tuple[Point, ...]
    by: str
    """`extractive` or the model's name, as served."""


@dataclass(frozen=True, slots=True)
class Impression:
    """An item was put before a reader: where, and with what probability it was put there."""

    reader: str
    item_id: ItemId
    digest_date: date
    position: int
    """From 1, over the whole digest."""
    lane: Lane
    propensity: float
    """The probability with which this item was put there, whatever else was."""
    policy: str
    slot: Slot = Slot.DIGEST


@dataclass(frozen=True, slots=True)
class Feedback:
    """A reader's word on an item. Append-only: undoing is another row."""

    reader: str
    item_id: ItemId
    aspect: Aspect
    value: str
    at: datetime
    reasons: tuple[str, ...] = ()
    origin: str = "cli"
    """`cli`, `dashboard`, `onboarding`, `import`."""
    token: str = ""
    """Makes a retried write land once; empty for none."""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What evals found of a release (filled from M4 on)."""

    release_id: str
    text: str
    run: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one poll of one source ended, in words for whoever must act."""

    kind: OutcomeKind
    message: str = ""
    status: int | None = None
    """HTTP status of the last answer, if there was one."""
    retry_at: datetime | None = None
    """Not before this moment, when the server said so."""
    bytes: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)
