"""A world for an agent: tools over a state that is plain JSON. What is in it, and what is to be done, are each world's file's.

A case is solved when the state at the end is the one that the right calls lead to: what else was touched counts against
it, the way does not.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator

from evals.core import Verdict
from evals.verify import final_answer, folded
from scout.serving.messages import Tool, ToolCall

State = dict[str, Any]
Do = Callable[[State, Mapping[str, Any]], str]
PAGE = 5
"""A list shows so many entries at once."""
LONGEST_CALL = 20_000


class Refused(ValueError):
    """A tool does not do that, and says why."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A tool and what it does. `do` may change the state it is given: `World.call` hands it a copy."""

    tool: Tool
    do: Do
    check: Draft202012Validator

    @classmethod
    def of(
        cls, name: str, description: str, properties: Mapping[str, Any], do: Do, *, optional: Sequence[str] = ()
    ) -> Deed:
        schema = {
            "type": "object", "properties": dict(properties), "additionalProperties": False,
            "required": [each for each in properties if each not in optional],
        }  # fmt: skip
        return cls(Tool(name, description, schema), do, Draft202012Validator(schema))


@dataclass(frozen=True)
class World:
    """`evals.core.Environment` over deeds."""

    case_id: str
    deeds: tuple[Deed, ...]
    start: State
    right: tuple[ToolCall, ...]
    """Calls that solve it, the looking up too."""
    said: str = ""
    """What the last words must say after `Answer:`; nothing where empty."""
    forbidden: Callable[[State], bool] | None = None
    """Whether a state shows that the forbidden short cut was taken; None where there is none."""

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(deed.tool for deed in self.deeds)

    @property
    def most_turns(self) -> int:
        """Half as many again as one call a turn takes, within 10 and 100."""
        return max(10, min(100, len(self.right) * 3 // 2 + 4))

    @cached_property
    def goal(self) -> State:
        state = self.reset()
        for call in self.right:
            state, told = self.call(state, call)
            if told.startswith("error:"):
                raise ValueError(f"{self.case_id}: its own solution fails: {call.name} {call.arguments}: {told}")
        return state

    def reset(self) -> State:
        return copy.deepcopy(self.start)

    def call(self, state: State, call: ToolCall) -> tuple[State, str]:
        deed = next((deed for deed in self.deeds if deed.tool.name == call.name), None)
        if deed is None:
            return state, f"error: there is no tool {call.name[:80]}; there are {', '.join(t.name for t in self.tools)}"
        try:
            arguments = json.loads(call.arguments[:LONGEST_CALL] or "{}")
            problem = next(iter(deed.check.iter_errors(arguments)), None)
            if problem is not None:
                return state, f"error: {problem.message[:200]}"
            after = copy.deepcopy(state)
            return after, deed.do(after, arguments)
        except Refused as err:
            return state, f"error: {err}"
        except (ValueError, TypeError, RecursionError) as err:
            return state, f"error: the arguments are no JSON object that fits ({type(err).__name__})"

    def success(self, state: State, said: str) -> Verdict:
        try:
            parts = self._parts(state)
            if state != self.goal:
                wrong = [key for key in self.goal if state.get(key) != self.goal[key]]
                return Verdict(self.case_id, 0.0, f"{', '.join(wrong) or 'something'} not as it should be", parts)
            if self.said and folded(final_answer(said)) != folded(self.said):
                return Verdict(self.case_id, 0.0, f"the state is right, the answer is not {self.said}", parts)
        except Exception as err:  # what a model wrote never ends a run
            return Verdict(self.case_id, 0.0, f"cannot be judged ({type(err).__name__})")
        return Verdict(self.case_id, 1.0, "done", parts)

    def _parts(self, state: State) -> dict[str, float]:
        parts = {"changed nothing": float(state == self.start), "state right": float(state == self.goal)}
        return parts if self.forbidden is None else {"took the short cut": float(self.forbidden(state)), **parts}

    def looked(self) -> str:
        """What the right calls are told before the first that changes anything: all that must be known to act."""
        told = []
        for call in self.right:
            after, text = self.call(self.start, call)
            if after != self.start:
                break
            told.append(f"{call.name} {call.arguments}:\n{text}")
        return "\n\n".join(told)


def paged(rows: Sequence[str], page: int) -> str:
    """A page of a list, from 1, and how many pages there are."""
    pages = max(1, -(-len(rows) // PAGE))
    if page > pages:
        raise Refused(f"there are {pages} pages")
    return "\n".join([*rows[(page - 1) * PAGE : page * PAGE], f"page {page} of {pages}"])


def found(rows: Mapping[str, Any], key: str, what: str) -> Any:
    """An entry by its key; refused where there is none."""
    if key not in rows:
        raise Refused(f"there is no {what} {key[:80]}")
    return rows[key]


def call(name: str, /, **arguments: Any) -> ToolCall:
    return ToolCall("gold", name, json.dumps(arguments, sort_keys=True))


TEXT = {"type": "string", "maxLength": 4000}
PAGE_NUMBER = {"type": "integer", "minimum": 1, "description": "which page, from 1"}
