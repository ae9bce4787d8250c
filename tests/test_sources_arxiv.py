"""arXiv as a source: the announcement, what it remembers, and the days it fills in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from net_server import Site
from poll_tools import NOW, Clock, in_turn, site, source, tools_for

from scout.items import ItemKind, OutcomeKind, SourceKind
from scout.sources import arxiv
from scout.sources.arxiv import Memory, fill_since
from scout.sources.base import Poll, Tools

FIXTURES = Path(__file__).parent / "fixtures" / "arxiv"
ANNOUNCEMENT, NOTHING, API = (
    (FIXTURES / name).read_bytes() for name in ("announcement.xml", "no-announcement.xml", "api.xml")
)
NO_PAPERS = API[: API.index(b"<entry>")].replace(b"Results>3<", b"Results>0<") + b"</feed>"
RSS, QUERY = "/rss/cs.LG+cs.CL", "/api/query"
ANNOUNCED = datetime(2025, 12, 2, 5, 0, tzinfo=UTC)


@pytest.fixture
def arxiv_site() -> Iterator[Site]:
    with site() as found:
        found.answers(RSS, 200, ANNOUNCEMENT, {"ETag": '"one"'})
        found.answers(QUERY, 200, API)
        yield found


def poll(site: Site, state: dict[str, object] | None = None, *, tools: Tools | None = None) -> Poll:
    return arxiv.poll(source(SourceKind.ARXIV, site.url + RSS, state), tools or tools_for(site.url))


def asked(site: Site) -> list[str]:
    return [urlsplit(handler.path).path for handler in site.asked]


def test_an_announcement_becomes_papers_as_they_were_announced(arxiv_site: Site) -> None:
    found = poll(arxiv_site)
    assert found.outcome.kind is OutcomeKind.OK
    new, cross, replaced = found.items
    assert (new.id, new.kind, new.version, new.source) == ("arxiv:2512.00001", ItemKind.PAPER, 1, "arxiv")
    assert new.title == r"Counting with $\alpha$-sheep when x<y & y>z"
    assert new.text == "We count sheep. If $n<m$ then sheep sleep, and so do we. It costs 10% less."
    assert new.url == "https://arxiv.org/abs/2512.00001"
    assert (new.authors, new.categories) == (("Ada Doe", "Bo Roe", "Chloé Poe"), ("cs.LG", "stat.ML"))
    assert (new.published, new.updated, new.backlog) == (ANNOUNCED, None, False)
    assert (cross.id, cross.published, cross.backlog) == ("arxiv:2512.00002", ANNOUNCED, False)
    assert (replaced.id, replaced.version, replaced.published, replaced.backlog) == ("arxiv:2401.00003", 3, None, True)
    assert replaced.updated == ANNOUNCED


def test_an_entry_that_names_no_paper_is_counted_not_stored(arxiv_site: Site) -> None:
    found = poll(arxiv_site)
    assert len(found.items) == 3
    assert "1 entry without an arXiv id left out" in found.outcome.message


def test_the_first_poll_of_an_announced_day_needs_no_api(arxiv_site: Site) -> None:
    found = poll(arxiv_site)
    assert found.state["watermark"] == "2025-12-02"
    assert asked(arxiv_site) == [RSS]


def test_the_same_announcement_is_asked_for_conditionally_and_read_once(arxiv_site: Site) -> None:
    first = poll(arxiv_site)
    arxiv_site.answers(RSS, 304)
    second = poll(arxiv_site, dict(first.state))
    assert arxiv_site.asked[-1].headers["If-None-Match"] == '"one"'
    assert second.outcome.kind is OutcomeKind.UNCHANGED
    assert second.items == ()
    assert second.state == first.state


def test_the_same_bytes_again_are_unchanged_where_a_server_has_no_304(arxiv_site: Site) -> None:
    first = poll(arxiv_site)
    assert poll(arxiv_site, dict(first.state)).outcome.kind is OutcomeKind.UNCHANGED


def test_a_missed_working_day_is_filled_from_the_api(arxiv_site: Site) -> None:
    found = poll(arxiv_site, {"watermark": "2025-11-28"})  # Monday the 1st was not heard
    assert found.outcome.kind is OutcomeKind.OK
    assert "filled in" in found.outcome.message
    query = parse_qs(urlsplit(arxiv_site.asked[-1].path).query)["search_query"][0]
    assert query == "(cat:cs.LG OR cat:cs.CL) AND submittedDate:[202511250000 TO 202512032359]"
    missed = {item.id: item for item in found.items}["arxiv:2511.00009"]
    assert missed.title == "A paper announced while nobody listened"
    assert (missed.text, missed.comment) == ("It was missed, and is found.", "8 pages, accepted at a workshop")
    assert missed.categories == ("cs.LG", "stat.ML")
    assert missed.published == datetime(2025, 11, 28, 18, 30, tzinfo=UTC)
    assert (missed.version, missed.updated) == (2, datetime(2025, 11, 30, 10, 0, tzinfo=UTC))
    assert not missed.backlog
    assert found.state["watermark"] == "2025-12-02"


def test_what_is_announced_and_filled_counts_once_with_the_day_of_the_announcement(arxiv_site: Site) -> None:
    found = poll(arxiv_site, {"watermark": "2025-11-28"})
    twice = [item for item in found.items if item.id == "arxiv:2512.00001"]
    assert [(item.comment, item.published) for item in twice] == [("two figures", ANNOUNCED)]


def test_a_fill_that_fails_loses_nothing(arxiv_site: Site) -> None:
    arxiv_site.answers(QUERY, 500)
    first = poll(arxiv_site, {"watermark": "2025-11-28"})
    assert first.outcome.kind is OutcomeKind.OK
    assert "still missing" in first.outcome.message
    assert len(first.items) == 3
    assert first.state["watermark"] == "2025-11-28"
    arxiv_site.answers(RSS, 304)
    arxiv_site.answers(QUERY, 200, API)
    second = poll(arxiv_site, dict(first.state))
    assert "arxiv:2511.00009" in {item.id for item in second.items}
    assert second.state["watermark"] == "2025-12-02"
    assert "fill_since" not in second.state


def test_an_api_that_answers_a_web_page_is_a_failed_fill(arxiv_site: Site) -> None:
    arxiv_site.answers(QUERY, 200, b"<html><body>down for maintenance</body></html>")
    found = poll(arxiv_site, {"watermark": "2025-11-28"})
    assert "no list of papers" in found.outcome.message
    assert found.state["watermark"] == "2025-11-28"


def test_a_page_without_the_papers_it_promises_is_asked_for_again(arxiv_site: Site) -> None:
    empty = API[: API.index(b"<entry>")] + b"</feed>"
    arxiv_site.routes[QUERY] = in_turn((200, empty), (200, API))
    clock = Clock()
    found = poll(arxiv_site, {"watermark": "2025-11-28"}, tools=tools_for(arxiv_site.url, clock))
    assert "arxiv:2511.00009" in {item.id for item in found.items}
    assert asked(arxiv_site) == [RSS, QUERY, QUERY]


def test_requests_to_arxiv_start_three_seconds_apart(arxiv_site: Site) -> None:
    clock = Clock()
    poll(arxiv_site, {"watermark": "2025-11-28"}, tools=tools_for(arxiv_site.url, clock))
    assert len(arxiv_site.asked) == 2
    assert 3.0 <= sum(clock.slept) < 3.5


def test_a_day_without_announcement_is_no_fault(arxiv_site: Site) -> None:
    arxiv_site.answers(RSS, 200, NOTHING)
    found = poll(arxiv_site, {"watermark": "2025-12-05"})
    assert found.outcome.kind is OutcomeKind.NO_ANNOUNCEMENT
    assert found.outcome.message == "no announcement on 2025-12-06"
    assert asked(arxiv_site) == [RSS]
    again = poll(arxiv_site, dict(found.state))
    assert again.outcome.kind is OutcomeKind.NO_ANNOUNCEMENT


def test_the_very_first_poll_on_an_empty_day_fills_the_days_before(arxiv_site: Site) -> None:
    arxiv_site.answers(RSS, 200, NOTHING)
    found = poll(arxiv_site)
    assert found.outcome.kind is OutcomeKind.OK
    assert "arxiv:2511.00009" in {item.id for item in found.items}
    assert "submittedDate%3A%5B202512030000" in arxiv_site.asked[-1].path
    assert found.state["watermark"] == "2025-12-05"


def test_patience_that_arxiv_asks_for_is_kept(arxiv_site: Site) -> None:
    arxiv_site.answers(RSS, 429, headers={"Retry-After": "600"})
    clock = Clock(datetime.now(UTC))
    tools = tools_for(arxiv_site.url, clock)
    first = poll(arxiv_site, tools=tools)
    assert first.outcome.kind is OutcomeKind.BUSY
    second = poll(arxiv_site, tools=tools)
    assert second.outcome.kind is OutcomeKind.BUSY
    assert len(arxiv_site.asked) == 1
    clock.now += timedelta(minutes=11)
    poll(arxiv_site, tools=tools)
    assert len(arxiv_site.asked) == 2


def test_a_refusal_without_a_time_cools_arxiv_down_as_well(arxiv_site: Site) -> None:
    arxiv_site.answers(RSS, 429)
    tools = tools_for(arxiv_site.url)
    assert poll(arxiv_site, tools=tools).outcome.retry_at == NOW + timedelta(minutes=5)
    poll(arxiv_site, tools=tools)
    assert len(arxiv_site.asked) == 1


@pytest.mark.parametrize("body", [b"", b"<html>Just a moment...</html>"])
def test_an_announcement_that_is_no_feed_fails_and_forgets_nothing(arxiv_site: Site, body: bytes) -> None:
    arxiv_site.answers(RSS, 200, body)
    found = poll(arxiv_site, {"watermark": "2025-12-01"})
    assert found.outcome.kind is OutcomeKind.UNREADABLE
    assert found.state == {"watermark": "2025-12-01"}


def test_papers_by_id_are_old_news(arxiv_site: Site) -> None:
    found = arxiv.papers(["arxiv:2511.00009", "url:example.org/x"], tools_for(arxiv_site.url))
    assert [(item.id, item.backlog) for item in found] == [("arxiv:2511.00009", True), ("arxiv:2512.00001", True)]
    assert parse_qs(urlsplit(arxiv_site.asked[0].path).query)["id_list"] == ["2511.00009"]


def test_ids_that_arxiv_does_not_know_are_left_out(arxiv_site: Site) -> None:
    arxiv_site.answers(QUERY, 200, NO_PAPERS)
    assert arxiv.papers(["arxiv:2511.99999"], tools_for(arxiv_site.url)) == []


FRIDAY, MONDAY, WEDNESDAY = date(2025, 11, 28), date(2025, 12, 1), date(2025, 12, 3)


@pytest.mark.parametrize(
    ("memory", "day", "is_empty", "expected"),
    [
        (Memory(), MONDAY, False, None),
        (Memory(), MONDAY, True, MONDAY - timedelta(days=3)),
        (Memory(watermark=FRIDAY), MONDAY, False, None),
        (Memory(watermark=MONDAY), MONDAY, False, None),
        (Memory(watermark=MONDAY), WEDNESDAY, False, FRIDAY),
        (Memory(watermark=WEDNESDAY), MONDAY, False, None),
        (Memory(watermark=MONDAY, fill_since=date(2025, 11, 20)), date(2025, 12, 2), False, date(2025, 11, 20)),
        (Memory(watermark=date(2024, 1, 1)), WEDNESDAY, False, WEDNESDAY - timedelta(days=30)),
    ],
)
def test_what_is_filled(memory: Memory, day: date, is_empty: bool, expected: date | None) -> None:
    assert fill_since(memory, day, is_empty=is_empty, first_days=3) == expected


@pytest.mark.parametrize("state", [{}, {"watermark": 7, "day": "yesterday", "etag": []}])
def test_a_memory_that_makes_no_sense_is_an_empty_one(state: dict[str, object]) -> None:
    assert Memory.of(state) == Memory()


def test_a_memory_survives_its_row() -> None:
    memory = Memory(etag="e", body="b", day=MONDAY, was_empty=True, watermark=FRIDAY, fill_since=FRIDAY)
    assert Memory.of(memory.state()) == memory
