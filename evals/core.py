"""The three types that every suite is made of: a case, what a model answered, and a verifier's verdict.

Data only. Making cases is a suite's, asking a model is a runner's, counting verdicts is `stats`'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from scout.serving.messages import Message, Tool, ToolCall

G = TypeVar("G")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Generic[G]):
    """One thing asked of a model. With `labels` the answer is a distribution over them; else a turn, under `schema`
    or with `tools` where given."""

    id: str
    """The same for the same text: answers are matched by it, and may be shared by it."""
    group: str
    """Cases of one group share material and are not independent of each other."""
    messages: tuple[Message, ...]
    gold: G
    """What verifiers compare with. No model is shown it."""
    labels: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; all empty where nothing did."""

    case_id: str
    text: str = ""
    labels: Mapping[str, float] = field(default_factory=dict)
    calls: tuple[ToolCall, ...] = ()
    fault: str = ""
    """Why there is no answer, or none that can be used."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier found. `score` is in [0, 1]; what 1 stands for is the verifier's to say."""

    case_id: str
    score: float
    why: str = ""


Verifier = Callable[[Case[G], Answer], Verdict]
"""Never raises, whatever a model wrote: an answer that cannot be read scores 0 and `why` says so."""
