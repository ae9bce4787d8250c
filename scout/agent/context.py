"""What of a research the model is shown at once, within a budget of tokens.

Always: the opening, all notes, and the newest turns whole with their thinking. When it gets too much, the results and the
thinking of the oldest turns go first, then those turns altogether. It shrinks by a good piece at a time, so that what is
sent begins the same for many rounds and the server's prefix cache serves it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from scout.serving.messages import Message, Role, ToolCall

KEPT_TURNS = 2
"""The newest turns, which stay whole as long as anything else can go."""
SHRUNK_TO = 0.6
GONE = "[This result was dropped to save room. Call the tool again if you need it.]"
_OVERHEAD = 8
"""Tokens about each message, for the marks of its turn."""

_SMALLEST = 600


class Window:
    """One research's view of its messages. `characters_per_token` follows what the server counts."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.characters_per_token = 3.0
        self._bare = 0
        """Turns from the start whose results and thinking are dropped."""
        self._gone = 0
        """Turns from the start that are dropped altogether."""

    def fit(self, messages: Sequence[Message], notes: Sequence[str]) -> list[Message]:
        """What to send of `messages`: at most `budget` tokens, as far as that can be told before the server counts them."""
        head, turns = _turns(messages)
        most = max(0, len(turns) - KEPT_TURNS)
        if self._size(self._view(head, turns, notes)) > self.budget:
            goal = int(self.budget * SHRUNK_TO)
            while self._bare < most and self._size(self._view(head, turns, notes)) > goal:
                self._bare += 1
            while self._gone < self._bare and self._size(self._view(head, turns, notes)) > goal:
                self._gone += 1
        return [_sendable(said) for said in _joined(self._cut(self._view(head, turns, notes)))]

    def counted(self, sent: Sequence[Message], prompt_tokens: int) -> None:
        """Learn from what the server says a prompt came to."""
        if prompt_tokens > 0:
            ratio = sum(map(_characters, sent)) / prompt_tokens
            self.characters_per_token = min(5.0, max(1.0, ratio))

    @property
    def can_shrink(self) -> bool:
        return self.budget > _SMALLEST

    def shrink(self) -> None:
        """The server says it is too much."""
        self.budget = int(self.budget * SHRUNK_TO)

    def _view(self, head: list[Message], turns: list[list[Message]], notes: Sequence[str]) -> list[Message]:
        seen = list(head)
        if self._gone and head:
            kept = "".join(f"\n- {note}" for note in notes)
            about = (
                f"\n\n[{self._gone} earlier rounds were dropped to save room.{' Your notes:' + kept if kept else ''}]"
            )
            seen[-1] = replace(head[-1], content=head[-1].content + about)
        for number, turn in enumerate(turns[self._gone :], self._gone):
            seen += [_bare(said) for said in turn] if number < self._bare else turn
        return seen

    def _size(self, messages: Sequence[Message]) -> int:
        return int(sum(map(_characters, messages)) / self.characters_per_token) + _OVERHEAD * len(messages)

    def _cut(self, messages: list[Message]) -> list[Message]:
        """Where even the newest turns are too much, their longest results are cut."""
        while (over := self._size(messages) - self.budget) > 0:
            results = [
                place for place, said in enumerate(messages) if said.role is Role.TOOL and len(said.content) > 400
            ]
            if not results:
                break
            place = max(results, key=lambda each: len(messages[each].content))
            text = messages[place].content
            keep = max(200, len(text) - int(over * self.characters_per_token) - 100)
            messages[place] = replace(messages[place], content=f"{text[:keep]}\n[The rest was cut to save room.]")
        return messages


def _turns(messages: Sequence[Message]) -> tuple[list[Message], list[list[Message]]]:
    """The opening, and then each reply with what followed it."""
    head: list[Message] = []
    turns: list[list[Message]] = []
    for said in messages:
        if said.role is Role.ASSISTANT:
            turns.append([said])
        elif turns:
            turns[-1].append(said)
        else:
            head.append(said)
    return head, turns


def _bare(said: Message) -> Message:
    if said.role is Role.TOOL:
        return replace(said, content=GONE) if len(said.content) > len(GONE) else said
    return replace(said, reasoning="") if said.reasoning else said


def _joined(messages: Sequence[Message]) -> list[Message]:
    """Two turns of the user in a row as one: some chat templates refuse them."""
    joined: list[Message] = []
    for said in messages:
        if joined and said.role is Role.USER and joined[-1].role is Role.USER:
            joined[-1] = replace(joined[-1], content=f"{joined[-1].content}\n\n{said.content}")
        else:
            joined.append(said)
    return joined


def _sendable(said: Message) -> Message:
    """A turn whose calls any server takes back: arguments that are no JSON object, of which the model was told, are left out."""
    return replace(said, tool_calls=tuple(map(_sendable_call, said.tool_calls))) if said.tool_calls else said


def _sendable_call(call: ToolCall) -> ToolCall:
    try:
        is_object = isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        is_object = False
    return call if is_object else replace(call, arguments="{}")


def _characters(said: Message) -> int:
    return len(said.content) + len(said.reasoning) + sum(len(c.name) + len(c.arguments) for c in said.tool_calls)
