"""Ingest against the replayed world: days missed are filled, replacements update, a second look costs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import World

from scout import config
from scout.ingest import IngestReport, ingest
from scout.items import OutcomeKind
from scout.sources import arxiv_api
from scout.store import Store

pytestmark = pytest.mark.world
SetEnv = Callable[[dict[str, str]], None]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The distance between requests to arXiv is held by test_sources_arxiv."""
    monkeypatch.setattr(arxiv_api, "ARXIV_SPACING", 0.0)
    monkeypatch.setattr(arxiv_api, "_TRAVEL", 0.0)


def on(world: World, day: str, data: Path, setenv: SetEnv) -> tuple[IngestReport, Store]:
    world.go(day)
    setenv(world.env(day, data))
    settings = config.load()
    store = Store(settings.database)
    return ingest(store, settings), store


def outcome(report: IngestReport, source: str) -> OutcomeKind:
    return next(poll.outcome.kind for poll in report.polls if poll.source == source)


def test_the_papers_of_a_day_that_was_missed_are_there(world: World, tmp_path: Path, setenv: SetEnv) -> None:
    _, store = on(world, "2025-12-01", tmp_path, setenv)
    first = store.items.count()
    assert first == 80
    store.close()
    report, store = on(world, "2025-12-03", tmp_path, setenv)
    assert not report.failed
    announced = Counter(str(row["day"]) for row in store.db.query("SELECT date(published) AS day FROM items"))
    # Papers of the 1st and the 3rd carry the day of their announcement, those of the 2nd the day before: of submission.
    assert announced["2025-12-03"] >= 70
    assert announced["2025-12-01"] >= 2 * 70
    requests = [row["path"] for row in world.log() if "/arxiv/" in row["path"]]
    assert sum("/api/query" in path for path in requests) >= 1
    picks = store.signals.picks()
    assert len(picks) > 3
    assert len(store.items.known(picks)) == len(picks)
    store.close()


def test_a_second_look_at_the_same_day_changes_nothing(world: World, tmp_path: Path, setenv: SetEnv) -> None:
    _, store = on(world, "2025-12-02", tmp_path, setenv)
    before = store.items.count()
    store.close()
    report, store = on(world, "2025-12-02", tmp_path, setenv)
    assert (report.new, report.updated, store.items.count()) == (0, 0, before)
    assert {poll.outcome.kind for poll in report.polls} == {OutcomeKind.UNCHANGED}
    assert [row["status"] for row in world.log() if "/arxiv/rss" in row["path"]] == [200, 304]
    store.close()


def test_a_replacement_updates_the_paper_and_keeps_its_text(world: World, tmp_path: Path, setenv: SetEnv) -> None:
    _, store = on(world, "2025-11-25", tmp_path, setenv)
    store.close()
    _, store = on(world, "2025-12-02", tmp_path, setenv)
    second = [row["id"] for row in store.db.query("SELECT DISTINCT item_id AS id FROM item_versions")]
    assert second
    for id in second:
        item, (before,) = store.items.get(id), store.items.versions(id)
        assert item is not None
        assert (before.version, item.version) == (1, 2)
        assert item.text.startswith(before.text)
        assert "This version corrects" in item.text
    store.close()


def test_a_weekend_is_no_fault(world: World, tmp_path: Path, setenv: SetEnv) -> None:
    _, store = on(world, "2025-12-05", tmp_path, setenv)
    store.close()
    report, store = on(world, "2025-12-06", tmp_path, setenv)
    assert outcome(report, "arxiv") is OutcomeKind.NO_ANNOUNCEMENT
    assert outcome(report, "hf-daily") is OutcomeKind.NO_ANNOUNCEMENT
    assert not report.failed
    store.close()


def test_a_first_run_on_a_weekend_has_the_papers_of_the_days_before(
    world: World, tmp_path: Path, setenv: SetEnv
) -> None:
    report, store = on(world, "2025-12-06", tmp_path, setenv)
    assert outcome(report, "arxiv") is OutcomeKind.OK
    assert store.items.count() > 100
    store.close()
