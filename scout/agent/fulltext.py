"""An item's full text, as numbered sentences in pages. The address comes from the stored item and from nowhere else.

A paper of arXiv: its HTML, else its PDF (its abstract page says no more than is stored). Anything else: the main text of its
page, or the PDF that its address leads to. Where nothing can be had, the stored text stands in and says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from scout.agent import outside
from scout.config import Settings
from scout.identity import arxiv_id
from scout.items import Item, OutcomeKind
from scout.net.errors import FetchError
from scout.net.fetch import Response
from scout.net.manners import ARXIV, ARXIV_SPACING
from scout.sources.base import Tools
from scout.text import sentences

MAX_BYTES = 20_000_000
FETCH_SECONDS = 40.0
PAGE_CHARACTERS = 6_000
_SENTENCE = 1_500
"""A longer "sentence" is a table or a formula gone wrong, and is shown in pieces."""


class How(StrEnum):
    ARXIV_HTML = "arXiv HTML"
    PAGE = "web page"
    PDF = "PDF"
    STORED = "stored text"


@dataclass(frozen=True)
class FullText:
    item: str
    how: How
    sentences: tuple[str, ...]
    """Numbered from 1 wherever they are shown or cited."""
    note: str = ""
    """Why it is not the whole text, where it is not."""

    @cached_property
    def pages(self) -> tuple[range, ...]:
        """The numbers of the sentences on each page; never empty."""
        return tuple(_pages(self.sentences))

    @cached_property
    def text(self) -> str:
        return " ".join(self.sentences)


def read(item: Item, tools: Tools) -> FullText:
    """The full text of a stored item; never raises for what is outside."""
    troubles: list[str] = []
    for how, url in addresses(item, tools.settings):
        try:
            how, text = _fetched(how, url, tools)
        except FetchError as err:
            troubles.append(f"{how.value}: {err.message}")
            continue
        return FullText(item.id, how, split(text))
    why = "; ".join(troubles) or "the item has no address"
    return FullText(item.id, How.STORED, split(item.text), f"only the stored text could be had ({why})"[:600])


def addresses(item: Item, settings: Settings) -> list[tuple[How, str]]:
    """Where the full text of a stored item may be, the best first."""
    for name in (*(id for id in (item.id, *item.aliases) if id.startswith("arxiv:")), item.url):
        if (paper := arxiv_id(name)) is not None:
            site = settings.arxiv.site_url
            return [(How.ARXIV_HTML, f"{site}/html/{paper[0]}"), (How.PDF, f"{site}/pdf/{paper[0]}")]
    return [(How.PAGE, item.url)] if item.url else []


def _fetched(how: How, url: str, tools: Tools) -> tuple[How, str]:
    if how is How.PAGE:
        with tools.manners.host(url):
            answer = _get(url, tools)
        if answer.body.startswith(b"%PDF-") or "application/pdf" in answer.content_type:
            how = How.PDF
    else:
        with tools.manners.slot(ARXIV, spacing=ARXIV_SPACING):
            answer = _get(url, tools)
    if how is How.PDF and b"%PDF-" not in answer.body[:1024]:
        raise FetchError(OutcomeKind.UNREADABLE, "what is there is no PDF")
    kind = {How.ARXIV_HTML: "arxiv-html", How.PAGE: "page", How.PDF: "pdf"}[how]
    return how, str(outside.read(kind, answer.body))


def _get(url: str, tools: Tools) -> Response:
    return tools.fetcher.get(
        url, accept="text/html, application/pdf;q=0.9", max_bytes=MAX_BYTES, deadline=FETCH_SECONDS
    )


def split(text: str) -> tuple[str, ...]:
    """The sentences of a text, none longer than a page can show."""
    return tuple(
        sentence[start : start + _SENTENCE]
        for sentence in sentences(text)
        for start in range(0, len(sentence), _SENTENCE)
    )


def _pages(parts: tuple[str, ...]) -> Iterator[range]:
    first = size = 0
    for number, sentence in enumerate(parts):
        if size and size + len(sentence) > PAGE_CHARACTERS:
            yield range(first + 1, number + 1)
            first, size = number, 0
        size += len(sentence) + 6
    yield range(first + 1, len(parts) + 1)
