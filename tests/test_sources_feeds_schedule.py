"""When a source is asked again."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout.items import Outcome, OutcomeKind
from scout.sources.schedule import LONGEST, Times, next_times

NOW = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def after(
    kind: OutcomeKind,
    *,
    failures: int = 0,
    hint: timedelta | None = None,
    retry_at: datetime | None = None,
    seed: int = 0,
) -> Times:
    return next_times(Outcome(kind, retry_at=retry_at), failures, HOUR, hint, NOW, random.Random(seed))


@pytest.mark.parametrize("kind", [OutcomeKind.OK, OutcomeKind.UNCHANGED, OutcomeKind.NO_ANNOUNCEMENT])
def test_after_a_success_the_interval_passes(kind: OutcomeKind) -> None:
    times = after(kind, failures=5)
    assert NOW + 0.9 * HOUR <= times.next_poll <= NOW + HOUR
    assert (times.cooling_until, times.failures) == (None, 0)


def test_a_server_may_wish_for_longer_but_not_for_shorter_nor_for_ever() -> None:
    assert after(OutcomeKind.OK, hint=timedelta(minutes=1)) == after(OutcomeKind.OK)
    assert NOW + 5.4 * HOUR <= after(OutcomeKind.OK, hint=6 * HOUR).next_poll <= NOW + 6 * HOUR
    assert after(OutcomeKind.OK, hint=timedelta(days=30)).next_poll <= NOW + LONGEST


def test_each_failure_doubles_the_wait_up_to_a_day() -> None:
    longest = [max(after(OutcomeKind.UNREACHABLE, failures=n, seed=s).next_poll for s in range(200)) for n in range(8)]
    hours = [round((moment - NOW) / HOUR) for moment in longest]
    assert hours == [2, 4, 8, 16, 24, 24, 24, 24]
    assert after(OutcomeKind.UNREACHABLE, failures=3).failures == 4


def test_a_failure_waits_for_nothing_but_its_turn() -> None:
    assert after(OutcomeKind.UNREACHABLE).cooling_until is None


def test_patience_asked_for_is_given_for_a_day_at_most() -> None:
    assert after(OutcomeKind.BUSY, retry_at=NOW + 3 * HOUR)[:2] == (NOW + 3 * HOUR, NOW + 3 * HOUR)
    assert after(OutcomeKind.BUSY, retry_at=NOW + timedelta(seconds=2))[:2] == (NOW + HOUR, NOW + timedelta(seconds=2))
    assert after(OutcomeKind.BUSY, retry_at=NOW + timedelta(days=9)).cooling_until == NOW + LONGEST
    assert after(OutcomeKind.BUSY, retry_at=NOW - HOUR).cooling_until == NOW


def test_patience_without_a_time_is_patience_too() -> None:
    times = after(OutcomeKind.BUSY)
    assert times.cooling_until == times.next_poll >= NOW + HOUR


def test_sources_that_fail_together_do_not_come_back_together() -> None:
    assert len({after(OutcomeKind.UNREACHABLE, seed=seed).next_poll for seed in range(20)}) == 20


@given(
    kind=st.sampled_from(OutcomeKind),
    failures=st.integers(0, 10**9),
    interval=st.timedeltas(timedelta(minutes=1), timedelta(days=400)),
    hint=st.none() | st.timedeltas(timedelta(0), timedelta(days=400)),
    retry_at=st.none() | st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    seed=st.integers(0, 99),
)
def test_nothing_is_ever_asked_at_once_again_nor_left_alone_for_more_than_a_day(
    kind: OutcomeKind,
    failures: int,
    interval: timedelta,
    hint: timedelta | None,
    retry_at: timedelta | None,
    seed: int,
) -> None:
    outcome = Outcome(kind, retry_at=None if retry_at is None else NOW + retry_at)
    times = next_times(outcome, failures, interval, hint, NOW, random.Random(seed))
    assert NOW + min(interval, LONGEST) * 0.5 <= times.next_poll <= NOW + LONGEST
    assert times.cooling_until is None or NOW <= times.cooling_until <= times.next_poll
