"""Ingest: every source that is due is polled, every poll is written down, and one bad source never harms the rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from scout import ingest as module
from scout.config import Settings
from scout.ingest import ingest, sync_defaults, to_poll
from scout.items import Item, ItemKind, Outcome, OutcomeKind, Release, Signal, SourceKind
from scout.net.errors import FetchError
from scout.sources.base import Poll, Tools, failed
from scout.store import Store, StoreError
from scout.store.sources import SourceRow

NOW = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)
OK = Outcome(OutcomeKind.OK)
Script = Callable[[SourceRow, Tools], Poll]


def post(id: str = "url:example.org/p", source: str = "blog", **fields: object) -> Item:
    item = Item(id, ItemKind.POST, "A post", "https://example.org/p", "Its text.", source, published=NOW)
    return replace(item, **fields)  # type: ignore[arg-type]


def paper(source: str, **fields: object) -> Item:
    return post("arxiv:2511.00001", source, kind=ItemKind.PAPER, title="Herding sheep", **fields)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(**{"data_dir": tmp_path / "data", "sources": {"defaults": False}, "net": {"workers": 4}})


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with Store(settings.database) as opened:
        yield opened


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Script]:
    """What each source's poll does, by the id of the source; by default it finds nothing."""
    found: dict[str, Script] = {}

    def run(source: SourceRow, tools: Tools) -> Poll:
        return found.get(source.id, lambda source, tools: Poll(outcome=OK))(source, tools)

    monkeypatch.setattr(module, "POLLERS", dict.fromkeys(SourceKind, run))
    return found


def finds(*items: Item, **fields: object) -> Script:
    return lambda source, tools: Poll(**{"outcome": OK, "items": items, **fields})  # type: ignore[arg-type]


def add(store: Store, *ids: str) -> None:
    for id in ids:
        store.sources.add(id, SourceKind.FEED, f"https://example.org/{id}.xml", title=id, at=NOW)


def test_items_signals_releases_state_and_the_poll_itself_are_stored(
    store: Store, settings: Settings, scripts: dict[str, Script]
) -> None:
    add(store, "blog")
    scripts["blog"] = finds(
        post(aliases=("guid:blog:1",)),
        signals=(Signal("arxiv:2511.00001", "hf-daily", date(2025, 12, 2), 3.0),),
        releases=(Release("lab/one", "lab", NOW, "https://example.org/lab/one"),),
        state={"etag": "e"},
        title="The blog",
    )
    report = ingest(store, settings, run="r1")
    assert (report.new, report.updated, report.failed, report.all_failed) == (1, 0, (), False)
    assert store.items.get("guid:blog:1") == replace(post(), aliases=())
    assert store.signals.picks() == {"arxiv:2511.00001": 3.0}
    assert [release.id for release in store.releases.listing()] == ["lab/one"]
    row = store.sources.get("blog")
    assert row is not None
    assert (row.outcome, row.state, row.failures) == (OutcomeKind.OK, {"etag": "e"}, 0)
    assert [(poll.source, poll.new) for poll in store.sources.polls(run="r1") if poll.new] == [("blog", 1)]


def test_a_second_run_brings_nothing_twice(store: Store, settings: Settings, scripts: dict[str, Script]) -> None:
    add(store, "blog")
    scripts["blog"] = finds(post())
    ingest(store, settings)
    before = list(store.db.query("SELECT * FROM items"))
    assert ingest(store, settings).new == 0
    assert list(store.db.query("SELECT * FROM items")) == before


def test_a_fault_in_one_poll_is_its_outcome_and_the_others_go_on(
    store: Store, settings: Settings, scripts: dict[str, Script], caplog: pytest.LogCaptureFixture
) -> None:
    def crash(source: SourceRow, tools: Tools) -> Poll:
        raise RuntimeError("nobody thought of this")

    add(store, "bad", "good")
    scripts |= {"bad": crash, "good": finds(post(source="good"))}
    with caplog.at_level(logging.ERROR, logger="scout"):
        report = ingest(store, settings)
    assert report.failed == (
        ("bad", OutcomeKind.ERROR, "a fault in scout, see the log: RuntimeError: nobody thought of this"),
    )
    assert not report.all_failed
    assert store.items.count() == 1
    assert "nobody thought of this" in caplog.text


def test_items_that_cannot_be_written_fail_their_source_alone(
    store: Store, settings: Settings, scripts: dict[str, Script]
) -> None:
    add(store, "bad", "good")
    broken = post(source="bad", published=datetime(2025, 12, 2))  # noqa: DTZ001 - a time without a zone cannot be stored
    scripts |= {"bad": finds(broken), "good": finds(post("url:example.org/g", "good"))}
    report = ingest(store, settings)
    assert [source for source, _, _ in report.failed] == ["bad"]
    assert [item.id for item in store.items.recent(9)] == ["url:example.org/g"]


def test_a_failed_poll_keeps_the_state_and_counts(store: Store, settings: Settings, scripts: dict[str, Script]) -> None:
    add(store, "blog")
    scripts["blog"] = finds(state={"etag": "e"})
    ingest(store, settings)
    scripts["blog"] = lambda source, tools: failed(source, FetchError(OutcomeKind.UNREACHABLE, "no connection"))
    ingest(store, settings)
    row = store.sources.get("blog")
    assert row is not None
    assert (row.state, row.failures, row.outcome) == ({"etag": "e"}, 1, OutcomeKind.UNREACHABLE)


def test_when_nothing_can_be_reached_all_have_failed(
    store: Store, settings: Settings, scripts: dict[str, Script]
) -> None:
    offline = FetchError(OutcomeKind.UNREACHABLE, "no connection")
    scripts |= {id: lambda source, tools: failed(source, offline) for id in ("arxiv", "hf-daily", "hf-releases")}
    assert ingest(store, settings).all_failed
    assert not ingest(store, settings, only=["nobody"]).all_failed


def test_a_paper_from_two_sources_in_one_run_is_one_item_that_both_brought(
    store: Store, settings: Settings, scripts: dict[str, Script]
) -> None:
    slow = threading.Event()

    def arxiv(source: SourceRow, tools: Tools) -> Poll:
        assert slow.wait(60)  # the other source comes first
        return Poll(outcome=OK, items=(paper("arxiv", categories=("cs.LG",)),))

    def hub(source: SourceRow, tools: Tools) -> Poll:
        slow.set()
        return Poll(outcome=OK, items=(paper("hf-daily", text="cut…"),))

    scripts |= {"arxiv": arxiv, "hf-daily": hub}
    report = ingest(store, settings)
    assert (report.new, report.updated) == (1, 0)
    item = store.items.get("arxiv:2511.00001")
    assert item is not None
    assert (item.source, item.text, item.categories) == ("arxiv", "Its text.", ("cs.LG",))
    assert store.items.sources_of(item.id) == ["arxiv", "hf-daily"]


def test_arxiv_corrects_what_the_hub_brought_and_the_hub_never_takes_it_back(
    store: Store, settings: Settings, scripts: dict[str, Script]
) -> None:
    scripts["hf-daily"] = finds(paper("hf-daily", text="cut…"))
    ingest(store, settings)
    scripts["arxiv"] = finds(paper("arxiv", categories=("cs.LG",)))
    ingest(store, settings)
    item = store.items.get("arxiv:2511.00001")
    assert item is not None
    assert (item.text, item.categories) == ("Its text.", ("cs.LG",))


def test_a_second_version_keeps_the_first_ones_text(
    store: Store, settings: Settings, scripts: dict[str, Script]
) -> None:
    scripts["arxiv"] = finds(paper("arxiv"))
    ingest(store, settings)
    scripts["arxiv"] = finds(paper("arxiv", version=2, text="Its text, corrected."))
    assert ingest(store, settings).updated == 1
    assert [(old.version, old.text) for old in store.items.versions("arxiv:2511.00001")] == [(1, "Its text.")]
    assert store.items.count() == 1


def test_what_was_deleted_stays_deleted(store: Store, settings: Settings, scripts: dict[str, Script]) -> None:
    add(store, "blog")
    scripts["blog"] = finds(post())
    ingest(store, settings)
    store.items.delete("url:example.org/p", NOW)
    ingest(store, settings)
    assert store.items.count() == 0


def test_a_database_that_cannot_be_written_stops_the_run(
    store: Store, settings: Settings, scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(store.items, "add", full)
    with pytest.raises(StoreError, match="full"):
        ingest(store, settings)


def test_an_interrupt_ends_it_while_a_poll_is_still_waiting(
    store: Store, settings: Settings, scripts: dict[str, Script]
) -> None:
    release = threading.Event()
    over: list[bool] = []

    class Interrupting:
        def stage(self, name: str, total: int | None = None) -> None: ...

        def step(self, label: str = "") -> None:
            raise KeyboardInterrupt

        def done(self) -> None: ...

    def hang(source: SourceRow, tools: Tools) -> Poll:
        over.append(release.wait(60))
        return Poll(outcome=OK)

    scripts["hf-daily"] = hang
    with pytest.raises(KeyboardInterrupt):
        ingest(store, settings, progress=Interrupting())
    assert over == []
    release.set()


# --- which sources


def row(id: str = "blog", **fields: object) -> SourceRow:
    values = {"kind": SourceKind.FEED, "url": "https://example.org", "title": "", "origin": "user", "added_at": NOW}
    return SourceRow(**{"id": id, **values, **fields})  # type: ignore[arg-type]


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("fields", "due", "polled"),
    [
        ({}, True, True),
        ({"paused": True}, False, False),
        ({"gone": True}, False, False),
        ({"last_poll": NOW - HOUR, "cooling_until": NOW + HOUR}, False, False),
        ({"last_poll": NOW - HOUR, "cooling_until": NOW - HOUR}, False, True),
        ({"last_poll": NOW - HOUR, "next_poll": NOW + HOUR}, False, True),
        ({"last_poll": NOW - HOUR, "next_poll": NOW + HOUR}, True, False),
        ({"last_poll": NOW - HOUR, "next_poll": NOW}, True, True),
        ({"last_poll": NOW + HOUR, "next_poll": NOW + 2 * HOUR, "cooling_until": NOW + 2 * HOUR}, True, True),
        ({"origin": "default"}, False, False),
    ],
)
def test_who_is_polled(settings: Settings, fields: Mapping[str, object], due: bool, polled: bool) -> None:
    chosen = to_poll([row(**fields)], settings, NOW, only=None, due=due)
    assert bool(chosen) is polled


def test_only_the_named_sources_are_polled(settings: Settings) -> None:
    assert [row.id for row in to_poll([row("a"), row("b")], settings, NOW, only=["b"], due=False)] == ["b"]


def test_arxiv_comes_first(settings: Settings) -> None:
    rows = [row("a"), row("arxiv", kind=SourceKind.ARXIV, origin="default")]
    assert [each.id for each in to_poll(rows, settings, NOW, only=None, due=False)] == ["arxiv", "a"]


# --- shipped sources


def ids(store: Store) -> set[str]:
    return {row.id for row in store.sources.all()}


def test_shipped_sources_come_in_once_and_stay_removed(store: Store, settings: Settings) -> None:
    sync_defaults(store, settings, NOW)
    assert ids(store) == {"arxiv", "hf-daily", "hf-releases"}
    store.sources.remove("hf-releases")
    sync_defaults(store, settings, NOW)
    assert ids(store) == {"arxiv", "hf-daily"}


def test_blogs_come_with_their_switch(store: Store, settings: Settings) -> None:
    sync_defaults(store, settings.model_copy(update={"sources": Settings().sources}), NOW)
    assert {"openai", "simon-willison"} <= ids(store)
    assert not {row.id for row in to_poll(store.sources.all(), settings, NOW, only=None, due=False)} & {"openai"}


def test_an_address_made_from_the_settings_follows_them(store: Store, settings: Settings) -> None:
    sync_defaults(store, settings, NOW)
    other = settings.arxiv.model_copy(update={"categories": ("cs.RO",)})
    sync_defaults(store, settings.model_copy(update={"arxiv": other}), NOW)
    moved = store.sources.get("arxiv")
    assert moved is not None
    assert moved.url == "https://rss.arxiv.org/rss/cs.RO"
