"""Repositories' releases, channels' videos and episodes with transcripts, through the path of all feeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_help import scout
from net_server import Site, serving

from scout.config import Net, Settings
from scout.items import Item, OutcomeKind, SourceKind
from scout.net.fetch import Fetcher
from scout.net.manners import Manners
from scout.sources import feeds, transcripts
from scout.sources.base import Poll, Tools
from scout.sources.known_sites import feed_of, titled
from scout.sources.pool import ParserPool
from scout.store.sources import SourceRow

NOW = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)
FEEDS = Path(__file__).parent / "fixtures" / "feeds"
GITHUB = "https://github.com"
CHANNEL = "UCaaaaaaaaaaaaaaaaaaaaaa"
VIDEOS = f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}"
VTT = b"""WEBVTT

NOTE made by hand
for this test

1
00:00:00.000 --> 00:00:02.000 align:start
<v Ada>Welcome to the show.

2
00:00:02.000 --> 00:00:04.000
We speak of <i>tiles</i>.
"""


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    net = Net(allow_loopback=True, deadline_seconds=20, parse_seconds=20)
    with ParserPool(net) as pool:
        fetcher = Fetcher(net, clock=lambda: NOW)
        yield Tools(settings=Settings(net=net), fetcher=fetcher, parser=pool, manners=Manners(), now=NOW)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


def polled(url: str, tools: Tools, state: dict[str, object] | None = None) -> Poll:
    row = SourceRow(id="lab", kind=SourceKind.FEED, url=url, title="", origin="user", added_at=NOW)
    return feeds.poll(replace(row, state=state or {}), tools)


@pytest.mark.parametrize(
    ("address", "feed"),
    [
        ("https://github.com/o/r", f"{GITHUB}/o/r/releases.atom"),
        ("github.com/o/r.git", f"{GITHUB}/o/r/releases.atom"),
        ("https://www.github.com/o/r/releases/", f"{GITHUB}/o/r/releases.atom"),
        ("https://github.com/o/r/releases/tag/v1", f"{GITHUB}/o/r/releases.atom"),
        ("https://github.com/o/r/releases.atom", f"{GITHUB}/o/r/releases.atom"),
        ("https://github.com/o/r/issues", None),
        ("https://github.com/o", None),
        ("https://github.com/topics/agents", None),
        ("https://github.com/o/..", None),
        ("https://github.com.example.org/o/r", None),
        (f"https://www.youtube.com/channel/{CHANNEL}/videos", VIDEOS),
        (f"m.youtube.com/channel/{CHANNEL}", VIDEOS),
        (CHANNEL, VIDEOS),
        (
            "https://youtube.com/playlist?list=PLabcdefghijk",
            "https://www.youtube.com/feeds/videos.xml?playlist_id=PLabcdefghijk",
        ),
        ("https://www.youtube.com/@lab", None),
        ("https://www.youtube.com/watch?v=abcdefghijk", None),
        ("https://example.org/blog", None),
        ("https://[half", None),
    ],
)
def test_addresses_of_known_sites_lead_to_their_feeds(address: str, feed: str | None) -> None:
    assert feed_of(address, github=GITHUB) == feed


def test_a_mirror_of_github_is_github_too() -> None:
    mirror = "http://127.0.0.1:9/github"
    assert feed_of(f"{mirror}/o/r", github=mirror) == f"{mirror}/o/r/releases.atom"
    assert feed_of("http://127.0.0.1:9/blog/o/r", github=mirror) is None


def test_a_release_is_titled_by_what_was_released() -> None:
    feed = "https://github.com/example/engine/releases.atom"
    assert titled("v2.0.0", feed) == "example/engine v2.0.0"
    assert titled("Engine 1.9", feed) == "Engine 1.9"
    assert titled("v2.0.0", "https://example.org/feed.xml") == "v2.0.0"


def test_a_repositorys_releases_become_items(site: Site, tools: Tools) -> None:
    url = site.answers("/example/engine/releases.atom", body=(FEEDS / "github-releases.atom").read_bytes())
    poll = polled(url, tools)
    assert [item.title for item in poll.items] == ["example/engine v2.0.0", "Engine 1.9"]
    assert "A new scheduler." in poll.items[0].text
    assert poll.items[0].url == "https://github.com/example/engine/releases/tag/v2.0.0"


def test_a_channels_videos_become_items_with_their_descriptions(site: Site, tools: Tools) -> None:
    (video,) = polled(site.answers("/v.xml", body=(FEEDS / "youtube-channel.xml").read_bytes()), tools).items
    assert (video.title, video.url) == ("How attention is made fast", "https://www.youtube.com/watch?v=abcdefghijk")
    assert video.text == "A talk on kernels, tiles and memory."
    assert video.authors == ("A lab",)


def test_add_takes_the_releases_without_a_look_where_told_to() -> None:
    result = scout("sources", "add", "--no-check", "github.com/example/engine")
    assert result.code == 0, result.err
    assert "https://github.com/example/engine/releases.atom" in result.out
    again = scout("sources", "add", "https://github.com/example/engine/releases")
    assert "already" in again.out


# --- transcripts


def episode(site: Site, number: int, path: str | None) -> str:
    named = f"<podcast:transcript url='{site.url}{path}' type='text/vtt'/>" if path else ""
    return (
        f"<item><title>Episode {number}</title><link>https://example.org/{number}</link>"
        f"<guid isPermaLink='false'>e{number}</guid><description>About {number}.</description>{named}</item>"
    )


def podcast(site: Site, *episodes: str) -> str:
    head = "<rss version='2.0' xmlns:podcast='https://podcastindex.org/namespace/1.0'><channel><title>t</title>"
    return site.answers("/pod.xml", body=f"{head}{''.join(episodes)}</channel></rss>".encode())


def asked(site: Site, path: str) -> int:
    return sum(handler.path == path for handler in site.asked)


def test_an_episodes_transcript_is_in_its_text_and_asked_for_once(site: Site, tools: Tools) -> None:
    site.answers("/1.vtt", body=VTT)
    first = polled(podcast(site, episode(site, 1, "/1.vtt")), tools)
    assert [item.text for item in first.items] == ["About 1.\n\nAda: Welcome to the show. We speak of tiles."]
    url = podcast(site, episode(site, 2, None), episode(site, 1, "/1.vtt"))
    second = polled(url, tools, dict(first.state))
    assert [item.title for item in second.items] == ["Episode 2"], "what is stored whole is not told again"
    assert asked(site, "/1.vtt") == 1


def test_an_episode_stands_without_a_transcript_that_cannot_be_had(site: Site, tools: Tools) -> None:
    site.answers("/gone.vtt", 404)
    state: dict[str, object] = {}
    for number in range(5):
        old = episode(site, 0, "/gone.vtt")
        poll = polled(podcast(site, old, *(episode(site, 10 + n, None) for n in range(number))), tools, state)
        assert poll.outcome.kind is OutcomeKind.OK
        assert poll.items[0].text == "About 0."
        state = dict(poll.state)
    assert asked(site, "/gone.vtt") == transcripts.TRIES


def test_a_transcript_inside_the_network_is_not_fetched(site: Site, tools: Tools) -> None:
    for url in ("http://10.0.0.1/t.vtt", "file:///etc/passwd", "http://169.254.169.254/latest"):
        feed = podcast(site, episode(site, 1, None).replace("</item>", f"<podcast:transcript url='{url}'/></item>"))
        (item,) = polled(feed, tools).items
        assert item.text == "About 1."


def test_only_the_newest_episodes_are_asked_for_theirs(site: Site, tools: Tools) -> None:
    for number in range(9):
        site.answers(f"/{number}.vtt", body=VTT)
    items: tuple[Item, ...] = polled(podcast(site, *(episode(site, n, f"/{n}.vtt") for n in range(9))), tools).items
    assert ["Welcome" in item.text for item in items] == [True] * transcripts.NEWEST + [False] * 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            "1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n2\n00:00:02,000 --> 00:00:03,000\nHello.\n42 is it.\n",
            "Hello. 42 is it.",
        ),
        (
            '{"version": "1.0.0", "segments": [{"speaker": "Ada", "body": "Hi"}, {"speaker": "Ada", "body": "there"}]}',
            "Ada: Hi there",
        ),
        ("Just words,\nwritten down. a <b> c", "Just words, written down. a <b> c"),
        ("<!doctype html><p>a page", ""),
        ("{broken", ""),
        ("[" * 100_000, "[" * 20_000),
        ('{"segments": [1, {"body": 2}, null]}', ""),
        ("", ""),
    ],
    ids=["srt", "json", "plain", "page", "broken json", "brackets", "odd json", "empty"],
)
def test_every_kind_of_transcript_becomes_plain_words(given: str, words: str) -> None:
    assert " ".join(transcripts.plain(given).split()) == words
