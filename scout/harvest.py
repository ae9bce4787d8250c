"""Read arXiv's records in bulk by OAI-PMH: a set and a stretch of days, a page at a time, to be interrupted anywhere.

take up the harvest of this set and these days where it stopped, or begin it
for each slice of a week:
    ask for its first page, then for what each page's token names        (three seconds apart, as arXiv asks of everybody)
    in one transaction: write the page's papers, and where to go on
    a token that is no longer known begins its slice again

Papers come in as old news: they can be searched and shown, and no digest takes them up. What arXiv has deleted is counted; what is
stored of it stays, since readers may have spoken of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from scout import clock
from scout.changes import Authority
from scout.config import Settings
from scout.ingest import merge
from scout.items import Item, ItemKind, OutcomeKind
from scout.net.errors import FetchError
from scout.progress import SILENT, Progress
from scout.sources.arxiv_api import ANSWER_BYTES, ANSWER_SECONDS, at_arxivs_pace, paper_id
from scout.sources.base import Tools
from scout.sources.defaults import ARXIV
from scout.sources.oai import Page, Record
from scout.store import Store
from scout.store.harvests import Harvest
from scout.store.merging import merge_index

SLICE = timedelta(days=7)
"""So much is begun again at the most, where a token is no longer known."""
LONGEST_WAIT = timedelta(minutes=15)
"""A server that asks for more patience is asked again by the next command."""
TRIES = 4
_PASSING = (OutcomeKind.UNREACHABLE, OutcomeKind.TOO_SLOW, OutcomeKind.HTTP_ERROR)
_PAUSE = 10.0


def harvest(
    store: Store,
    tools: Tools,
    *,
    first: date,
    last: date,
    set_name: str = "",
    progress: Progress = SILENT,
    pause: Callable[[float], None] = time.sleep,
) -> Harvest:
    """Take in the records of `set_name` (empty: all) that changed from `first` to `last`, both included.

    Raises:
        FetchError: arXiv cannot be read on, or refuses what is asked; what was written stands, and the same call goes on there.
        StoreError: the database cannot be written.
    """
    state = store.harvests.begun(set_name, first, last, clock.now())
    begun_again: date | None = None
    while state.day <= last:
        page = _asked(state, tools, pause)
        if page.error == "badResumptionToken" and state.token and begun_again != state.day:
            begun_again, state = state.day, replace(state, token="")
            continue
        if page.error and page.error != "noRecordsMatch":
            raise FetchError(OutcomeKind.UNREADABLE, f"arXiv's archive says {page.error}: {page.message}")
        if page.token and page.token == state.token:
            raise FetchError(OutcomeKind.UNREADABLE, "arXiv's archive names the page it gave as the next one")
        if not state.token:
            pages = -(-page.total // len(page.records)) if page.total and page.records else 1
            progress.stage(f"records of {state.day}", pages)
        state = _written(store, tools.settings, state, page)
        merge_index(store)  # weeks of pages would leave more parts than a daily run puts in order
        progress.step(f"{state.records:,} records")
    return state


def _asked(state: Harvest, tools: Tools, pause: Callable[[float], None]) -> Page:
    """The page at which the harvest is, asked for again where what is wrong may pass.

    Raises:
        FetchError: it cannot be had for now.
    """
    for again in range(1, TRIES + 1):
        try:
            with at_arxivs_pace(tools):
                answer = tools.fetcher.get(
                    _address(state, tools.settings), max_bytes=ANSWER_BYTES, deadline=ANSWER_SECONDS
                )
            return tools.parser.records(answer.body)
        except FetchError as err:
            wait = _wait(err, again)
            if again == TRIES or wait is None:
                raise
            pause(wait)
    raise AssertionError("unreachable")


def _wait(err: FetchError, again: int) -> float | None:
    """Seconds after which to ask again; None where there is no use in it now."""
    if err.kind is OutcomeKind.BUSY and err.retry_at:
        patience = err.retry_at - clock.now()
        return max(patience.total_seconds(), 0.0) + 1.0 if patience <= LONGEST_WAIT else None
    passing = err.kind in _PASSING and (err.status is None or err.status >= 500)
    return _PAUSE * again if passing else None


def _address(state: Harvest, settings: Settings) -> str:
    asked = {"verb": "ListRecords"}
    if state.token:
        asked |= {"resumptionToken": state.token}
    else:
        asked |= {"metadataPrefix": "arXiv", "from": state.day.isoformat(), "until": _end(state).isoformat()}
        asked |= {"set": state.set_name} if state.set_name else {}
    return f"{settings.arxiv.oai_url}?{urlencode(asked)}"


def _end(state: Harvest) -> date:
    """The last day of the slice under way."""
    return min(state.day + SLICE - timedelta(days=1), state.last)


def _written(store: Store, settings: Settings, state: Harvest, page: Page) -> Harvest:
    """The page in the store, and the harvest one page further, in one transaction."""
    now = clock.now()
    items = [paper(record, settings.arxiv.site_url) for record in page.records]
    day = state.day if page.token else _end(state) + timedelta(days=1)
    with store.writing():
        found = merge(store, items, source=ARXIV, authority=Authority.ARXIV, now=now, old=True)
        further = replace(
            state,
            day=day,
            token=page.token,
            records=state.records + len(page.records),
            new=state.new + len(found.new),
            updated=state.updated + len(found.updated),
            deleted=state.deleted + len(page.deleted),
            left_out=state.left_out + page.left_out,
            pages=state.pages + 1,
            finished=now if day > state.last else None,
        )
        store.harvests.put(further)
    return further


def paper(record: Record, site_url: str) -> Item:
    """The item that a record is, as old news."""
    return Item(
        id=paper_id(record.name),
        kind=ItemKind.PAPER,
        title=record.title,
        url=f"{site_url}/abs/{record.name}",
        text=record.text,
        source=ARXIV,
        authors=record.authors,
        categories=record.categories,
        published=_midnight(record.created),
        updated=_midnight(record.updated),
        comment=record.comment,
        backlog=True,
        aliases=(record.doi,) if record.doi else (),
    )


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
