"""Where a research ends: the limits on it, and the ways in which it can end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scout.agent.brief import Brief
from scout.agent.transcript import Transcript
from scout.serving.messages import Priority

_TIME_TO_ANSWER = 0.15
"""The part of the time that is kept for the last round."""


class Ending(StrEnum):
    """How a research ended."""

    FINISHED = "finished"
    """The model handed its brief in."""
    ROUNDS = "rounds"
    """A limit (of rounds, of tokens, of time) asked for the brief, and it came."""
    TOKENS = "tokens"
    TIME = "time"
    MALFORMED = "malformed"
    """Three calls or replies in a row could not be used: no brief."""
    NO_ANSWER = "no-answer"
    """The last round gave no brief."""


@dataclass(frozen=True, slots=True)
class Ended:
    ending: Ending
    brief: Brief | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    rounds: int
    """The last of them is the one without tools."""
    tokens: int
    seconds: float
    context_tokens: int
    """What the model is shown and may answer in one round."""
    call_seconds: float = 120.0
    priority: Priority = Priority.PERSON
    """Whose requests a busy server takes first."""

    @property
    def reply_tokens(self) -> int:
        return max(256, min(4_096, self.context_tokens // 4))

    def reached(self, transcript: Transcript) -> Ending | None:
        """Why the next round must be the last; None where it need not be. Once it must, it stays so."""
        if transcript.rounds >= self.rounds - 1:
            return Ending.ROUNDS
        if transcript.rounds and transcript.tokens + 2 * self.context_tokens > self.tokens:
            return Ending.TOKENS  # room for one round more and the one that would have to answer
        if transcript.seconds > (1 - _TIME_TO_ANSWER) * self.seconds:
            return Ending.TIME
        return None

    def deadline(self, transcript: Transcript) -> float:
        """Seconds that the next call of the model may take."""
        return min(self.call_seconds, max(self.seconds - transcript.seconds, _TIME_TO_ANSWER * self.seconds))
