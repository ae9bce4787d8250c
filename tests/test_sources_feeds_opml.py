"""Lists of feeds, in and out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout.items import SourceKind
from scout.sources.opml import OpmlError, export, parse
from scout.store.sources import SourceRow

LABS = (Path(__file__).parent / "fixtures" / "feeds" / "labs.opml").read_bytes()


def row(title: str, url: str, kind: SourceKind = SourceKind.FEED) -> SourceRow:
    return SourceRow(id=url, kind=kind, url=url, title=title, origin="user", added_at=datetime(2025, 12, 2, tzinfo=UTC))


def test_feeds_come_out_of_their_folders_each_once() -> None:
    assert parse(LABS) == [
        ("A lab & its blog", "https://lab.example/feed.xml"),
        ("Notes", "https://notes.example/atom.xml"),
        ("Loud", "https://loud.example/rss"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_other_readers_are_read(encoding: str) -> None:
    text = "<opml><body><outline text='Größe' xmlUrl='https://a.example/'/></body></opml>"
    assert parse(text.encode(encoding)) == [("Größe", "https://a.example/")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no element found"),
        (b"<html></html>", "no <opml> element"),
        (LABS[:300], "line 7"),
        (b"<!DOCTYPE o [<!ENTITY a 'lol'>]><opml><body><outline text='&a;'/></body></opml>", "entity 'a'"),
        (b"<!DOCTYPE o [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><opml/>", "entity 'x'"),
        (b"<?xml version='1.0' encoding='nonsense'?><opml/>", "no OPML"),
        (b"<opml>" + b" " * 10_000_001, "larger than"),
    ],
)
def test_what_cannot_be_read_says_where(data: bytes, reason: str) -> None:
    with pytest.raises(OpmlError, match=reason):
        parse(data)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_raises_but_an_opml_error(data: bytes) -> None:
    with suppress(OpmlError):
        assert isinstance(parse(data), list)


def test_what_is_written_is_read_again() -> None:
    rows = [row('Tom & "Jerry" <b>', "https://a.example/?x=1&y=2"), row("", "https://b.example/feed")]
    papers = row("arXiv", "https://rss.arxiv.org/rss/cs.LG", SourceKind.ARXIV)
    assert parse(export([*rows, papers])) == [
        ('Tom & "Jerry"', "https://a.example/?x=1&y=2"),
        ("https://b.example/feed", "https://b.example/feed"),
    ]
