"""Everything that was said in one research, step by step. Each step is saved as it is made, so that a research whose process
was killed goes on from the last of them.

What has been used up, noted and shown is always computed from the steps; nothing else is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from scout.items import ItemId
from scout.serving.messages import Finish, Message, Role, ToolCall, Usage


class StepKind(StrEnum):
    OPENING = "opening"
    """The system prompt, and the item."""
    REPLY = "reply"
    """What the model thought, said and asked for."""
    RESULT = "result"
    """What a tool answered."""
    REMARK = "remark"
    """What the loop itself had to say: a reply was no good, or this is the last round."""
    FAULT = "fault"
    """A request that got no usable answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    kind: StepKind
    message: Message | None = None
    """What it adds to the conversation; None where it adds nothing."""
    text: str = ""
    """For people: what went wrong."""
    seconds: float = 0.0
    usage: Usage = field(default_factory=Usage)
    finish: Finish | None = None
    model: str = ""
    is_last_round: bool = False
    stumbled: bool = False
    """A call or reply that could not be used; three in a row end a research."""
    note: str = ""
    shown: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    met: tuple[ItemId, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Step:
        """The step that `to_dict` gave, also after a way through JSON."""
        said = data["message"]
        return cls(
            kind=StepKind(data["kind"]),
            message=said
            and Message(
                Role(said["role"]), said["content"], said["reasoning"],
                tuple(ToolCall(**call) for call in said["tool_calls"]), said["tool_call_id"],
            ),
            text=data["text"],
            seconds=data["seconds"],
            usage=Usage(**data["usage"]),
            finish=data["finish"] and Finish(data["finish"]),
            model=data["model"],
            is_last_round=data["is_last_round"],
            stumbled=data["stumbled"],
            note=data["note"],
            shown={place: {int(n): text for n, text in there.items()} for place, there in data["shown"].items()},
            met=tuple(data["met"]),
        )  # fmt: skip


class Transcript:
    """The steps so far. `save` is called with the place and the step before the step counts."""

    def __init__(self, save: Callable[[int, Step], None], steps: Iterable[Step] = ()) -> None:
        self._save = save
        self.steps: list[Step] = []
        self.notes: list[str] = []
        self.shown: dict[str, dict[int, str]] = {}
        self.met: set[ItemId] = set()
        for step in steps:
            self._take(step)

    def add(self, step: Step) -> None:
        self._save(len(self.steps), step)
        self._take(step)

    def _take(self, step: Step) -> None:
        self.steps.append(step)
        if step.note:
            self.notes.append(step.note)
        for place, there in step.shown.items():
            self.shown.setdefault(place, {}).update(there)
        self.met.update(step.met)

    @property
    def messages(self) -> list[Message]:
        return [step.message for step in self.steps if step.message]

    @property
    def rounds(self) -> int:
        return sum(step.kind is StepKind.REPLY for step in self.steps)

    @property
    def why_last(self) -> str:
        """The limit for which the model was told that it is the last round; empty before that."""
        return next((step.text for step in self.steps if step.is_last_round), "")

    @property
    def last_tries(self) -> int:
        """How many answers of the last round were no good."""
        return sum(step.is_last_round and step.stumbled for step in self.steps)

    @property
    def tokens(self) -> int:
        """What was read and written; what came from the prefix cache costs next to nothing and is left out."""
        return sum(max(0, s.usage.prompt - s.usage.cached) + s.usage.completion for s in self.steps)

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)

    @property
    def stumbles(self) -> int:
        """How many calls or replies in a row, up to now, were no good."""
        count = 0
        for step in reversed(self.steps):
            if step.stumbled:
                count += 1
            elif step.kind is StepKind.RESULT:
                break
        return count

    @property
    def model(self) -> str:
        """The model that answered last."""
        return next((step.model for step in reversed(self.steps) if step.model), "")

    def pending(self) -> tuple[ToolCall, ...]:
        """Calls of the model's newest reply that have no result yet."""
        messages = self.messages
        newest = next((place for place in range(len(messages) - 1, -1, -1) if messages[place].tool_calls), None)
        if newest is None:
            return ()
        answered = {said.tool_call_id for said in messages[newest + 1 :] if said.role is Role.TOOL}
        return tuple(call for call in messages[newest].tool_calls if call.id not in answered)
