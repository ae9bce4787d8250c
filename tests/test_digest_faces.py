"""What a digest looks like in each face, and that text from outside stays text in all of them."""

from __future__ import annotations

import html as entities
import re
from xml.etree import ElementTree

import feedparser
import pytest
from bs4 import BeautifulSoup
from digest_samples import digest, empty, entry
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from scout.digest import wording
from scout.digest.faces import Face, render
from scout.digest.markdown import escape
from scout.items import Contribution, Lane, Point, Summary

ATOM = "{http://www.w3.org/2005/Atom}"

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://tracker.example/p.png)",
    "# Heading",
    "- item",
    "1. first",
    "a | b | c",
    "`code` ``` fence",
    "*bold* __under__ ~~struck~~",
    "&lt;b&gt; &amp; &#x3c;",
    "back\\slash \\",
    "]]> --> {{ 7*7 }} {% raw %}",
    '" onmouseover="alert(1)',
    "<https://evil.example>",
    "===",
    "> quoted",
    "+ 1",
    "[ref]: https://evil.example",
]


def commonmark() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_a_hostile_text_as_it_is(text):
    plain = text if "slash" not in text else "backslash"  # which is TeX
    assert wording.shown(text) == plain
    page = soup(commonmark().render(escape(wording.shown(text))))
    assert page.get_text().strip() == plain
    assert [tag.name for tag in page.find_all()] == ["p"]


@settings(max_examples=300)
@given(st.text(st.sampled_from("ab1. \\`*_[]()<>#+-=!|~&;:/$@\"'{}^\t\n"), max_size=40) | st.text(max_size=30))
def test_markdown_shows_any_text_as_it_is(text):
    plain = wording.shown(text)
    page = soup(commonmark().render(escape(plain)))
    assert page.get_text().strip() == plain
    assert {tag.name for tag in page.find_all()} <= {"p"}


@settings(max_examples=150)
@given(st.text(st.sampled_from("ab1.  -+#=>*~|"), min_size=90, max_size=400))
def test_a_line_that_wrapping_makes_begins_no_list_heading_or_quote(text):
    plain = " ".join(text.split())
    made = render(digest(entry(summary=Summary("x", plain, (), "extractive"), why=())), Face.MARKDOWN)
    page = soup(commonmark().render(made))
    assert [tag.name for tag in page.find_all(["h1", "h2", "h3", "ol", "ul", "blockquote", "hr"])] == ["h1", "h2", "ol"]


def test_markdown_links_its_titles_and_nothing_else():
    made = render(digest(*(entry(place, title=text) for place, text in enumerate(HOSTILE, 1))), Face.MARKDOWN)
    page = soup(commonmark().render(made))
    assert [link["href"] for link in page.find_all("a")] == [
        f"https://arxiv.org/abs/2512.{place:05d}" for place in range(1, len(HOSTILE) + 1)
    ]
    assert not page.find_all(["script", "img", "table", "pre"])
    assert [int(listed.get("start", 1)) for listed in page.find_all("ol")] == [1]


def test_markdown_reads_well_as_it_stands():
    made = render(digest(), Face.MARKDOWN)
    assert made.startswith(
        "# Digest of Tuesday, 2 December 2025\n\n1 item to read, 1 unsure, 1 by chance; 60 new items"
    )
    assert "1. **[Paper 1](https://arxiv.org/abs/2512.00001)** · 83%\n" in made
    assert "Ada Lovelace, Alan Turing · arXiv · 2 Dec 2025" in made
    assert "*by chance, 1 in 40*" in made
    assert "> Note: 1 source failed: Example Lab" in made
    assert "## Unsure" in made
    assert "- [Qwen/Qwen3-8B](https://huggingface.co/Qwen/Qwen3-8B) · 1 Dec 2025" in made
    assert "3 to read did not fit under the caps" in made


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "", "https://", "//evil.example", "http://[x"]
)
def test_only_web_addresses_become_links(url):
    one = digest(entry(url=url))
    assert not soup(render(one, Face.HTML)).select("h3 a")
    assert "](" not in render(one, Face.MARKDOWN)
    assert "<link" not in render(one, Face.ATOM)


@pytest.mark.parametrize(
    "url", ['https://a.example/"onclick=x', "https://a.example/a b>c<d", "https://a.example/x)y(z"]
)
def test_an_address_cannot_end_its_attribute(url):
    one = digest(entry(url=url))
    for page in (soup(render(one, Face.HTML)), soup(commonmark().render(render(one, Face.MARKDOWN)))):
        [link] = [link for link in page.find_all("a") if "a.example" in link["href"]]
        assert set(link.attrs) <= {"href", "rel"}
        assert not set(link["href"]) & set('"<> ')


def test_html_is_one_self_contained_page_without_script():
    page = soup(render(digest(), Face.HTML))
    assert not page.find_all(["script", "img", "iframe", "link", "form", "object", "base"])
    assert "prefers-color-scheme: dark" in page.style.string
    assert "url(" not in page.style.string
    assert "@import" not in page.style.string
    outward = [link for link in page.find_all("a") if not link["href"].startswith("#")]
    assert len(outward) == 4
    assert all(link["rel"] == ["noopener", "noreferrer", "nofollow"] for link in outward)
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(set(ids)) == len(ids)
    assert {link["href"][1:] for link in page.select("nav a")} <= set(ids)


@pytest.mark.parametrize("text", HOSTILE)
def test_html_shows_a_hostile_text_as_it_is_wherever_it_comes(text):
    spoiled = entry(
        title=text, authors=(text,), why=(Contribution(text, 1.0),), source=text,
        summary=Summary("x", text, (Point(text, (1,)),), "extractive"),
    )  # fmt: skip
    page = soup(render(digest(spoiled, note=text, policy=text), Face.HTML))
    plain = soup(render(digest(entry(), note="n"), Face.HTML))
    assert [tag.name for tag in page.find_all(["script", "img", "b", "a", "table"])] == [
        tag.name for tag in plain.find_all(["script", "img", "b", "a", "table"])
    ]
    assert page.h3.a.get_text() == wording.shown(text)
    assert not [tag for tag in page.find_all() for name in tag.attrs if name.startswith("on")]


def test_invisible_characters_are_gone_from_every_face_for_people():
    spoiled = digest(entry(title="safe\u202eexe.txt\u200b\x07", authors=("A\u2066da",)), note="x\u202ey")
    for face in (Face.MARKDOWN, Face.HTML, Face.ATOM):
        made = render(spoiled, face)
        assert "safeexe.txt" in made
        assert not {"\u202e", "\u2066", "\u200b", "\x07"} & set(entities.unescape(made))


def test_tex_is_readable_for_people_and_kept_as_data():
    one = digest(entry(title=r"$\alpha$-divergence and \emph{more}", summary=Summary("x", r"It is $\beta$.", (), "m")))
    for face in (Face.MARKDOWN, Face.HTML, Face.ATOM):
        made = render(one, face)
        assert "α-divergence and more" in made
        assert "It is β." in made
    assert r"$\\alpha$-divergence" in render(one, Face.JSON)


def test_atom_is_valid_in_a_feed_reader():
    spoiled = [entry(place, title=text, authors=(text,)) for place, text in enumerate(HOSTILE, 1)]
    made = render(digest(*spoiled, entry(90, published=None, authors=(), url="", id="guid:lab:ü 1#2")), Face.ATOM)
    parsed = feedparser.parse(made.encode())
    assert parsed.bozo == 0
    assert parsed.version == "atom10"
    titles = [one.findtext(f"{ATOM}title") for one in ElementTree.fromstring(made).findall(f"{ATOM}entry")]
    assert titles[:-1] == [wording.shown(text) for text in HOSTILE]
    assert {one.title_detail.type for one in parsed.entries} == {"text/plain"}
    ids = [one.id for one in parsed.entries]
    assert len(set(ids)) == len(HOSTILE) + 1
    assert all(re.fullmatch(r"tag:[a-z.-]+,\d{4}:[\w:/.%-]+", id) for id in [*ids, parsed.feed.id])
    assert parsed.feed.title == "Digest of Tuesday, 2 December 2025"


def test_atom_has_every_element_that_the_standard_asks_for():
    root = ElementTree.fromstring(render(digest(), Face.ATOM))
    assert all(root.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated"))
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    entries = root.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}title") for one in entries] == ["Paper 1", "Paper 2", "Paper 3"]
    for one in entries:
        assert all(one.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated", "published"))
        content = one.find(f"{ATOM}content")
        assert content is not None
        assert content.get("type") == "html"
        assert "It matters. [2]" in soup(content.text or "").get_text()


def test_an_items_atom_id_does_not_depend_on_the_day():
    first = feedparser.parse(render(digest(entry(1)), Face.ATOM).encode()).entries[0].id
    later = feedparser.parse(render(digest(entry(1, position=7, probability=0.5)), Face.ATOM).encode()).entries[0].id
    assert first == later


@pytest.mark.parametrize(
    ("counts", "told", "advice"),
    [
        ({}, "Nothing new since your last digest.", "sources add"),
        ({"considered": 9}, "Of 9 new items, none was likely enough", "rate them"),
        ({"considered": 9, "undecided": 9}, "9 new items waited for triage.", "scout run"),
        ({"sources_failed": 3}, "some sources failed", "sources check"),
        ({"sources_quiet": 1}, "Nothing was announced", "next announcement"),
        ({"sources_unpolled": 3}, "No source has been read yet.", "scout run"),
    ],
)
def test_an_empty_digest_says_why_and_what_to_do(counts, told, advice):
    made = empty(**counts)
    for face in (Face.MARKDOWN, Face.HTML, Face.ATOM):
        text = soup(render(made, face)).get_text() if face is Face.HTML else render(made, face)
        assert told in text
        assert advice in text
    assert feedparser.parse(render(made, Face.ATOM).encode()).bozo == 0


def test_a_percentage_is_never_a_certainty_and_chance_is_told():
    assert [wording.percent(p) for p in (0.0, 0.004, 0.5, 0.999, 1.0)] == ["1%", "1%", "50%", "99%", "99%"]
    assert wording.by_chance(entry(lane=Lane.SKIP, propensity=2 / 80)) == "1 in 40"


def test_a_long_list_of_authors_is_cut_short():
    assert wording.byline([f"A{n}" for n in range(5)]) == "A0, A1, A2, A3, A4"
    assert wording.byline([f"A{n}" for n in range(40)]) == "A0, A1, A2, A3 and 36 more"


def test_there_is_no_other_face():
    with pytest.raises(ValueError, match="pdf"):
        render(digest(), "pdf")
    assert {face.value for face in Face} == {"md", "html", "json", "atom"}
    assert Face.ATOM.content_type.startswith("application/atom+xml")
