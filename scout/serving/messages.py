"""What is said to a model and what comes back, frozen. How it looks on the wire is `wire`'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Priority(IntEnum):
    """Whose request a server with priority scheduling takes first: the lower."""

    PERSON = 1
    """Somebody waits for it."""
    BATCH = 10


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model wrote it. `arguments` is its JSON text, which may be malformed: whoever runs tools judges it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A turn. An assistant's turn keeps its `reasoning`: interleaved thinking must go back to the model with it."""

    role: Role
    content: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: of the prompt, of the answer with its thinking, and how many of the prompt's came from the prefix cache."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer. `seconds` is how long it took, retries included."""

    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: Finish = Finish.STOP
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    endpoint: str = ""
    seconds: float = 0.0

    def message(self) -> Message:
        """The turn to append to the conversation, thinking and calls with it."""
        return Message(Role.ASSISTANT, self.text, self.reasoning, self.tool_calls)


@dataclass(frozen=True, slots=True)
class LabelReading:
    """The distribution over labels at one token: `probabilities` sum to 1, `mass` is what the model gave them in all."""

    probabilities: Mapping[str, float]
    mass: float
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    endpoint: str = ""
