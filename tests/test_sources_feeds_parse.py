"""Every kind of feed, whole and broken, as plain data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scout.sources.parse import parse
from scout.sources.parsed import ParsedEntry, ParsedFeed, Unreadable, as_dict, from_dict

FEEDS = Path(__file__).parent / "fixtures" / "feeds"
BASE = "https://lab.example/feed.xml"


def read(name: str) -> ParsedFeed:
    return parse((FEEDS / name).read_bytes(), "", BASE)


def rss(items: str, head: str = "") -> bytes:
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>{head}{items}</channel></rss>".encode()


def moment(day: int, hour: int, minute: int = 0, month: int = 12) -> datetime:
    return datetime(2025, month, day, hour, minute, tzinfo=UTC)


EXPECTED = {
    "rss-0.91.xml": ParsedFeed(
        title="An old journal",
        entries=(
            ParsedEntry(title="Entities such as é and & survive", text="", link="https://old.example/one"),
            ParsedEntry(title="The second", text="With words.", link="https://old.example/two"),
        ),
    ),
    "rss-2.0.xml": ParsedFeed(
        title="A lab & its blog",
        interval=timedelta(minutes=90),
        entries=(
            ParsedEntry(
                title="Scaling laws at $10^{25}$ FLOP",
                text="The first paragraph, linked.\n\nThe second & last.",
                link="https://lab.example/posts/scaling?utm_source=rss",
                guid="lab-17",
                authors=("Ada Lovelace",),
                tags=("training", "scaling"),
                published=moment(2, 8, 30),
            ),
            ParsedEntry(
                title="An earlier post",
                text="Its GUID is its address.",
                link="https://lab.example/posts/earlier",
                guid="https://lab.example/posts/earlier",
                published=moment(1, 12),
            ),
            ParsedEntry(
                title="A paper of ours",
                text="",
                link="https://www.arxiv.org/abs/2511.21735v2",
                guid="lab-15",
                published=moment(30, 12, month=11),
            ),
        ),
    ),
    "rss-1.0.rdf": ParsedFeed(
        title="Linked data weekly",
        interval=timedelta(hours=12),
        entries=(
            ParsedEntry(
                title="Issue seven",
                text="Graphs again.",
                link="https://rdf.example/7",
                guid="https://rdf.example/7",
                authors=("T. Berners",),
                published=moment(1, 8),
                updated=moment(1, 8),
            ),
        ),
    ),
    "atom.xml": ParsedFeed(
        title="Notes & queries",
        published=moment(2, 10),
        entries=(
            ParsedEntry(
                title="When p<q and q>r",
                text="Rings are everywhere.\n\nSo are ideals.",
                link="https://notes.example/1",
                guid="tag:notes.example,2025:1",
                authors=("Emmy Noether", "David Hilbert"),
                tags=("algebra",),
                published=moment(2, 1, 30),
                updated=moment(2, 10),
            ),
            ParsedEntry(
                title="Only updated",
                text="Escaped markup.",
                link="https://notes.example/2",
                guid="tag:notes.example,2025:2",
                published=moment(30, 10, month=11),
                updated=moment(30, 10, month=11),
            ),
        ),
    ),
    "feed.json": ParsedFeed(
        title="A feed in JSON",
        entries=(
            ParsedEntry(
                title="Forty-two <strong> & more",
                text="Hello, world.",
                link="https://json.example/posts/forty-two",
                guid="42",
                authors=("Deep Thought",),
                tags=("answers",),
                published=moment(1, 8),
            ),
            ParsedEntry(
                title="A note of a <few> words.",
                text="A note of a <few> words.",
                guid="no-title",
                authors=("The editors",),
            ),
        ),
    ),
    "bare.xml": ParsedFeed(
        title="Bare",
        entries=(
            ParsedEntry(title="Only a title", text=""),
            ParsedEntry(title="Only a body.", text="Only a body."),
            ParsedEntry(title="https://bare.example/only-a-link", text="", link="https://bare.example/only-a-link"),
            ParsedEntry(title="Only a name", text="", guid="not-an-address"),
        ),
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_kind_of_feed_is_read(name: str) -> None:
    assert read(name) == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_what_was_read_survives_the_way_between_processes(name: str) -> None:
    assert from_dict(as_dict(EXPECTED[name])) == EXPECTED[name]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"<!doctype html><html><body>Just a moment...</body></html>", "web page"),
        (b"\0" * 4096, "damaged"),
        (b"hello", "damaged|neither"),
        (b"<?xml version='1.0'?><sitemap><url>x</url></sitemap>", "neither"),
        (b"{}", "no JSON Feed"),
        (b'{"version": 1, "items": []}', "no JSON Feed"),
        (b"{" * 100_000, "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"<rss version='2.0'><channel><title>t", "damaged"),
    ],
)
def test_what_is_no_feed_says_what_it_is(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse(data, "text/html", BASE)


def test_a_feed_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    whole = rss("<item><title>One</title></item><item><title>Two</title></item><item><title>Three</title></item>")
    assert [entry.title for entry in parse(whole[: whole.index(b"Three")], "", BASE).entries] == ["One", "Two"]


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parse(rss(""), "", BASE).entries == ()


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "header"),
    [
        ("naïve", "utf-8", "utf-8", "application/rss+xml"),
        ("naïve", "utf-8", "utf-8", "text/xml"),
        ("naïve", "utf-8", "utf-8", "text/xml; charset=iso-8859-1"),
        ("naïve", "utf-8", "utf-16", "application/rss+xml; charset=ascii"),
        ("naïve", "latin-1", "iso-8859-1", "application/rss+xml"),
        ("naïve", "latin-1", "utf-16", "application/rss+xml; charset=ascii"),
        ("naïve", "utf-16", "utf-16", "application/rss+xml"),
        ("Привет", "windows-1251", "windows-1251", "application/rss+xml"),
        ("Привет", "windows-1251", "utf-8", "application/rss+xml; charset=windows-1251"),
        ("日本語", "iso-2022-jp", "iso-2022-jp", "application/rss+xml"),
    ],
)
def test_letters_arrive_whatever_a_server_says_of_them(text: str, encoding: str, declared: str, header: str) -> None:
    items = f"<channel><item><title>{text}</title></item></channel>"
    document = f"<?xml version='1.0' encoding='{declared}'?><rss version='2.0'>{items}</rss>"
    assert [entry.title for entry in parse(document.encode(encoding), header, BASE).entries] == [text]


def test_a_file_is_never_opened_however_the_answer_reads(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_bytes(rss("<item><title>secret</title></item>"))
    with pytest.raises(Unreadable):
        parse(str(secret).encode(), "", BASE)
    entity = f"<!DOCTYPE rss [<!ENTITY x SYSTEM 'file://{secret}'>]>".encode()
    document = entity + rss("<item><title>a&x;b</title></item>").replace(b"<?xml version='1.0'?>", b"")
    assert "secret" not in str(parse(document, "", BASE))


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "mailto:a@b.example", "https://",
        "https://user:word@lab.example/", "http://[::1", "https://lab.example/" + "x" * 3000,
    ],
)  # fmt: skip
def test_links_that_are_no_web_address_are_dropped(link: str) -> None:
    (entry,) = parse(rss(f"<item><title>t</title><link>{link}</link></item>"), "", BASE).entries
    assert entry.link is None


def test_no_markup_and_no_unseen_characters_are_left() -> None:
    title = "&lt;img src=x onerror=alert(1)&gt;\u202eTitle"
    body = "&lt;script&gt;alert(1)&lt;/script&gt;Text\u200b"
    item = f"<item><title>{title}</title><description>{body}</description></item>"
    (entry,) = parse(rss(item), "", BASE).entries
    assert (entry.title, entry.text) == ("Title", "Text")


def test_the_first_500_entries_are_read_and_the_others_counted() -> None:
    items = "".join(f"<item><title>Post {n}</title></item>" for n in range(3000))
    found = parse(rss(items), "", BASE)
    assert (len(found.entries), found.left_out) == (500, 2500)
    assert found.entries[-1].title == "Post 499"
    assert parse(rss(items), "", BASE, limit=3000).left_out == 0


@pytest.mark.parametrize(("first", "last", "kept"), [(2, 1, range(5)), (1, 2, range(15, 20)), (1, 1, range(5))])
@pytest.mark.parametrize(
    "date", ["<pubDate>Mon, 0{} Dec 2025 12:00:00 GMT</pubDate>", "<dc:date>2025-12-0{}</dc:date>"]
)
def test_where_a_feed_has_its_newest_last_those_are_kept(date: str, first: int, last: int, kept: range) -> None:
    dates = [date.format(first)] * 10 + [date.format(last)] * 10
    items = "".join(f"<item><title>{n}</title>{dates[n]}</item>" for n in range(20))
    found = parse(rss(items), "", BASE, limit=5)
    assert [entry.title for entry in found.entries] == [str(n) for n in kept]
    assert found.left_out == 15


@pytest.mark.parametrize(
    "document",
    [
        b"<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title>%s</feed>"
        % (b"<entry><title>e</title></entry>" * 20),
        b"<atom:feed xmlns:atom='http://www.w3.org/2005/Atom'>%s</atom:feed>"
        % (b"<atom:entry><atom:title>e</atom:title></atom:entry>" * 20),
        b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>%s</rdf:RDF>"
        % (b"<item><title>e</title></item>" * 20),
    ],
    ids=["atom", "atom with a prefix", "rdf"],
)
def test_cutting_short_works_in_every_format(document: bytes) -> None:
    found = parse(document, "", BASE, limit=5)
    assert ([entry.title for entry in found.entries], found.left_out) == (["e"] * 5, 15)


def test_long_texts_are_cut() -> None:
    item = f"<item><title>{'T' * 100_000}</title><description>{'word ' * 100_000}</description></item>"
    (entry,) = parse(rss(item), "", BASE).entries
    assert (len(entry.title), len(entry.text)) == (500, 19_999)


def test_a_date_that_is_the_zero_of_a_calendar_is_no_date() -> None:
    dates = ("Thu, 01 Jan 1970 00:00:00 GMT", "0001-01-01T00:00:00Z", "yesterday-ish", "")
    items = "".join(f"<item><title>t</title><pubDate>{date}</pubDate></item>" for date in dates)
    assert {entry.published for entry in parse(rss(items), "", BASE).entries} == {None}


@pytest.mark.parametrize(
    ("head", "interval"),
    [
        ("<ttl>60</ttl>", timedelta(hours=1)), ("<ttl>0</ttl>", None), ("<ttl>soon</ttl>", None), ("", None),
        ("<ttl>-5</ttl>", None), ("<ttl>99999999999999999</ttl>", None),
    ],
)  # fmt: skip
def test_how_often_a_feed_is_worth_asking(head: str, interval: timedelta | None) -> None:
    assert parse(rss("", head), "", BASE).interval == interval
