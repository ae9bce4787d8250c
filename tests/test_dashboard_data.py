"""What pages read, on a filled store."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dashboard_store
import pytest
from dashboard_store import DAYS, READER

from dashboard import data, export
from dashboard.charts import AgreementDay
from dashboard.export import Said
from scout.config import load
from scout.items import Aspect, Feedback, Health, Lane, Release, Verdict
from scout.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with dashboard_store.fill(tmp_path / "scout.db") as filled:
        yield filled


def test_the_digest_page_shows_the_day_asked_for_else_the_newest(store: Store) -> None:
    assert data.digest_page(store, READER, DAYS[0]).day == DAYS[0]
    assert data.digest_page(store, READER, None).day == DAYS[2]
    assert data.digest_page(store, READER, date(1999, 1, 1)).day == DAYS[2]
    assert data.digest_page(store, READER, None).days == tuple(reversed(DAYS))


def test_a_reader_without_a_digest_gets_none(store: Store) -> None:
    page = data.digest_page(store, "nobody", None)
    assert (page.day, page.digest, page.days) == (None, None, ())


def test_agreement_compares_each_thumb_with_the_lane_it_was_shown_in(store: Store) -> None:
    # Day one: six read-lane thumbs of which two down, one skip-lane thumb down; the unsure lane's thumb does not count.
    assert data.agreement(store, READER) == [AgreementDay(DAYS[0], 5, 7), AgreementDay(DAYS[1], 6, 7)]


def test_a_thumb_taken_away_leaves_the_agreement(store: Store) -> None:
    store.feedback.add(Feedback(READER, "arxiv:2512.00101", Aspect.THUMB, "none", datetime(2025, 12, 4, tzinfo=UTC)))
    assert data.agreement(store, READER)[0] == AgreementDay(DAYS[0], 4, 6)


def test_a_later_decision_does_not_change_past_agreement(store: Store) -> None:
    before = data.agreement(store, READER)
    decision = next(iter(store.decisions.of(READER, ["arxiv:2512.00103"]).values()))
    changed = type(decision)(
        decision.item_id, READER, "linear-1:later", decision.subject, decision.subjects, 0.01, Lane.SKIP, decision.why
    )
    store.decisions.write([changed], datetime(2025, 12, 4, tzinfo=UTC))
    assert data.agreement(store, READER) == before


def test_sources_in_need_of_a_look_come_first(store: Store) -> None:
    lines = data.source_lines(store, dashboard_store.at(DAYS[2], 7))
    assert (lines[0].row.id, lines[0].health) == ("broken-lab", Health.FAILING)
    assert lines[-1].health is Health.PAUSED
    assert next(line.items_week for line in lines if line.row.id == "arxiv") == 31


def test_an_item_is_found_by_its_alias_with_all_that_is_known(store: Store) -> None:
    page = data.item_page(store, READER, "doi:10.48550/arxiv.2512.00101")
    assert page is not None
    assert page.stored.item.id == "arxiv:2512.00101"
    assert [version.version for version in page.versions] == [1]
    assert [signal.value for signal in page.signals] == [42.0]
    assert [shown.digest_date for shown in page.impressions] == [DAYS[0]]
    assert [word.value for word in page.history] == ["up"]


def test_pages_of_findings_do_not_overlap(store: Store) -> None:
    first = data.findings(store, READER, data.Query(), page=0, size=20)
    second = data.findings(store, READER, data.Query(), page=1, size=20)
    ids = [[found.stored.item.id for found in page.rows] for page in (first, second)]
    assert (len(ids[0]), len(ids[1])) == (20, 14)
    assert not set(ids[0]) & set(ids[1])
    assert (first.has_more, second.has_more) == (True, False)


def test_what_was_learned_is_told_in_words(store: Store) -> None:
    learned = data.learned(store, READER)
    assert learned is not None
    assert ("by Mara Lindqvist", 0.7) in learned.up
    assert learned.down[0][1] < 0
    assert (learned.foreseen, learned.foreseen_of) == (0.75, 12)


SAID = Said(
    datetime(2025, 12, 1, tzinfo=UTC), "arxiv:1", '=HYPERLINK("http://x")', Aspect.THUMB, "up", ("novel",), "cli"
)


def test_a_title_is_no_formula_in_the_exported_csv() -> None:
    header, row = csv.reader(io.StringIO(export.as_csv([SAID])))
    assert tuple(header) == export.COLUMNS
    assert row[2].startswith("'=")


def test_the_exported_json_holds_every_word_as_it_was_said() -> None:
    assert json.loads(export.as_json([SAID])) == [
        {
            "at": "2025-12-01T00:00:00+00:00", "item_id": "arxiv:1", "title": '=HYPERLINK("http://x")', "aspect": "thumb",
            "value": "up", "reasons": ["novel"], "origin": "cli",
        }
    ]  # fmt: skip


def test_models_with_a_verdict_come_before_newer_ones_without(tmp_path: Path) -> None:
    at = datetime(2025, 12, 1, tzinfo=UTC)
    found = [Release(f"lab/M{n}", "lab", at - timedelta(days=n), "") for n in range(9)]
    with Store(tmp_path / "scout.db") as store:
        store.releases.add(found, at)
        store.evals.judge(Verdict("lab/M8", "no detectable difference", "run"), at)
        shown = data.releases(store, load(), None)
    assert [release.id for release in shown] == ["lab/M8", *(f"lab/M{n}" for n in range(5))]
