"""What every kind of source shares: the tools a poll is given and what it hands back.

A poll reads a source's row and asks the network through its tools; it writes nothing. It never raises for what came from
outside: a failure is its outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from scout.config import Settings
from scout.items import Item, Outcome, Release, Signal
from scout.net.errors import FetchError
from scout.net.fetch import Fetcher
from scout.net.manners import Manners
from scout.sources.pool import ParserPool
from scout.store.sources import SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    settings: Settings
    fetcher: Fetcher
    parser: ParserPool
    manners: Manners
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What one poll of one source found."""

    outcome: Outcome
    items: tuple[Item, ...] = ()
    """Each id once."""
    signals: tuple[Signal, ...] = ()
    releases: tuple[Release, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    """What the source is to remember: the whole new state, which replaces the old one."""
    title: str = ""
    """What the source calls itself; empty where it did not say."""
    moved_to: str | None = None
    """Where the source is from now on, after permanent redirects."""
    hint: timedelta | None = None
    """The server's wish: no sooner than this again."""


def failed(source: SourceRow, err: FetchError) -> Poll:
    """A poll that found nothing: the error is its outcome, the state stays."""
    return Poll(outcome=err.outcome(), state=source.state)
