"""Finding a site's feed from whatever address a person has at hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from net_server import Site, serving

from scout.config import Net
from scout.items import OutcomeKind
from scout.net.fetch import Fetcher, FetchError, Refused
from scout.sources.discover import Found, announced, find_feed
from scout.sources.pool import ParserPool

FEED = b"<rss version='2.0'><channel><title>A lab</title><item><title>Post</title></item></channel></rss>"


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(Net()) as made:
        yield made


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


def find(url: str, pool: ParserPool) -> Found:
    return find_feed(url, Fetcher(Net(allow_loopback=True, deadline_seconds=5)), pool)


def serve_all_but_missing(site: Site) -> None:
    class Routes(dict[str, object]):
        def __missing__(self, path: str) -> object:
            return lambda handler: handler.reply(404)

    site.routes = Routes(site.routes)  # type: ignore[assignment]


def test_an_address_that_is_a_feed_is_the_feed(site: Site, pool: ParserPool) -> None:
    url = site.answers("/feed.xml", body=FEED)
    assert find(url, pool) == Found(url, "A lab")
    assert len(site.asked) == 1


def test_a_json_feed_is_a_feed(site: Site, pool: ParserPool) -> None:
    body = b'{"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": []}'
    assert find(site.answers("/feed", body=body), pool).title == "J"


def test_a_feed_that_moved_for_good_is_taken_where_it_is_now(site: Site, pool: ParserPool) -> None:
    new = site.answers("/new", body=FEED)
    assert find(site.answers("/old", 301, headers={"Location": "/new"}), pool).url == new


def test_a_page_names_its_feed(site: Site, pool: ParserPool) -> None:
    page = b"<html><head><link rel=alternate type='application/rss+xml' href='/blog/rss'></head></html>"
    site.answers("/", body=page)
    site.answers("/blog/rss", body=FEED)
    assert find(f"{site.url}/", pool) == Found(f"{site.url}/blog/rss", "A lab")


def test_a_page_that_names_none_has_it_where_feeds_usually_are(site: Site, pool: ParserPool) -> None:
    site.answers("/blog", body=b"<html><body>no feed named here</body></html>")
    site.answers("/blog/feed.xml", body=FEED)
    serve_all_but_missing(site)
    assert find(f"{site.url}/blog", pool).url == f"{site.url}/blog/feed.xml"


def test_a_page_whose_announced_feed_is_dead_is_searched_on(site: Site, pool: ParserPool) -> None:
    page = b"<link rel='alternate' type='application/atom+xml' href='/dead'>"
    site.answers("/", body=page)
    site.answers("/atom.xml", body=FEED)
    serve_all_but_missing(site)
    assert find(site.url, pool).url == f"{site.url}/atom.xml"


def test_a_site_without_a_feed_says_so(site: Site, pool: ParserPool) -> None:
    site.answers("/", body=b"<html></html>")
    serve_all_but_missing(site)
    with pytest.raises(FetchError, match="give the feed's own address") as caught:
        find(f"{site.url}/", pool)
    assert caught.value.kind is OutcomeKind.UNREADABLE


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://u:p@example.org/", "http://10.0.0.1/feed", "", "https://"]
)
def test_what_is_not_asked_is_not_searched(url: str, pool: ParserPool) -> None:
    with pytest.raises(Refused):
        find(url, pool)


def test_a_page_cannot_send_the_search_to_private_addresses(site: Site, pool: ParserPool) -> None:
    tag = "<link rel=alternate type=application/rss+xml href='{}'>"
    page = "".join(tag.format(url) for url in ("http://169.254.169.254/feed", "file:///etc/passwd", "/feed"))
    site.answers("/", body=page.encode())
    site.answers("/feed", body=FEED)
    assert find(f"{site.url}/", pool).url == f"{site.url}/feed"


def test_only_alternates_of_feed_types_are_feeds_and_comments_come_last() -> None:
    page = """
        <link rel="stylesheet" href="/style.css" type="text/css">
        <link rel="alternate" hreflang="de" href="/de">
        <LINK REL='alternate' TYPE='application/rss+xml' TITLE='Comments on us' HREF='/comments/feed'>
        <link href="/feed?a=1&amp;b=2" type="application/rss+xml; charset=utf-8" rel="alternate home">
        <link rel="alternate" type="application/atom+xml" href="javascript:alert(1)">
        <link rel="alternate" type="application/feed+json" href="//cdn.example/feed.json">
    """
    assert announced(page, "https://lab.example/blog/") == [
        "https://lab.example/feed?a=1&b=2",
        "https://cdn.example/feed.json",
        "https://lab.example/comments/feed",
    ]
