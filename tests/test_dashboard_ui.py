"""The one door for text that others wrote: nothing that comes through it is markup, a link it may not follow, or a picture."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from dashboard_store import HOSTILE_TITLE

from dashboard import ui

NOW = datetime(2025, 12, 3, 12, tzinfo=UTC)


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_hostile_title_is_text_in_html() -> None:
    assert Tags(str(ui.html("<b>{}</b>", ui.text(HOSTILE_TITLE)))).found == [("b", {})]
    assert "α" in ui.text(HOSTILE_TITLE)


def test_a_hostile_title_is_text_in_markdown() -> None:
    escaped = ui.md(HOSTILE_TITLE)
    assert not re.search(r"(?<!\\)[<>\[\]()`*_$:#]", escaped)
    assert escaped.replace("\\", "") == ui.text(HOSTILE_TITLE)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//no.scheme", "", "http://"]
)
def test_no_link_leads_to_anything_but_http(url: str) -> None:
    assert Tags(str(ui.link("a label", url))).found == []


def test_an_address_cannot_leave_its_attribute() -> None:
    (tag, attributes), *more = Tags(str(ui.link("x", 'https://example.org/" onmouseover="alert(1)'))).found
    assert (tag, more) == ("a", [])
    assert set(attributes) == {"href", "target", "rel"}
    assert attributes["rel"] == "noopener noreferrer"


def test_a_snippet_keeps_its_marks_and_nothing_else() -> None:
    marked = str(ui.marked("a \x02<script>\x03 & b", "\x02", "\x03"))
    assert marked == "a <mark>&lt;script&gt;</mark> &amp; b"


def test_values_in_a_table_are_escaped() -> None:
    tags = Tags(str(ui.table(("Name",), [("<img src=x>",)]))).found
    assert "img" not in [tag for tag, _ in tags]


def test_the_icon_is_fetched_from_nowhere() -> None:
    assert ui.icon().startswith("data:image/svg+xml,")


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (None, "never"), (NOW, "just now"), (NOW - timedelta(minutes=3), "3 min ago"), (NOW - timedelta(hours=1), "1 hour ago"),
        (NOW - timedelta(days=2), "2 days ago"), (NOW + timedelta(minutes=40), "in 40 min"), (NOW + timedelta(seconds=9), "in a moment"),
    ],
)  # fmt: skip
def test_time_is_told_in_words(moment: datetime | None, told: str) -> None:
    assert ui.ago(moment, NOW) == told


@pytest.mark.parametrize(
    ("probability", "told"),
    [
        (0.97, "very likely, 97%"),
        (0.68, "likely, 68%"),
        (0.44, "even chance, 44%"),
        (0.2, "unlikely, 20%"),
        (0.5, "even chance, 50%"),
        (0.02, "very unlikely, 2%"),
    ],
)
def test_a_probability_is_a_word_and_a_number(probability: float, told: str) -> None:
    assert ui.likelihood(probability) == told
