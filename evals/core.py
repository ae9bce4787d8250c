"""The types that every suite is made of: a case, what a model answered, a verifier's verdict, an agent's world, a suite.

Data only. Making cases is a suite's, asking a model is a runner's, counting verdicts is `stats`'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from scout.serving.messages import Message, Tool, ToolCall

G = TypeVar("G")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Generic[G]):
    """One thing asked of a model. With `labels` the answer is a distribution over them; else a turn, under `schema`
    or with `tools` where given. In an agentic suite the messages are the opening and the tools those of its world."""

    id: str
    """The same for the same text: answers are matched by it, and may be shared by it."""
    group: str
    """Cases of one group, the family, share material and are not independent of each other."""
    messages: tuple[Message, ...]
    gold: G
    """What verifiers compare with. No model is shown it."""
    labels: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 1
    level: int = 0
    """How hard it was made to be, 0 the easiest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; all empty where nothing did. Of an agent: every call it made, in order, and its last words."""

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
    parts: Mapping[str, float] = field(default_factory=dict)
    """What the whole hides, by name: what was found in the answer (1), or not (0); a share where it was found in part. A name
    is left out where the answer says nothing of it. Of no weight in the score."""


Verifier = Callable[[Case[G], Answer], Verdict]
"""Never raises, whatever a model wrote: an answer that cannot be read scores 0 and `why` says so."""


class Environment(Protocol[S]):
    """One case's world: tools over a state. Nothing in it changes but the states that `call` returns."""

    @property
    def tools(self) -> tuple[Tool, ...]: ...

    @property
    def most_turns(self) -> int:
        """After so many turns of the model the episode ends as it stands."""

    def reset(self) -> S:
        """The state in which the case begins, the same each time."""

    def call(self, state: S, call: ToolCall) -> tuple[S, str]:
        """The state after a call, and what the tool says. Never raises: a call that fails says why, and changes nothing."""

    def success(self, state: S, said: str) -> Verdict:
        """Judges the last state, and the last words where the task asks for some. Never raises."""


class Kind(StrEnum):
    """How a suite's cases are asked."""

    SINGLE = "single"
    """One turn, judged by `verify`."""
    AGENTIC = "agentic"
    """Turns with tools in `environment`, until the model calls none or its turns are spent."""
    OPEN = "open"
    """One turn. A case whose verdict's `why` is `SHOWN` is not scored: somebody looks at it."""


SHOWN = "just shown"


def always() -> str:
    """Nothing stands in the way."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Questions of one domain. Scores of different versions are not compared."""

    name: str
    version: int
    domain: str
    title: str
    """What it asks, in a line."""
    build: Callable[[int, int], tuple[Case[Any], ...]]
    """`build(seed, n)`: n cases; the same seed gives the same text, in any process. A smaller n gives the first of them."""
    verify: Verifier[Any]
    """Of an agentic suite: plays the answer's calls in the case's world and judges where they led."""
    gold_answer: Callable[[Case[Any]], Answer]
    """What a model that is right answers."""
    kind: Kind = Kind.SINGLE
    environment: Callable[[Case[Any]], Environment[Any]] | None = None
    items: int = 100
    """How many cases a run takes unless told otherwise."""
    families: int = 5
    """It has at least so many groups."""
    unavailable: Callable[[], str] = always
    """Why it cannot run on this machine, and what to do; empty where it can."""
    slow: bool = False
    """Each verdict starts a process: a quick self-check takes few cases."""


def play(world: Environment[S], answer: Answer) -> Verdict:
    """Where the calls of an answer lead in a case's world, judged. Calls beyond the world's turns are not made."""
    state = world.reset()
    for call in answer.calls[: world.most_turns * MOST_CALLS]:
        state, _ = world.call(state, call)
    return world.success(state, answer.text)


MOST_CALLS = 8
"""A turn may hold so many calls; a runner makes no more."""
