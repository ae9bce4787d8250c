"""A reader's words: appended, never changed; what is current follows; a retry lands once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from scout.items import Aspect, Feedback, Impression, Lane
from scout.store import Store

AT = datetime(2025, 12, 2, 7, tzinfo=UTC)
READER = 'Zoë "o\'Reader"; DROP TABLE feedback'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "scout.db") as store:
        yield store


def word(value: str, aspect: Aspect = Aspect.THUMB, item: str = "arxiv:1", **more: object) -> Feedback:
    return Feedback(READER, item, aspect, value, AT, **more)  # type: ignore[arg-type]


def current(store: Store, item: str = "arxiv:1") -> dict[str, str]:
    return {str(aspect): said.value for aspect, said in store.feedback.current(READER).get(item, {}).items()}


def test_the_newest_word_on_each_aspect_stands(store: Store) -> None:
    for said in (word("up"), word("yes", Aspect.SAVED), word("down"), word("agents", Aspect.SUBJECT)):
        store.feedback.add(said)
    assert current(store) == {"thumb": "down", "saved": "yes", "subject": "agents"}


def test_undo_brings_back_what_was_said_before(store: Store) -> None:
    store.feedback.add(word("up"))
    store.feedback.add(word("down"))
    taken = store.feedback.undo(READER, at=AT)
    assert taken is not None
    assert taken.value == "down"
    assert current(store) == {"thumb": "up"}
    store.feedback.undo(READER, at=AT)
    assert current(store) == {}
    assert store.feedback.undo(READER, at=AT) is None


def test_undo_can_be_of_one_item_and_one_aspect(store: Store) -> None:
    store.feedback.add(word("up"))
    store.feedback.add(word("yes", Aspect.SAVED))
    store.feedback.add(word("up", item="arxiv:2"))
    store.feedback.undo(READER, item="arxiv:1", aspect=Aspect.THUMB, at=AT)
    assert current(store) == {"saved": "yes"}
    assert current(store, "arxiv:2") == {"thumb": "up"}


def test_a_retried_write_lands_once(store: Store) -> None:
    first = store.feedback.add(word("up", token="click-1"))
    assert store.feedback.add(word("up", token="click-1")) == first
    assert len(store.feedback.history(READER)) == 1


def test_feedback_cannot_be_rewritten(store: Store) -> None:
    store.feedback.add(word("up"))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.db.conn.execute("UPDATE feedback SET value = 'down'")
    assert current(store) == {"thumb": "up"}


def test_a_thumb_taken_away_is_no_thumb(store: Store) -> None:
    store.feedback.add(word("up"))
    store.feedback.add(word("none"))
    assert store.feedback.thumbs(READER) == []


def test_readers_do_not_see_each_other(store: Store) -> None:
    store.feedback.add(word("up"))
    assert store.feedback.thumbs("somebody else") == []
    assert [said.value for said in store.feedback.others_thumbs("somebody else")] == ["up"]


def test_a_frozen_digest_is_not_replaced_but_an_empty_one_is(store: Store) -> None:
    shown = Impression(READER, "arxiv:1", date(2025, 12, 2), 1, Lane.READ, 1.0, "p")

    def save(snapshot: dict[str, object], impressions: list[Impression]) -> None:
        store.digests.save(
            READER, date(2025, 12, 2), made_at=AT, policy="p", cutoff=7, snapshot=snapshot, impressions=impressions
        )

    save({"n": 0}, [])
    save({"n": 1}, [shown])
    with pytest.raises(ValueError, match="frozen"):
        save({"n": 2}, [])
    assert store.digests.get(READER, date(2025, 12, 2)) == {"n": 1}
    assert store.digests.impressions(READER) == [shown]
    assert store.digests.last_cutoff(READER, before=date(2025, 12, 2)) == 0
    assert store.digests.last_cutoff(READER, before=date(2025, 12, 3)) == 7


def test_the_same_waiting_job_is_asked_once_and_done_in_order(store: Store) -> None:
    first = store.jobs.ask("run", {}, AT)
    assert store.jobs.ask("run", {}, AT) == first
    second = store.jobs.ask("poll", {"sources": ["a"]}, AT)
    taken = store.jobs.take(AT)
    assert taken is not None
    assert taken.id == first
    assert [job.id for job in store.jobs.active()] == [first, second]
    assert store.jobs.requeue_orphans() == 1


def test_a_request_may_start_only_when_the_last_one_is_long_enough_ago(store: Store) -> None:
    assert store.hosts.claim("arxiv", 3.0, AT) == 0
    assert store.hosts.claim("arxiv", 3.0, AT + timedelta(seconds=1)) == 2.0
    assert store.hosts.claim("arxiv", 3.0, AT + timedelta(seconds=3)) == 0
    assert store.hosts.claim("other", 3.0, AT + timedelta(seconds=3)) == 0


def test_a_clock_moved_back_costs_no_more_than_the_spacing(store: Store) -> None:
    store.hosts.claim("arxiv", 3.0, AT)
    assert store.hosts.claim("arxiv", 3.0, AT - timedelta(days=1)) <= 3.0
    assert store.hosts.claim("arxiv", 3.0, AT - timedelta(days=1) + timedelta(seconds=3)) == 0


def test_a_cooldown_from_the_future_counts_no_more(store: Store) -> None:
    store.hosts.cool("arxiv", AT + timedelta(hours=1), AT)
    assert store.hosts.cooling("arxiv", AT + timedelta(minutes=5)) == AT + timedelta(hours=1)
    assert store.hosts.cooling("arxiv", AT - timedelta(days=1)) is None
    assert store.hosts.cooling("arxiv", AT + timedelta(hours=2)) is None
