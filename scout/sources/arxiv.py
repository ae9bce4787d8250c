"""arXiv: the day's announcement is the clock, the API fills the days it was not heard.

The source remembers the last day announced to it (its watermark). Where working days lie between that and the announcement
it reads now, it asks the API for what was submitted since; the watermark moves only when that went well, so that a failure
is made good by the next poll.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from scout.identity import arxiv_id
from scout.items import Item, ItemId, ItemKind, Outcome, OutcomeKind
from scout.net.errors import FetchError
from scout.net.fetch import Response, Validators
from scout.net.hints import freshness
from scout.sources import arxiv_api
from scout.sources.base import Poll, Tools, failed
from scout.sources.parsed import ParsedEntry, ParsedFeed
from scout.store.sources import SourceRow

LATE = timedelta(days=3)
"""How long before its announcement a paper may have been submitted: moderation takes a while."""
LONGEST_FILL = timedelta(days=30)
MOST_ENTRIES = 5_000
_HEAD = re.compile(r"\s*arXiv:(?P<name>\S+)\s+Announce Type:\s*(?P<type>[a-z-]+)\s*(?:Abstract:\s*)?", re.IGNORECASE)
_SATURDAY = 5


def poll(source: SourceRow, tools: Tools) -> Poll:
    """The day's announcement, and the days missed since the last one.

    1. Ask for the announcement; the same one as before is read no further.
    2. Where working days were missed, or an earlier fill failed, ask the API for them.
    3. Remember the day announced, unless something is still missing.
    """
    memory = Memory.of(source.state)
    try:
        announcement = _announcement(source, memory, tools)
    except FetchError as err:
        return failed(source, err)
    memory = announcement.memory
    since = fill_since(
        memory, announcement.day, is_empty=announcement.is_empty, first_days=tools.settings.arxiv.first_days
    )
    fill = _fill(source, since, announcement.day, tools) if since else Fill()
    items = {**announcement.items, **{item.id: _with_announcement(item, announcement.items) for item in fill.items}}
    if fill.error:
        memory = replace(memory, fill_since=since)
    else:
        # An announcement may still come on a day that has none yet: such a day counts as heard only when it is over.
        heard = announcement.day - timedelta(days=1) if announcement.is_empty else announcement.day
        memory = replace(memory, fill_since=None, watermark=max(heard, memory.watermark or heard))
    return Poll(
        outcome=_outcome(announcement, fill, since),
        items=tuple(items.values()),
        state=memory.state(),
        hint=announcement.hint,
    )


def papers(ids: Sequence[ItemId], tools: Tools) -> list[Item]:
    """arXiv papers by their ids, as old news; ids that arXiv does not know are left out.

    Raises:
        FetchError: arXiv cannot be read now.
    """
    names = [id.removeprefix("arxiv:") for id in ids if id.startswith("arxiv:")]
    found = arxiv_api.by_id(names, source="arxiv", tools=tools)
    return [replace(item, backlog=True) for item in found if item]


# --- memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the source remembers, out of its row's state and back into it."""

    etag: str | None = None
    last_modified: str | None = None
    body: str | None = None
    """Hash of the announcement read last."""
    day: date | None = None
    """Its day."""
    was_empty: bool = False
    watermark: date | None = None
    """Everything announced up to this day is known."""
    fill_since: date | None = None
    """From where a fill that failed is to be made good."""

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Memory:
        def text(key: str) -> str | None:
            value = state.get(key)
            return value if isinstance(value, str) and value else None

        def day(key: str) -> date | None:
            try:
                return date.fromisoformat(text(key) or "")
            except ValueError:
                return None

        return cls(
            etag=text("etag"),
            last_modified=text("last_modified"),
            body=text("body"),
            day=day("day"),
            was_empty=bool(state.get("was_empty")),
            watermark=day("watermark"),
            fill_since=day("fill_since"),
        )

    def state(self) -> dict[str, Any]:
        texts = {"etag": self.etag, "last_modified": self.last_modified, "body": self.body}
        days = {"day": self.day, "watermark": self.watermark, "fill_since": self.fill_since}
        known: dict[str, Any] = {key: value for key, value in texts.items() if value}
        known |= {key: value.isoformat() for key, value in days.items() if value}
        return known | ({"was_empty": True} if self.was_empty else {})


def fill_since(memory: Memory, day: date, *, is_empty: bool, first_days: int) -> date | None:
    """From which day of submission the API is to be asked, given the day announced now; None where nothing was missed."""
    since = [memory.fill_since] if memory.fill_since else []
    if memory.watermark is None:
        if is_empty and first_days and not since:
            since.append(day - timedelta(days=first_days))
    else:
        gap = (day - memory.watermark).days
        missed = (memory.watermark + timedelta(days=n) for n in range(1, gap))
        if any(each.weekday() < _SATURDAY for each in missed):
            since.append(memory.watermark - LATE)
    return max(min(since), day - LONGEST_FILL) if since else None


# --- the announcement


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    memory: Memory
    day: date
    items: Mapping[ItemId, Item]
    is_empty: bool
    is_known: bool
    """The same one as at the last poll."""
    skipped: int = 0
    bytes: int = 0
    status: int | None = None
    hint: timedelta | None = None


def _announcement(source: SourceRow, memory: Memory, tools: Tools) -> Announcement:
    """Raises: FetchError."""
    validators = Validators(memory.etag, memory.last_modified) if memory.day else None
    with arxiv_api.at_arxivs_pace(tools):
        response = tools.fetcher.get(source.url, validators=validators)
    body = hashlib.sha256(response.body).hexdigest()[:16]
    if memory.day and (response.not_modified or body == memory.body):
        return Announcement(
            memory=memory, day=memory.day, items={}, is_empty=memory.was_empty, is_known=True,
            bytes=len(response.body), status=response.status, hint=freshness(response.headers, tools.now),
        )  # fmt: skip
    feed = tools.parser.parse(response.body, response.content_type, response.url, limit=MOST_ENTRIES)
    day = _day(feed, tools.now)
    read = [announced(entry, source.id, tools.settings.arxiv.site_url) for entry in feed.entries]
    # Once each; should one be there twice, its newest version, and rather as news than as a replacement.
    items = {item.id: item for item in sorted(filter(None, read), key=lambda item: (item.version, not item.backlog))}
    return Announcement(
        memory=_noted(memory, response, body, day, was_empty=not feed.entries),
        day=day, items=items, is_empty=not feed.entries, is_known=False, skipped=read.count(None),
        bytes=len(response.body), status=response.status, hint=freshness(response.headers, tools.now),
    )  # fmt: skip


def _noted(memory: Memory, response: Response, body: str, day: date, *, was_empty: bool) -> Memory:
    found = response.validators
    return replace(memory, etag=found.etag, last_modified=found.last_modified, body=body, day=day, was_empty=was_empty)


def _day(feed: ParsedFeed, now: datetime) -> date:
    dates = [entry.published for entry in feed.entries if entry.published]
    return (feed.published or max(dates, default=now)).astimezone(UTC).date()


def announced(entry: ParsedEntry, source: str, site_url: str) -> Item | None:
    """The paper that an entry of the announcement speaks of, or None where it names none.

    A replacement that nobody here knows the first version of is old news: stored for search, without a date.
    """
    head = _HEAD.match(entry.text)
    names = (entry.guid or "", f"arxiv:{head['name']}" if head else "", entry.link or "")
    known = next(filter(None, map(arxiv_id, names)), None)
    if known is None:
        return None
    name, version = known
    is_replacement = (entry.announce_type or (head["type"] if head else "")).lower().startswith("replace")
    return Item(
        id=arxiv_api.paper_id(name),
        kind=ItemKind.PAPER,
        title=entry.title,
        url=f"{site_url}/abs/{name}",
        text=entry.text[head.end() :] if head else entry.text,
        source=source,
        authors=entry.authors,
        categories=entry.tags,
        published=None if is_replacement else entry.published,
        updated=entry.published if is_replacement else None,
        version=version or 1,
        backlog=is_replacement,
    )


# --- the fill


@dataclass(frozen=True, slots=True)
class Fill:
    items: tuple[Item, ...] = ()
    skipped: int = 0
    error: FetchError | None = None


def _fill(source: SourceRow, since: date, day: date, tools: Tools) -> Fill:
    """What was submitted since that day, as far as the API gave it."""
    found: list[Item] = []
    skipped = 0
    last = max(tools.now.date(), day) + timedelta(days=1)
    try:
        categories = tools.settings.arxiv.categories
        for item in arxiv_api.submitted(categories, since, last, source=source.id, tools=tools):
            if item:
                found.append(item)
            else:
                skipped += 1
    except FetchError as err:
        return Fill(tuple(found), skipped, err)
    return Fill(tuple(found), skipped)


def _with_announcement(item: Item, announced_items: Mapping[ItemId, Item]) -> Item:
    """What the API says, with the day of the announcement where there was one."""
    heard = announced_items.get(item.id)
    return replace(item, published=heard.published or item.published) if heard else item


def _outcome(announcement: Announcement, fill: Fill, since: date | None) -> Outcome:
    skipped = announcement.skipped + fill.skipped
    notes = [f"{skipped} {'entry' if skipped == 1 else 'entries'} without an arXiv id left out"] if skipped else []
    if announcement.is_empty:
        notes.insert(0, f"no announcement on {announcement.day}")
    kind = OutcomeKind.OK
    if fill.error:
        notes.append(
            f"papers submitted since {since} are still missing, the next poll asks again: {fill.error.message}"
        )
        kind = OutcomeKind.OK if announcement.items or fill.items else fill.error.kind
    elif fill.items:
        notes.append(f"days missed were filled in from {since} on")
    elif announcement.is_empty:
        kind = OutcomeKind.NO_ANNOUNCEMENT
    elif announcement.is_known:
        kind = OutcomeKind.UNCHANGED
    return Outcome(
        kind,
        "; ".join(notes),
        status=fill.error.status if fill.error else announcement.status,
        retry_at=fill.error.retry_at if fill.error else None,
        bytes=announcement.bytes,
    )
