"""Look something up outside, once, because a person asked: the feed of a site, papers by their ids."""

from __future__ import annotations

from collections.abc import Sequence

from scout.config import Settings
from scout.items import Item, ItemId
from scout.sources import arxiv, discover, known_sites
from scout.sources.tools import open_tools


def feed_at(settings: Settings, url: str) -> discover.Found:
    """The feed that an address is, names or has in a usual place.

    Raises:
        FetchError: there is none, or the address cannot be read.
    """
    with open_tools(settings) as tools:
        address = known_sites.feed_of(url, github=settings.github.url) or url
        return discover.find_feed(address, tools.fetcher, tools.parser)


def papers(settings: Settings, ids: Sequence[ItemId]) -> list[Item]:
    """arXiv papers by their ids, as old news; ids that arXiv does not know are left out.

    Raises:
        FetchError: arXiv cannot be read now.
    """
    with open_tools(settings) as tools:
        return arxiv.papers(ids, tools)
