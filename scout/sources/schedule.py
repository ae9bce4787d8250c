"""When a source is asked again. Pure: chance comes in as a `random.Random`, time as `now`."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import NamedTuple

from scout.items import Outcome, OutcomeKind

LONGEST = timedelta(days=1)
"""Nobody's wish, and no row of failures, keeps a source unasked for longer."""
_MOST_DOUBLINGS = 12


class Times(NamedTuple):
    next_poll: datetime
    """When `--due` finds it due."""
    cooling_until: datetime | None
    """Not before this at all: the server asked for patience."""
    failures: int
    """Failed polls in a row."""


def next_times(
    outcome: Outcome, failures: int, interval: timedelta, hint: timedelta | None, now: datetime, rng: random.Random
) -> Times:
    """What a poll that ended so, after `failures` failed ones, means for the next.

    After a success: the interval, or longer where the server wishes. After a failure: twice the time before, each time, up
    to a day. A little chance keeps the sources from all coming due at once. Only a server's own wish for patience cools a
    source down; a failure leaves it to whoever asks for all sources (they may have been offline, not it).
    """
    if outcome.kind.is_success:
        wait = min(max(interval, hint or interval), LONGEST)
        return Times(now + wait * rng.uniform(0.9, 1.0), None, 0)
    failures += 1
    backoff = min(interval * 2 ** min(failures, _MOST_DOUBLINGS), LONGEST) * rng.uniform(0.5, 1.0)
    if outcome.kind is not OutcomeKind.BUSY:
        return Times(now + backoff, None, failures)
    if outcome.retry_at is None:
        return Times(now + backoff, now + backoff, failures)
    until = min(max(outcome.retry_at, now), now + LONGEST)
    return Times(max(until, now + min(interval, LONGEST)), until, failures)
