"""The one place that asks what time it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from scout.config import Settings


def now() -> datetime:
    """The moment, aware, in UTC, to the microsecond."""
    return datetime.now(UTC)


def today(settings: Settings) -> date:
    """The day a digest is for: `SCOUT_TODAY` if set, else the day in the configured time zone."""
    return settings.today or datetime.now(ZoneInfo(settings.digest.timezone)).date()
