"""Hugging Face: the community's daily papers as signals on papers, and the model releases of chosen organizations.

The Hub answers no conditional requests, so a source remembers a hash of what it saw. The library is loaded when first
asked, since loading it takes a while.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from scout.identity import arxiv_id
from scout.items import Item, ItemKind, Outcome, OutcomeKind, Release, Signal
from scout.net.errors import FetchError
from scout.sources.base import Poll, Tools, failed
from scout.store.signals import HF_DAILY
from scout.store.sources import SourceRow
from scout.text import line, tidy

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CATCH_UP = 7
"""Days of daily papers fetched at most after a pause."""
PER_ORGANIZATION = 20
_THREADS = 4
_TAGS = 30


# --- daily papers


def poll_daily(source: SourceRow, tools: Tools) -> Poll:
    """The picks of today, of yesterday, whose votes still come in, and of days missed: signals, and papers not seen yet."""
    from scout.sources.hub import open_hub

    hub = open_hub(tools.settings)
    today = tools.settings.today or tools.now.date()
    seen = {str(day): str(found) for day, found in dict(source.state.get("days") or {}).items()}
    answers: dict[date, list[Any]] = {}
    trouble: FetchError | None = None
    early: FetchError | None = None
    for day in _days(today, source.state.get("last")):
        try:
            answers[day] = _picks(hub, day)
        except FetchError as err:
            if err.status == 400:  # a day that has not begun where the Hub is
                early = err
                continue
            trouble = err
            break
    if not answers:
        assert trouble or early
        return failed(source, trouble or early)  # type: ignore[arg-type]
    hashes = {day.isoformat(): _hash(rows) for day, rows in answers.items()}
    fresh = {day: rows for day, rows in answers.items() if seen.get(day.isoformat()) != hashes[day.isoformat()]}
    kept = dict(sorted({**seen, **hashes}.items())[-CATCH_UP:])
    return Poll(
        outcome=_daily_outcome(answers, fresh, trouble),
        items=tuple(_paper(row, source.id, tools) for rows in fresh.values() for row in rows),
        signals=tuple(
            Signal(f"arxiv:{row.id}", HF_DAILY, day, float(row.upvotes or 0))
            for day, rows in fresh.items()
            for row in rows
        ),
        state={"last": max(answers).isoformat(), "days": kept},
    )


def _days(today: date, last: object) -> list[date]:
    """The days to ask for, the oldest first."""
    try:
        known = date.fromisoformat(str(last))
    except ValueError:
        known = today
    start = min(known, today - timedelta(days=1)) if known <= today else today - timedelta(days=1)
    start = max(start, today - timedelta(days=CATCH_UP - 1))
    return [start + timedelta(days=n) for n in range((today - start).days + 1)]


def _picks(hub: HfApi, day: date) -> list[Any]:
    """The papers picked on a day, those left out that are on no arXiv."""
    from scout.sources.hub import rows

    found: dict[str, Any] = {}
    for row in rows(hub.list_daily_papers(date=day.isoformat(), limit=100)):
        known = arxiv_id(row.id) if isinstance(row.id, str) else None
        if known and row.title:
            row.id = known[0]
            found[row.id] = row
    return list(found.values())


def _daily_outcome(answers: dict[date, list[Any]], fresh: dict[date, list[Any]], trouble: FetchError | None) -> Outcome:
    newest = max(answers)
    missing = f"the days after {newest} are missing: {trouble.message}" if trouble else ""
    if any(fresh.values()):
        return Outcome(OutcomeKind.OK, missing)
    if not answers[newest]:
        return Outcome(OutcomeKind.NO_ANNOUNCEMENT, missing or f"no daily papers on {newest}")
    return Outcome(OutcomeKind.UNCHANGED, missing)


def _paper(row: Any, source: str, tools: Tools) -> Item:
    names = (line(author.name) for author in row.authors or () if author.name)
    return Item(
        id=f"arxiv:{row.id}",
        kind=ItemKind.PAPER,
        title=line(row.title),
        url=f"{tools.settings.arxiv.site_url}/abs/{row.id}",
        text=tidy(row.summary or ""),
        source=source,
        authors=tuple(name for name in names if name),
        published=row.published_at.astimezone(UTC) if row.published_at else None,
    )


# --- releases


def poll_releases(source: SourceRow, tools: Tools) -> Poll:
    """The newest models of the chosen organizations. One that cannot be read leaves the others as they are."""
    from scout.sources.hub import open_hub

    hub = open_hub(tools.settings)
    names = tools.settings.huggingface.organizations
    releases: list[Release] = []
    troubles: dict[str, FetchError] = {}
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="hub") as pool:
        for name, found in zip(names, pool.map(lambda name: _models(hub, name, tools), names), strict=True):
            if isinstance(found, FetchError):
                troubles[name] = found
            else:
                releases += found
    if names and len(troubles) == len(names):
        return failed(source, next(iter(troubles.values())))
    digest = _hash(releases)
    message = f"not read: {', '.join(f'{name} ({err.message})' for name, err in troubles.items())}" if troubles else ""
    if digest == source.state.get("hash"):
        return Poll(outcome=Outcome(OutcomeKind.UNCHANGED, message), state=source.state)
    return Poll(outcome=Outcome(OutcomeKind.OK, message), releases=tuple(releases), state={"hash": digest})


def _models(hub: HfApi, organization: str, tools: Tools) -> list[Release] | FetchError:
    from scout.sources.hub import rows

    try:
        found = rows(hub.list_models(author=organization, sort="created_at", limit=PER_ORGANIZATION))
    except FetchError as err:
        return err
    return [
        Release(
            id=row.id,
            author=row.author or organization,
            published=row.created_at.astimezone(UTC),
            url=f"{tools.settings.huggingface.url}/{row.id}",
            tags=tuple(line(str(tag), limit=100) for tag in (row.tags or ())[:_TAGS]),
        )
        for row in found
        if isinstance(row.id, str) and isinstance(row.created_at, datetime)
    ]


def _hash(rows: Iterable[Any]) -> str:
    """A fingerprint of what was found: which papers with which text and votes, or which releases."""
    facts = [
        (row.id, row.published, row.tags) if isinstance(row, Release) else (row.id, row.title, row.summary, row.upvotes)
        for row in rows
    ]
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
