"""Poll a blog's feed: ask whether it changed, read it, and make its entries items.

Asking is `net`'s, reading `parse`'s (in a process of its own), ids `identity`'s; whether an item is new is `ingest`'s to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from scout import identity
from scout.items import Item, ItemId, ItemKind, Outcome, OutcomeKind
from scout.net import hints
from scout.net.errors import FetchError
from scout.net.fetch import Response, Validators
from scout.sources import known_sites, transcripts
from scout.sources.base import Poll, Tools, failed
from scout.sources.parsed import ParsedEntry, ParsedFeed
from scout.sources.uniqueness import Uniqueness, weigh
from scout.store.sources import SourceRow

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json;q=0.9, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)


def poll(source: SourceRow, tools: Tools) -> Poll:
    """What is in the feed now. Never raises for what came from outside.

    The first poll marks entries without a date as backlog: nobody knows how old they are. A later one that was not there
    before is news.
    """
    state = source.state
    try:
        with tools.manners.host(source.url):
            validators = Validators(state.get("etag"), state.get("last_modified"))
            response = tools.fetcher.get(source.url, validators=validators, accept=ACCEPT)
        digest = hashlib.sha256(response.body).hexdigest()
        if response.not_modified or digest == state.get("hash"):
            return _unchanged(source, response, tools.now)
        feed = tools.parser.parse(response.body, response.content_type, response.url)
    except FetchError as err:
        return failed(source, err)
    names = weigh(feed.entries, state.get("names", {}))
    first = "hash" not in state
    items: dict[ItemId, Item] = {}
    spoken: dict[ItemId, str] = {}
    for place, entry in enumerate(feed.entries):
        item = _item(entry, source, names, first=first, now=tools.now)
        if item.id not in items:  # of two with one id the upper one, the newer, stays
            items[item.id] = item
            if entry.transcript and place < transcripts.NEWEST:
                spoken[item.id] = entry.transcript
    new_state: dict[str, Any] = {**_kept(response.validators), "hash": digest, "names": names.memory}
    if spoken or "transcripts" in state:
        items, new_state["transcripts"] = transcripts.added(items, spoken, state.get("transcripts", {}), tools)
    if feed.interval:
        new_state["interval"] = feed.interval.total_seconds()
    return Poll(
        outcome=Outcome(OutcomeKind.OK, _message(feed), status=response.status, bytes=len(response.body)),
        items=tuple(items.values()),
        state=new_state,
        title=feed.title,
        moved_to=response.permanent_url,
        hint=_hint(response, new_state, tools.now),
    )


def _unchanged(source: SourceRow, response: Response, now: datetime) -> Poll:
    state = {**source.state, **_kept(response.validators)}
    return Poll(
        outcome=Outcome(OutcomeKind.UNCHANGED, status=response.status, bytes=len(response.body)),
        state=state,
        moved_to=response.permanent_url,
        hint=_hint(response, state, now),
    )


def _kept(validators: Validators) -> dict[str, str]:
    named = {"etag": validators.etag, "last_modified": validators.last_modified}
    return {name: value for name, value in named.items() if value}


def _hint(response: Response, state: Mapping[str, Any], now: datetime) -> timedelta | None:
    said = [hints.freshness(response.headers, now)]
    if "interval" in state:
        said.append(timedelta(seconds=float(state["interval"])))
    return max((span for span in said if span), default=None)


def _item(entry: ParsedEntry, source: SourceRow, names: Uniqueness, *, first: bool, now: datetime) -> Item:
    id, aliases = identity.post_id(
        source=source.id,
        guid=entry.guid,
        link=entry.link,
        title=entry.title,
        text=entry.text,
        guid_is_unique=names.guid(entry),
        link_is_unique=names.link(entry),
    )
    return Item(
        id=id,
        kind=ItemKind.PAPER if id.startswith(("arxiv:", "doi:")) else ItemKind.POST,
        title=known_sites.titled(entry.title, source.url),
        url=entry.link or "",
        text=entry.text,
        source=source.id,
        authors=entry.authors,
        categories=entry.tags,
        published=min(entry.published, now) if entry.published else None,
        updated=min(entry.updated, now) if entry.updated else None,
        backlog=first and entry.published is None,
        aliases=aliases,
    )


def _message(feed: ParsedFeed) -> str:
    if feed.left_out:
        return f"only the newest {len(feed.entries):,} entries are read; {feed.left_out:,} older ones were left out"
    return "" if feed.entries else "the feed holds no entries"
