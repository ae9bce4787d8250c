"""What can go wrong with a model, as one exception whose kind says what to do next. Callers never see another."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scout.serving.messages import Reply


class ModelFault(StrEnum):
    AWAY = "away"
    """No connection, a connection that broke, or a server error: down, restarted, out of memory. Try again later."""
    SLOW = "slow"
    """No whole answer before the deadline."""
    BUSY = "busy"
    """Too many requests; `retry_at` says when to come back, where the server did."""
    REFUSED = "refused"
    """The key is missing or wrong."""
    NO_MODEL = "no-model"
    """The endpoint serves no model of that name."""
    TOO_LONG = "too-long"
    """The messages and the answer do not fit into the model's context."""
    BAD_REPLY = "bad-reply"
    """Not JSON, cut off, not UTF-8, or without what an answer must have."""
    CUT = "cut"
    """The answer ran into its token limit; `reply` holds what there is of it."""
    REJECTED = "rejected"
    """The endpoint does not take such a request, for a reason not named above."""

    @property
    def passes(self) -> bool:
        """Whether the same request may well work later, with nothing changed."""
        return self in (ModelFault.AWAY, ModelFault.SLOW, ModelFault.BUSY)


class ModelError(Exception):
    """An answer that could not be had or used. The message names the endpoint and is for whoever must act on it."""

    def __init__(
        self,
        kind: ModelFault,
        message: str,
        endpoint: str = "",
        *,
        retry_at: datetime | None = None,
        reply: Reply | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.endpoint = endpoint
        self.retry_at = retry_at
        self.reply = reply
