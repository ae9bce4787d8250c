"""arXiv's records in bulk: pages by token, taken up where it stopped, at arXiv's pace, whatever the archive answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from cli_help import scout
from jsonschema import validate
from net_server import Site
from poll_tools import Clock, in_turn, site, tools_for

from scout.config import load
from scout.harvest import harvest
from scout.items import Item, ItemKind, OutcomeKind
from scout.net.errors import FetchError
from scout.sources import arxiv_api
from scout.sources.base import Tools
from scout.sources.oai import read
from scout.sources.parsed import Unreadable
from scout.sources.pool import ParserPool
from scout.store import Store
from scout.store.harvests import Harvest

FIXTURES = Path(__file__).parent / "fixtures" / "oai"
FIRST, LAST, NOTHING, FORGOTTEN = (
    (FIXTURES / f"{name}.xml").read_bytes() for name in ("first", "last", "no-records", "bad-token")
)
WEEK = {"first": date(2025, 11, 24), "last": date(2025, 11, 30)}
TOKEN = [("verb", "ListRecords"), ("resumptionToken", "6412|1001")]
BEGIN = [
    ("verb", "ListRecords"),
    ("metadataPrefix", "arXiv"),
    ("from", "2025-11-24"),
    ("until", "2025-11-30"),
    ("set", "cs"),
]


@pytest.fixture
def archive() -> Iterator[Site]:
    with site() as found:
        yield found


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(load().database) as found:
        yield found


@pytest.fixture
def tools(archive: Site) -> Iterator[Tools]:
    """Tools whose clock passes by waiting alone; records are read where they are read in earnest."""
    made = tools_for(archive.url, arxiv={"oai_url": f"{archive.url}/oai"})
    with ParserPool(made.settings.net) as pool:
        yield Tools(
            settings=made.settings, fetcher=made.fetcher, parser=pool, manners=made.manners, now=made.now
        )  # fmt: skip


def asked(archive: Site) -> list[list[tuple[str, str]]]:
    return [parse_qsl(urlsplit(handler.path).query) for handler in archive.asked]


def answers(archive: Site, *pages: tuple[int, bytes] | tuple[int, bytes, dict[str, str]]) -> None:
    archive.routes["/oai"] = in_turn(*pages)


def run(store: Store, tools: Tools, pauses: list[float] | None = None, **more: object) -> Harvest:
    return harvest(
        store, tools, **{**WEEK, "set_name": "cs", **more}, pause=(pauses if pauses is not None else []).append
    )


def test_a_page_of_records_becomes_papers_as_arxiv_describes_them(store: Store, tools: Tools, archive: Site) -> None:
    answers(archive, (200, FIRST), (200, LAST))
    done = run(store, tools)
    assert (done.records, done.new, done.deleted, done.left_out, done.pages) == (2, 2, 1, 1, 2)
    assert store.items.get("arxiv:2511.00001") == Item(
        id="arxiv:2511.00001", kind=ItemKind.PAPER, title=r"Counting sheep with $\alpha$ and x<y",
        url="https://arxiv.org/abs/2511.00001", text="We count sheep. They are many.", source="arxiv",
        authors=("Ada Doe", "Bo Roe Jr"), categories=("cs.LG", "stat.ML"), published=datetime(2025, 11, 20, tzinfo=UTC),
        updated=datetime(2025, 11, 24, tzinfo=UTC), comment="8 pages", backlog=True,
    )  # fmt: skip
    assert store.items.get("doi:10.1000/sheep.1") == store.items.get("arxiv:2511.00001")
    assert [hit.stored.item.title for hit in store.items.search("old paper")] == ["An old paper"]
    assert store.items.arrived(0, datetime(1990, 1, 1, tzinfo=UTC)) == []  # no digest takes it up
    assert store.items.recent(10) == []  # nor is it what usually comes here


def test_the_next_page_is_asked_for_by_its_token_alone(store: Store, tools: Tools, archive: Site) -> None:
    answers(archive, (200, FIRST), (200, LAST))
    run(store, tools)
    assert asked(archive) == [BEGIN, TOKEN]


def test_requests_are_three_seconds_apart(store: Store, archive: Site) -> None:
    clock = Clock()
    made = tools_for(archive.url, clock, arxiv={"oai_url": f"{archive.url}/oai"})
    answers(archive, (200, FIRST), (200, LAST))
    with ParserPool(made.settings.net) as pool:
        run(store, Tools(settings=made.settings, fetcher=made.fetcher, parser=pool, manners=made.manners, now=made.now))
    assert [seconds for seconds in clock.slept if seconds >= 3] != []


def test_what_was_interrupted_goes_on_where_it_was(store: Store, tools: Tools, archive: Site) -> None:
    answers(archive, (200, FIRST), (404, b""))
    with pytest.raises(FetchError):
        run(store, tools)
    assert store.items.count() == 1
    answers(archive, (200, LAST))
    done = run(store, tools)
    assert asked(archive)[-1] == TOKEN
    assert (done.records, done.new, done.pages) == (2, 2, 2)
    answers(archive, (200, NOTHING))
    assert run(store, tools).records == 0  # a harvest that is done begins anew


def test_a_week_without_records_is_success_and_the_next_one_follows(store: Store, tools: Tools, archive: Site) -> None:
    answers(archive, (200, NOTHING), (200, LAST))
    done = run(store, tools, last=date(2025, 12, 2))
    assert [dict(each).get("from") for each in asked(archive)] == ["2025-11-24", "2025-12-01"]
    assert [dict(each).get("until") for each in asked(archive)] == ["2025-11-30", "2025-12-02"]
    assert (done.records, done.finished is not None) == (1, True)


def test_a_token_that_is_no_longer_known_begins_its_slice_again_once(store: Store, tools: Tools, archive: Site) -> None:
    answers(archive, (200, FIRST), (200, FORGOTTEN), (200, FIRST), (200, LAST))
    done = run(store, tools)
    assert asked(archive) == [BEGIN, TOKEN, BEGIN, TOKEN]
    assert (store.items.count(), done.new) == (2, 2)
    answers(archive, (200, FIRST), (200, FORGOTTEN), (200, FIRST), (200, FORGOTTEN))
    with pytest.raises(FetchError, match="badResumptionToken: The token is not known"):
        run(store, tools, set_name="math")


def test_a_server_that_asks_for_a_little_patience_gets_it_and_one_that_asks_for_much_is_left_alone(
    store: Store, tools: Tools, archive: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools.manners, "cool", lambda service, until: None)  # the test's clock stands still
    pauses: list[float] = []
    answers(archive, (503, b"", {"Retry-After": "20"}), (200, LAST))
    assert run(store, tools, pauses).records == 1
    assert [round(pause) for pause in pauses] in ([20], [21])
    answers(archive, (503, b"", {"Retry-After": "7200"}))
    with pytest.raises(FetchError) as caught:
        run(store, tools, set_name="math")
    assert caught.value.kind is OutcomeKind.BUSY


def test_a_fault_that_may_pass_is_tried_again_and_one_that_does_not_is_told(
    store: Store, tools: Tools, archive: Site
) -> None:
    pauses: list[float] = []
    answers(archive, (500, b""), (500, b""), (200, LAST))
    assert run(store, tools, pauses).records == 1
    assert pauses == [10.0, 20.0]
    answers(archive, (500, b""))
    with pytest.raises(FetchError, match="fault"):
        run(store, tools, set_name="math")


def test_a_paper_that_is_known_better_already_stays(store: Store, tools: Tools, archive: Site) -> None:
    known = Item(
        id="arxiv:2511.00001", kind=ItemKind.PAPER, title="Counting sheep, again", url="https://arxiv.org/abs/2511.00001",
        text="Version two.", source="arxiv", version=2,
    )  # fmt: skip
    store.items.add([known], datetime(2025, 12, 1, tzinfo=UTC))
    answers(archive, (200, FIRST), (200, LAST))
    done = run(store, tools)
    after = store.items.get("arxiv:2511.00001")
    assert after is not None
    assert (after.title, after.version, after.backlog, done.new) == ("Counting sheep, again", 2, False, 1)


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HOSTILE = {
    "many laughs": FIRST.replace(b"<OAI-PMH", LAUGHS + b"<OAI-PMH", 1).replace(b"An old", b"&b;"),
    "a file of ours": FIRST.replace(b"<OAI-PMH", b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><OAI-PMH', 1),
    "cut off": FIRST[:1500],
    "another document": b"<html><body>try later</body></html>",
    "no document": b"\x00\xff" * 100,
    "nothing": b"",
    "an encoding that is none": FIRST.replace(b"UTF-8", b"x-none", 1),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_page_that_is_hostile_or_none_is_an_outcome_and_nothing_of_it_is_kept(
    what: str, store: Store, tools: Tools, archive: Site
) -> None:
    answers(archive, (200, HOSTILE[what]))
    with pytest.raises(FetchError) as caught:
        run(store, tools)
    assert caught.value.kind is OutcomeKind.UNREADABLE
    assert store.items.count() == 0


def test_markup_and_unseen_characters_in_a_record_stay_text() -> None:
    page = read(LAST.replace(b"An old paper", "&lt;script&gt;\u202ex&#x2028;".encode()))
    assert page.records[0].title == "<script>x"
    with pytest.raises(Unreadable):
        read(b"<rss></rss>")


def test_an_archive_that_names_the_same_page_again_and_again_is_not_followed(
    store: Store, tools: Tools, archive: Site
) -> None:
    answers(archive, (200, FIRST))
    with pytest.raises(FetchError, match="as the next one"):
        run(store, tools)
    assert len(archive.asked) == 2


@pytest.fixture
def commanded(
    archive: Site, setenv: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Sequence[str]], object]:
    setenv({"SCOUT_ARXIV__OAI_URL": f"{archive.url}/oai", "SCOUT_NET__ALLOW_LOOPBACK": "1"})
    monkeypatch.setattr(arxiv_api, "ARXIV_SPACING", 0.0)
    monkeypatch.setattr(arxiv_api, "_TRAVEL", 0.0)
    return lambda words: scout("harvest", *words)


def test_the_command_tells_what_came_and_goes_on_after_an_interruption(
    archive: Site, commanded: Callable[..., object]
) -> None:
    days = ("--from", "2025-11-24", "--until", "2025-11-30", "--set", "cs")
    answers(archive, (200, FIRST), (503, b"", {"Retry-After": "7200"}))
    broken = scout("harvest", *days)
    assert broken.code == 75
    assert "the same command goes on there" in broken.err
    with Store(load().database) as store:
        store.db.conn.execute("UPDATE hosts SET cooling_until = NULL")  # two hours later
    answers(archive, (200, LAST))
    told = scout("harvest", *days, "--json")
    schema = json.loads((Path(__file__).parents[1] / "docs/schemas/harvest.schema.json").read_text(encoding="utf-8"))
    validate(told.json, schema)
    assert (told.json["records"], told.json["new"], told.json["deleted"]) == (2, 2, 1)
    answers(archive, (200, NOTHING))
    assert scout("harvest", *days).out == "0 records of 2025-11-24 to 2025-11-30: 0 new, 0 updated.\n"


def test_without_a_last_day_what_was_begun_on_another_day_is_ended_first(
    archive: Site, commanded: Callable[..., object]
) -> None:
    answers(archive, (200, FIRST), (404, b""))
    assert scout("harvest", "--from", "2025-11-24", "--until", "2025-11-30", "--set", "cs").code == 75
    answers(archive, (200, LAST))
    told = scout("harvest", "--from", "2025-11-24", "--set", "cs", "--json").json
    assert (told["until"], told["records"]) == ("2025-11-30", 2)


@pytest.mark.parametrize(
    "words", [("--from", "2025-12-02", "--until", "2025-12-01"), ("--from", "2025-12-01", "--set", "a b"), ()],
    ids=["backwards", "no set", "no day"],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], commanded: Callable[..., object]) -> None:
    assert scout("harvest", *words).code == 2


def test_a_set_that_arxiv_does_not_know_is_told(archive: Site, commanded: Callable[..., object]) -> None:
    answers(archive, (200, NOTHING.replace(b"noRecordsMatch", b"badArgument")))
    told = scout("harvest", "--from", "2025-11-24", "--until", "2025-11-24", "--set", "nonsense")
    assert (told.code, "badArgument" in told.err) == (1, True)
