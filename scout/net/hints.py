"""What a server's headers say about when to come back. Pure; nonsense counts as silence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_LONGEST = timedelta(days=366)


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The moment `Retry-After` names, in seconds from `now` or as a date; never before `now`, at most a year away."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,18}", value):
        return now + min(timedelta(seconds=min(int(value), 10**8)), _LONGEST)
    when = http_date(value)
    return min(max(when, now), now + _LONGEST) if when else None


def freshness(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the answer stays fresh: `max-age` less `Age`, else `Expires` less `Date`; None where nothing is promised."""
    control = headers.get("cache-control", "").lower()
    if re.search(r"\bno-(?:cache|store)\b", control):
        return None
    if match := re.search(r"(?<![-\w])max-age\s*=\s*\"?(\d{1,18})", control):
        age = headers.get("age", "").strip()
        return _positive(
            timedelta(seconds=min(int(match[1]), 10**8) - (min(int(age), 10**8) if age.isdecimal() else 0))
        )
    expires = http_date(headers.get("expires", ""))
    return _positive(expires - (http_date(headers.get("date", "")) or now)) if expires else None


def http_date(value: str) -> datetime | None:
    """An HTTP date, aware and in UTC, or None where it is none."""
    try:
        when = parsedate_to_datetime(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _positive(span: timedelta) -> timedelta | None:
    return min(span, _LONGEST) if span > timedelta(0) else None
