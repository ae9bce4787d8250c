"""The processes that read feeds: none of what they are given gets out, takes long, or takes the others down."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from letter_samples import letter

from scout.config import Net
from scout.items import OutcomeKind
from scout.net.errors import FetchError
from scout.sources.letters import read
from scout.sources.parse import parse
from scout.sources.pool import ParserPool

FEED = (Path(__file__).parent / "fixtures" / "feeds" / "rss-2.0.xml").read_bytes()
BASE = "https://lab.example/feed.xml"
SLOW = b"<rss version='2.0'><channel><item><title>x</title>%s</item></channel></rss>" % b"".join(
    b"<category>%d</category>" % n for n in range(100_000)
)
"""Each category is compared with all before it: minutes."""


@pytest.fixture
def pool() -> Iterator[ParserPool]:
    with ParserPool(Net(parse_seconds=60, parse_megabytes=120)) as made:
        yield made


def fails(pool: ParserPool, data: bytes) -> FetchError:
    with pytest.raises(FetchError) as caught:
        pool.parse(data, "", BASE)
    return caught.value


def children() -> set[psutil.Process]:
    return {child for child in psutil.Process().children() if "scout.sources.worker" in child.cmdline()}


def test_a_feed_comes_back_as_if_read_here(pool: ParserPool) -> None:
    assert pool.parse(FEED, "application/rss+xml", BASE) == parse(FEED, "application/rss+xml", BASE)


def test_a_mail_comes_back_as_if_read_here_and_a_damaged_one_is_an_outcome(pool: ParserPool) -> None:
    assert pool.letter(letter()) == read(letter())
    with pytest.raises(FetchError, match="neither subject nor text") as caught:
        pool.letter(b"List-Id: <x>\n\n")
    assert caught.value.kind is OutcomeKind.UNREADABLE


def test_a_slow_feed_is_given_up_and_the_next_one_is_read() -> None:
    with ParserPool(Net(parse_seconds=2)) as pool:
        err = fails(pool, SLOW)
        assert (err.kind, "2 s" in err.message) == (OutcomeKind.TOO_SLOW, True)
        assert len(pool.parse(FEED, "", BASE).entries) == 3


def test_a_feed_that_needs_much_memory_is_given_up_and_the_next_one_is_read() -> None:
    with ParserPool(Net(parse_seconds=60, parse_megabytes=120)) as pool:
        wide = b"<rss version='2.0'><channel>" + b"<item><title>%s</title></item>" % (b"T" * 40_000_000)
        err = fails(pool, wide)
        assert (err.kind, "120 MB" in err.message) == (OutcomeKind.TOO_LARGE, True)
        assert len(pool.parse(FEED, "", BASE).entries) == 3


def test_what_is_no_feed_is_unreadable(pool: ParserPool) -> None:
    err = fails(pool, b"<html>Just a moment...</html>")
    assert (err.kind, "web page" in err.message) == (OutcomeKind.UNREADABLE, True)


def test_a_process_that_was_ended_is_replaced(pool: ParserPool) -> None:
    before = children()
    pool.warm()
    for child in children() - before:
        child.kill()
        child.wait(timeout=10)
    assert len(pool.parse(FEED, "", BASE).entries) == 3


def test_feeds_in_many_threads_share_two_processes(pool: ParserPool) -> None:
    before, found = children(), []
    threads = [threading.Thread(target=lambda: found.append(pool.parse(FEED, "", BASE))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(children() - before) <= 2


def test_closing_ends_the_processes(pool: ParserPool) -> None:
    before = children()
    pool.warm()
    started = children() - before
    assert len(started) == 2
    pool.close()
    assert not any(child.is_running() for child in started)


def test_a_process_imports_only_what_reading_needs() -> None:
    code = "import sys, json, scout.sources.worker; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout))
    heavy = {
        "httpx",
        "pydantic",
        "scipy",
        "numpy",
        "streamlit",
        "requests",
        "sqlite_utils",
        "scout.config",
        "scout.store",
    }
    assert not heavy & loaded
