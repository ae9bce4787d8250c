"""Polling a feed: what it makes of answers, what it remembers, and what it asks the next time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from net_server import Site, serving

from scout.config import Net, Settings
from scout.items import ItemKind, OutcomeKind, SourceKind
from scout.net.fetch import Fetcher
from scout.net.manners import Manners
from scout.sources import feeds
from scout.sources.base import Poll, Tools
from scout.sources.pool import ParserPool
from scout.store.sources import SourceRow

NOW = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)
FEEDS = Path(__file__).parent / "fixtures" / "feeds"
Again = Callable[[Poll], Poll]


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(Net()) as made:
        yield made


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


@pytest.fixture
def tools(pool: ParserPool) -> Tools:
    net = Net(allow_loopback=True, deadline_seconds=5)
    return Tools(
        settings=Settings(net=net), fetcher=Fetcher(net, clock=lambda: NOW), parser=pool, manners=Manners(), now=NOW
    )


def source(url: str) -> SourceRow:
    return SourceRow(id="lab", kind=SourceKind.FEED, url=url, title="", origin="user", added_at=NOW)


def rss(*items: str) -> bytes:
    return f"<rss version='2.0'><channel><title>t</title>{''.join(items)}</channel></rss>".encode()


def item(title: str, *, link: str = "", guid: str = "", date: str = "", body: str = "") -> str:
    parts = {"title": title, "link": link, "pubDate": date, "description": body}
    named = "".join(f"<{tag}>{value}</{tag}>" for tag, value in parts.items() if value)
    return f"<item>{named}<guid isPermaLink='false'>{guid}</guid></item>" if guid else f"<item>{named}</item>"


def polls(site: Site, tools: Tools, *bodies: bytes) -> list[Poll]:
    """Poll one feed again and again, each time with the state of the time before, while it changes."""
    row, found = source(site.url + "/feed"), []
    for body in bodies:
        site.answers("/feed", body=body)
        found.append(feeds.poll(row, tools))
        row = replace(row, state=found[-1].state)
    return found


# --- items


def test_entries_become_items(site: Site, tools: Tools) -> None:
    poll = feeds.poll(source(site.answers("/feed", body=(FEEDS / "rss-2.0.xml").read_bytes())), tools)
    assert (poll.outcome.kind, poll.outcome.message, poll.title) == (OutcomeKind.OK, "", "A lab & its blog")
    post, earlier, paper = poll.items
    assert post.id == f"url:{site.url.removeprefix('http://')}/posts/scaling"
    assert (post.kind, post.source, post.authors, post.categories) == (
        ItemKind.POST, "lab", ("Ada Lovelace",), ("training", "scaling"),
    )  # fmt: skip
    assert (post.published, post.backlog) == (datetime(2025, 12, 2, 8, 30, tzinfo=UTC), False)
    assert earlier.id == "url:lab.example/posts/earlier"
    assert (paper.id, paper.kind) == ("arxiv:2511.21735", ItemKind.PAPER)


def test_a_date_in_the_future_is_now(site: Site, tools: Tools) -> None:
    (poll,) = polls(site, tools, rss(item("From the future", date="Fri, 01 Jan 2999 00:00:00 GMT")))
    assert [found.published for found in poll.items] == [NOW]


def test_undated_entries_are_old_news_at_first_and_news_afterwards(site: Site, tools: Tools) -> None:
    old, new = item("Old", link="https://a.example/1"), item("New", link="https://a.example/2")
    dated = item("Dated", link="https://a.example/3", date="Mon, 01 Dec 2025 12:00:00 GMT")
    first, second = polls(site, tools, rss(old, dated), rss(new, old, dated))
    assert {found.title: found.backlog for found in first.items} == {"Old": True, "Dated": False}
    assert {found.title: (found.backlog, found.published) for found in second.items}["New"] == (False, None)


def test_a_first_poll_that_fails_leaves_the_first_one_to_come(site: Site, tools: Tools) -> None:
    failed, first = polls(site, tools, b"<html>Just a moment...</html>", rss(item("Old", link="https://a.example/1")))
    assert failed.outcome.kind is OutcomeKind.UNREADABLE
    assert [found.backlog for found in first.items] == [True]


def test_an_entry_given_twice_is_one_item_and_the_upper_one_stays(site: Site, tools: Tools) -> None:
    upper, lower = (item("Post", link="https://a.example/1", guid="1", body=body) for body in ("edited", "first"))
    (poll,) = polls(site, tools, rss(upper, item("Other", link="https://a.example/2"), lower))
    assert [(found.title, found.text) for found in poll.items] == [("Post", "edited"), ("Other", "")]


def test_what_is_left_out_is_said(site: Site, tools: Tools) -> None:
    (poll,) = polls(site, tools, rss(*[item(f"Post {n}") for n in range(1234)]))
    assert len(poll.items) == 500
    assert poll.outcome.message == "only the newest 500 entries are read; 734 older ones were left out"


# --- names that are shared


def test_one_guid_for_all_merges_nothing(site: Site, tools: Tools) -> None:
    poll = feeds.poll(source(site.answers("/feed", body=(FEEDS / "one-guid.xml").read_bytes())), tools)
    assert len({found.id for found in poll.items}) == 4
    assert all(found.aliases == () for found in poll.items)


def test_one_guid_for_all_is_noticed_where_the_feed_shows_one_entry_at_a_time(site: Site, tools: Tools) -> None:
    days = [rss(item(f"Day {n}", link=f"https://a.example/{n}", guid="daily")) for n in range(4)]
    _, second, third, fourth = polls(site, tools, *days)
    assert [found.items[0].aliases for found in (second, third, fourth)] == [(), (), ()]


def test_one_link_for_all_merges_nothing(site: Site, tools: Tools) -> None:
    entries = [item(f"Post {n}", link="https://a.example/", guid=f"g{n}") for n in range(3)]
    (poll,) = polls(site, tools, rss(*entries))
    assert len({found.id for found in poll.items}) == 3


def test_a_post_that_moves_keeps_its_name(site: Site, tools: Tools) -> None:
    before, after = (rss(item("Post", link=f"https://a.example/{slug}", guid="p1")) for slug in ("draft", "final"))
    first, second = polls(site, tools, before, after)
    assert first.items[0].id != second.items[0].id
    assert first.items[0].aliases == second.items[0].aliases != ()


def test_a_silent_edit_keeps_the_id(site: Site, tools: Tools) -> None:
    bodies = [rss(item(title, link="https://a.example/1", guid="p1", body=title)) for title in ("Titel", "Title")]
    assert {found.items[0].id for found in polls(site, tools, *bodies)} == {"url:a.example/1"}


# --- asking again


def test_the_second_poll_asks_whether_it_changed(site: Site, tools: Tools) -> None:
    headers = {"ETag": '"v1"', "Last-Modified": "Mon, 01 Dec 2025 06:00:00 GMT"}
    url = site.answers("/feed", body=rss(item("Post")), headers=headers)
    first = feeds.poll(source(url), tools)
    site.answers("/feed", 304)
    second = feeds.poll(replace(source(url), state=first.state), tools)
    assert (second.outcome.kind, second.outcome.status, second.items) == (OutcomeKind.UNCHANGED, 304, ())
    assert site.asked[1].headers["If-None-Match"] == '"v1"'
    assert site.asked[1].headers["If-Modified-Since"] == "Mon, 01 Dec 2025 06:00:00 GMT"
    assert second.state == first.state


def test_the_same_bytes_again_are_unchanged(site: Site, tools: Tools) -> None:
    _, second = polls(site, tools, rss(item("Post")), rss(item("Post")))
    assert (second.outcome.kind, second.outcome.status, second.items) == (OutcomeKind.UNCHANGED, 200, ())


def test_a_failure_forgets_nothing(site: Site, tools: Tools) -> None:
    first, broken, third = polls(site, tools, rss(item("Post")), b"<html>", rss(item("Post")))
    assert (broken.outcome.kind, broken.state) == (OutcomeKind.UNREADABLE, first.state)
    assert third.outcome.kind is OutcomeKind.UNCHANGED


def test_a_feed_that_moved_says_where_to(site: Site, tools: Tools) -> None:
    new = site.answers("/new", body=rss(item("Post")))
    moved = feeds.poll(source(site.answers("/old", 301, headers={"Location": "/new"})), tools)
    lent = feeds.poll(source(site.answers("/lent", 302, headers={"Location": "/new"})), tools)
    assert (moved.moved_to, lent.moved_to) == (new, None)


@pytest.mark.parametrize(
    ("status", "kind"), [(410, OutcomeKind.GONE), (404, OutcomeKind.HTTP_ERROR), (429, OutcomeKind.BUSY)]
)
def test_a_server_that_says_no_is_an_outcome(site: Site, tools: Tools, status: int, kind: OutcomeKind) -> None:
    poll = feeds.poll(source(site.answers("/feed", status, headers={"Retry-After": "60"})), tools)
    assert (poll.outcome.kind, poll.outcome.status, poll.items) == (kind, status, ())


def test_the_longer_of_a_servers_wishes_counts_and_is_remembered(site: Site, tools: Tools) -> None:
    body = b"<rss version='2.0'><channel><ttl>90</ttl><item><title>x</title></item></channel></rss>"
    url = site.answers("/feed", body=body, headers={"Cache-Control": "max-age=600"})
    first = feeds.poll(source(url), tools)
    again = feeds.poll(replace(source(url), state=first.state), tools)
    site.answers("/feed", body=body + b" ", headers={"Cache-Control": "max-age=7200"})
    longer = feeds.poll(replace(source(url), state=first.state), tools)
    assert [poll.hint for poll in (first, again, longer)] == [
        timedelta(minutes=90), timedelta(minutes=90), timedelta(hours=2),
    ]  # fmt: skip


def test_the_state_is_small_and_can_be_written_as_json(site: Site, tools: Tools) -> None:
    import json

    entries = [item(f"Post {n}", link=f"https://a.example/{n}", guid="g" * 900 + str(n)) for n in range(500)]
    (poll,) = polls(site, tools, rss(*entries))
    assert json.loads(json.dumps(poll.state)) == poll.state
    assert len(json.dumps(poll.state)) < 40_000
    assert poll.state["hash"] == hashlib.sha256(rss(*entries)).hexdigest()
