"""What can go wrong at the door, as one exception that carries the outcome a poll records."""

from __future__ import annotations

from datetime import datetime

from scout.items import Outcome, OutcomeKind


class FetchError(Exception):
    """An answer that could not be had or used. The message is for whoever must act on it."""

    def __init__(
        self, kind: OutcomeKind, message: str, *, status: int | None = None, retry_at: datetime | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.retry_at = retry_at

    def outcome(self) -> Outcome:
        return Outcome(self.kind, self.message, status=self.status, retry_at=self.retry_at)


class Refused(FetchError):
    """An address that is none of ours to ask: private, on this machine, not http, or with a password in it."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(OutcomeKind.REFUSED, message, status=status)
