"""arXiv's API through the `arxiv` package, made to go through our door, at arXiv's pace.

Both the items of a stretch of days and single papers come from here; what they mean for a source is `arxiv`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING

import requests

from scout.identity import arxiv_id
from scout.items import Item, ItemId, ItemKind, OutcomeKind
from scout.net.errors import FetchError
from scout.net.manners import ARXIV, ARXIV_SPACING
from scout.net.requests_session import session
from scout.sources.base import Tools
from scout.text import line, tidy

if TYPE_CHECKING:
    import arxiv

PAGE = 1_000
RETRIES = 2
ANSWER_SECONDS = 30.0
"""arXiv takes its time over a page of a thousand."""
ANSWER_BYTES = 20_000_000
IMPATIENT = timedelta(minutes=5)
"""How long arXiv is left alone where it asks for patience without saying how long."""
_IDS_A_REQUEST = 100
_TRAVEL = 0.25
"""Seconds by which a later request may be faster on its way than the one before it."""
_TOTAL = re.compile(rb"totalResults[^>]*>\s*(\d+)")


def submitted(
    categories: Sequence[str], first: date, last: date, *, source: str, tools: Tools
) -> Iterator[Item | None]:
    """Papers of these categories submitted from `first` to `last`, both included, in that order; None for each odd entry.

    Raises:
        FetchError: arXiv cannot be read on, or asks for patience. What was yielded before stands.
    """
    anywhere = " OR ".join(f"cat:{category}" for category in categories)
    days = f"submittedDate:[{first:%Y%m%d}0000 TO {last:%Y%m%d}2359]"
    return _found(f"({anywhere}) AND {days}", (), source=source, tools=tools)


def by_id(ids: Sequence[str], *, source: str, tools: Tools) -> Iterator[Item | None]:
    """The papers with these arXiv ids that arXiv knows; None for each odd entry.

    Raises:
        FetchError: as `submitted`.
    """
    for start in range(0, len(ids), _IDS_A_REQUEST):
        yield from _found("", ids[start : start + _IDS_A_REQUEST], source=source, tools=tools)


def _found(query: str, ids: Sequence[str], *, source: str, tools: Tools) -> Iterator[Item | None]:
    import arxiv

    client = arxiv.Client(page_size=PAGE, delay_seconds=0, num_retries=RETRIES)  # the slot keeps the distance
    client.query_url_format = tools.settings.arxiv.api_url + "?{}"
    client._session = _Polite(tools)
    order = arxiv.SortCriterion.SubmittedDate, arxiv.SortOrder.Ascending
    search = arxiv.Search(query, list(ids), max_results=None, sort_by=order[0], sort_order=order[1])
    try:
        for result in client.results(search):
            yield _item(result, source, tools.settings.arxiv.site_url)
    except FetchError:
        raise
    except (arxiv.ArxivError, requests.RequestException) as err:
        raise FetchError(OutcomeKind.UNREADABLE, f"arXiv's API gave up half-way: {err}"[:300]) from err
    except (ValueError, TypeError, AttributeError) as err:  # what the package meets in an answer it did not expect
        raise FetchError(OutcomeKind.UNREADABLE, f"arXiv's API answered something odd: {err}"[:300]) from err


class _Polite:
    """The part of a session that the package uses: one request at a time, three seconds apart in all processes."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._session = session(tools.fetcher, max_bytes=ANSWER_BYTES, deadline=ANSWER_SECONDS)

    def get(self, url: str, *, headers: Mapping[str, str]) -> requests.Response:
        with at_arxivs_pace(self._tools):
            response = self._session.get(url)
        total = _TOTAL.search(response.content[:10_000])
        if total is None:
            raise FetchError(OutcomeKind.UNREADABLE, "arXiv's API answered something that is no list of papers")
        start = re.search(r"[?&]start=(\d+)", url)
        if b"<entry" not in response.content and int(total[1]) > int(start[1] if start else 0):
            raise requests.ConnectionError("a page without the papers it promises")  # the package asks again
        return response


@contextmanager
def at_arxivs_pace(tools: Tools) -> Iterator[None]:
    """A turn at arXiv. A refusal without a time to come back cools it down as well.

    Raises:
        FetchError: BUSY while arXiv is cooling down; nothing was asked.
    """
    with tools.manners.slot(ARXIV, spacing=ARXIV_SPACING + _TRAVEL):
        try:
            yield
        except FetchError as err:
            if err.kind is OutcomeKind.BUSY and err.retry_at is None:
                err.retry_at = tools.now + IMPATIENT
            raise


def _item(result: arxiv.Result, source: str, site_url: str) -> Item | None:
    known = arxiv_id(result.entry_id)
    title = line(result.title)
    if known is None or not title:
        return None
    name, version = known
    primary = (result.primary_category,) if result.primary_category else ()
    return Item(
        id=paper_id(name),
        kind=ItemKind.PAPER,
        title=title,
        url=f"{site_url}/abs/{name}",
        text=tidy(result.summary),
        source=source,
        authors=tuple(name for name in (line(author.name) for author in result.authors) if name),
        categories=tuple(dict.fromkeys(primary + tuple(result.categories))),
        published=result.published.astimezone(UTC),
        updated=result.updated.astimezone(UTC) if (version or 1) > 1 else None,
        version=version or 1,
        comment=line(result.comment or "", limit=500),
    )


def paper_id(name: str) -> ItemId:
    return f"arxiv:{name}"
