"""A digest is made once from what the store holds, and frozen."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from digest_samples import DAY, NOON, POLICY, READER, decision, fill, item, opened

from scout.config import DigestSettings, Settings
from scout.digest.build import build, find
from scout.digest.json_face import to_json
from scout.items import Aspect, Feedback, Lane, OutcomeKind, Release, SourceKind
from scout.store.sources import PollRow

TOMORROW = DAY + timedelta(days=1)
SETTINGS = Settings(digest=DigestSettings(per_subject=5, unsure=2, explore=0))


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path) as opened_store:
        yield opened_store


def made(store, day=DAY, *, reader=READER, settings=SETTINGS, run=None):
    return build(store, settings, reader=reader, day=day, run=run)


def shown(digest) -> list[int]:
    return [int(entry.id[-5:]) for entry in digest.entries()]


def poll(store, source: str, outcome: OutcomeKind, message: str = "", *, run: str | None = "r1", at=NOON) -> None:
    store.sources.record(
        PollRow(
            source=source, run=run, started=at, seconds=0.1, outcome=outcome, message=message, status=None, new=0,
            updated=0, bytes=0,
        ),
        state={}, failures=0, next_poll=at + timedelta(hours=1), cooling_until=None,
    )  # fmt: skip


def test_a_digest_is_frozen_with_its_impressions(store):
    fill(store, [(item(1), Lane.READ), (item(2), Lane.UNSURE), (item(3), Lane.SKIP)])
    first = made(store)
    assert shown(first) == [1, 2]
    fill(store, [(item(4), Lane.READ)])
    store.decisions.write([decision(item(1), Lane.SKIP, 0.01)], NOON)
    assert made(store) == first
    logged = store.digests.impressions(READER)
    assert [(one.item_id, one.position, one.lane, one.propensity, one.policy) for one in logged] == [
        (item(1).id, 1, Lane.READ, 1.0, POLICY),
        (item(2).id, 2, Lane.UNSURE, 1.0, POLICY),
    ]


def test_what_comes_back_from_the_store_is_to_the_letter_what_was_made(store):
    of = replace(item(1), published=NOON.replace(microsecond=1))
    fill(store, [(of, Lane.READ)])
    fresh = made(store)
    again = find(store, reader=READER, day=DAY)
    assert again == fresh
    assert to_json(again) == to_json(fresh)
    assert json.loads(to_json(fresh))["subjects"][0]["items"][0]["summary"]["by"] == "extractive"


def test_no_item_comes_twice_and_what_came_late_comes_tomorrow(store):
    fill(store, [(item(1), Lane.READ)])
    made(store)
    fill(store, [(item(2), Lane.READ)])
    assert shown(made(store, TOMORROW)) == [2]
    assert made(store, TOMORROW + timedelta(days=1)).is_empty


def test_a_day_skipped_loses_nothing(store):
    fill(store, [(item(1), Lane.READ)])
    made(store)
    fill(store, [(item(2, published=NOON + timedelta(days=1)), Lane.READ)])
    assert shown(made(store, DAY + timedelta(days=3))) == [2]


def test_old_news_and_backlog_stay_out_and_the_undated_and_future_come_in(store):
    week = timedelta(days=SETTINGS.digest.max_age_days)
    oldest = datetime(2025, 12, 2, tzinfo=UTC) - week
    fill(
        store,
        [
            (item(1, published=oldest), Lane.READ),
            (item(2, published=oldest - timedelta(seconds=1)), Lane.READ),
            (item(3, published=None), Lane.READ),
            (item(4, backlog=True), Lane.READ),
            (item(5, published=NOON + timedelta(days=2)), Lane.READ),
        ],
    )
    assert sorted(shown(made(store))) == [1, 3, 5]


def test_the_day_begins_in_the_readers_time_zone(store):
    fill(store, [(item(1, published=datetime(2025, 11, 24, 16, tzinfo=UTC)), Lane.READ)])
    tokyo = Settings(digest=DigestSettings(timezone="Asia/Tokyo"))
    # 25 November, 1:00 in Tokyo: seven days before 2 December there, eight in UTC.
    assert made(store).is_empty
    assert shown(made(store, settings=tokyo)) == [1]


def test_what_the_reader_hid_is_not_shown_until_it_is_undone(store):
    fill(store, [(item(1), Lane.READ)])
    store.feedback.add(Feedback(READER, item(1).id, Aspect.HIDDEN, "yes", NOON))
    assert made(store).is_empty
    store.feedback.undo(READER, item=item(1).id, at=NOON)
    assert shown(made(store)) == [1]


def test_readers_do_not_take_items_from_each_other(store):
    fill(store, [(item(1), Lane.READ)])
    store.decisions.write([decision(item(1), Lane.READ, 0.7, reader="o'brien; --")], NOON)
    assert shown(made(store)) == [1]
    assert shown(made(store, reader="o'brien; --")) == [1]


def test_an_empty_digest_is_made_anew_the_same_day_from_the_same_items(store):
    fill(store, [(item(1), Lane.SKIP)])
    assert made(store).is_empty
    store.decisions.write([decision(item(1), Lane.READ, 0.9)], NOON)
    assert shown(made(store)) == [1]


def test_an_item_without_a_decision_waits_for_the_next_digest(store):
    fill(store, [(item(1), Lane.READ), (item(2), None), (item(3), Lane.READ)])
    first = made(store)
    assert shown(first) == [1, 3]
    assert (first.counts["considered"], first.counts["undecided"]) == (3, 1)
    store.decisions.write([decision(item(2), Lane.READ, 0.9)], NOON)
    assert shown(made(store, TOMORROW)) == [2]


def test_exploration_is_kept_with_its_propensity(store):
    fill(store, [(item(number), Lane.SKIP) for number in range(1, 9)])
    digest = made(store, settings=Settings(digest=DigestSettings(explore=2)))
    assert [(entry.lane, entry.propensity) for entry in digest.entries()] == [(Lane.SKIP, 0.25)] * 2
    assert [one.propensity for one in store.digests.impressions(READER)] == [0.25] * 2


def test_the_first_of_two_processes_makes_the_days_digest(store, tmp_path, monkeypatch):
    fill(store, [(item(1), Lane.READ)])
    counted = store.summaries.of

    def overtaken(ids):
        if not overtaken.done:
            overtaken.done = True
            with opened(tmp_path) as other:
                fill(other, [(item(2), Lane.READ)])
                made(other)
        return counted(ids)

    overtaken.done = False
    monkeypatch.setattr(store.summaries, "of", overtaken)
    assert sorted(shown(made(store))) == [1, 2]
    assert len(store.digests.impressions(READER)) == 2


def test_a_save_that_breaks_in_the_middle_leaves_neither_digest_nor_impressions(store):
    fill(store, [(item(1), Lane.READ)])
    store.db.conn.execute(
        "CREATE TEMP TRIGGER broken BEFORE INSERT ON impressions BEGIN SELECT RAISE(ABORT, 'killed here'); END"
    )
    with pytest.raises(sqlite3.IntegrityError, match="killed here"):
        made(store)
    assert find(store, reader=READER, day=DAY) is None
    store.db.conn.execute("DROP TRIGGER broken")
    assert shown(made(store)) == [1]


def test_releases_of_the_last_days_are_listed_newest_first(store):
    at = [("a/new", NOON), ("b/old", NOON - timedelta(days=6)), ("c/older", NOON - timedelta(days=9)),
          ("d/tomorrow", NOON + timedelta(days=1))]  # fmt: skip
    store.releases.add([Release(id, id[0], when, f"https://huggingface.co/{id}") for id, when in at], NOON)
    assert [release.id for release in made(store).releases] == ["a/new", "b/old"]


def test_the_note_names_sources_by_their_poll_in_this_run(store):
    for id, title in (("arxiv", "arXiv"), ("slow", "Slow Lab"), ("cooling", "Busy Lab"), ("off", "Paused Lab")):
        kind = SourceKind.ARXIV if id == "arxiv" else SourceKind.FEED
        store.sources.add(id, kind, f"https://{id}.example.org/", title=title, at=NOON)
    poll(store, "arxiv", OutcomeKind.NO_ANNOUNCEMENT)
    poll(store, "slow", OutcomeKind.TOO_SLOW, "no answer in 8 s")
    poll(store, "cooling", OutcomeKind.BUSY, "come back at 15:00", run="an earlier one")
    poll(store, "off", OutcomeKind.HTTP_ERROR, "404", run="an earlier one")
    store.sources.pause("off", on=True)
    digest = made(store, run="r1")
    assert digest.note == (
        "arXiv announced nothing on Tuesday, 2 December 2025. 2 sources failed: Busy Lab (asks for patience: come back "
        "at 15:00); Slow Lab (too slow: no answer in 8 s)."
    )
    assert (digest.counts["sources_failed"], digest.counts["sources_quiet"]) == (2, 1)


def test_an_unchanged_answer_repeats_that_nothing_was_announced(store):
    store.sources.add("arxiv", SourceKind.ARXIV, "https://rss.arxiv.org/rss", title="arXiv", at=NOON)
    poll(store, "arxiv", OutcomeKind.NO_ANNOUNCEMENT)
    poll(store, "arxiv", OutcomeKind.UNCHANGED, run="r2", at=NOON + timedelta(hours=1))
    assert made(store, run="r2").note.startswith("arXiv announced nothing")
    poll(store, "arxiv", OutcomeKind.OK, run="r3")
    poll(store, "arxiv", OutcomeKind.UNCHANGED, run="r4")
    assert made(store, run="r4").note == ""
