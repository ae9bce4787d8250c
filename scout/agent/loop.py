"""The research loop: the model thinks, calls a tool, sees what it found, and thinks again, until it hands in its brief.

Its thinking goes back to it with every turn. A malformed call goes back as a message and three in a row end the research;
near a limit one last round without tools must answer. Every step is in the transcript before the next begins, so the loop can
be left at any point and goes on from there. What tools do is `tools`', what is sent of a long past is `context`'s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pydantic import ValidationError

from scout.agent.brief import Brief, Draft, checked, inlined
from scout.agent.context import Window
from scout.agent.limits import Ended, Ending, Limits
from scout.agent.tools import Result, explained
from scout.agent.transcript import Step, StepKind, Transcript
from scout.items import ItemId
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Finish, Message, Reply, Role, Tool, ToolCall

MOST_STUMBLES = 3
LAST_TRIES = 2
MOST_CALLS = 4
"""Calls of one reply that are answered."""
BRIEF_SCHEMA: Mapping[str, Any] = inlined(Draft)
LAST = (
    "This is the last round: the limit of {why} is reached. There are no tools any more. Answer now with the brief alone, as "
    "JSON with the keys claims, builds_on, open_questions and try_code. Every claim cites places and numbers that you have read."
)
CUT = "Your reply was cut off at its limit of tokens and was not used. Think and write less."
UNREADABLE = "Your reply could not be read. Try again."
TOO_MANY = "Too many calls at once: this one was not made."


class Chat(Protocol):
    """What the loop needs of `scout.serving.client.ModelClient`."""

    async def chat(
        self, messages: Sequence[Message], *, max_tokens: int, schema: Mapping[str, Any] | None,
        tools: Sequence[Tool] | None, priority: int, deadline: float | None, cut_is_fault: bool,
    ) -> Reply: ...  # fmt: skip


class Tools(Protocol):
    def use(self, call: ToolCall) -> Result: ...


@dataclass(kw_only=True)
class Loop:
    """One item's research, from wherever its transcript stands."""

    item: ItemId
    model: Chat
    tools: Tools
    offered: Sequence[Tool]
    transcript: Transcript
    limits: Limits
    clock: Callable[[], float] = time.monotonic
    window: Window = field(init=False)

    def __post_init__(self) -> None:
        told = sum(len(str(tool)) for tool in self.offered) // 4
        self.window = Window(self.limits.context_tokens - self.limits.reply_tokens - told)

    async def run(self) -> Ended:
        """Go on until there is an end.

        Raises:
            ModelError: the model is away or does not take such requests; the same research goes on later.
        """
        while True:
            if brief := await self._answer_calls():
                return Ended(Ending.FINISHED, brief)
            if brief := self._answer_words():
                return Ended(Ending(self.transcript.why_last or Ending.FINISHED), brief)
            if self.transcript.stumbles >= MOST_STUMBLES:
                return Ended(Ending.MALFORMED)
            is_last = bool(why_last := self.limits.reached(self.transcript))
            if is_last and self.transcript.last_tries >= LAST_TRIES:
                return Ended(Ending.NO_ANSWER)
            if why_last and not self.transcript.why_last:
                said = Message(Role.USER, LAST.format(why=why_last.value))
                self.transcript.add(Step(kind=StepKind.REMARK, message=said, text=why_last.value, is_last_round=True))
            await self._ask(is_last=is_last)

    async def _answer_calls(self) -> Brief | None:
        """Give every call of the newest reply its result; a brief where one hands in one that stands."""
        for place, call in enumerate(self.transcript.pending()):
            began = self.clock()
            result = Result(text=TOO_MANY) if place >= MOST_CALLS else await asyncio.to_thread(self.tools.use, call)
            brief = self._checked(result.draft) if result.draft else None
            problem = unfounded(brief) if brief else ""
            if brief and not problem:
                return brief  # the call keeps no result: had the process died here, it would hand the same brief in
            said = Message(Role.TOOL, problem or result.text, tool_call_id=call.id)
            self.transcript.add(
                Step(
                    kind=StepKind.RESULT, message=said, seconds=self.clock() - began, shown=result.shown, met=result.met,
                    stumbled=result.malformed or bool(problem), note=result.note,
                )
            )  # fmt: skip
        return None

    async def _ask(self, *, is_last: bool) -> None:
        """Put the model's reply into the transcript, its thinking with it; one that was cut off adds nothing else."""
        began = self.clock()
        sent = self.window.fit(self.transcript.messages, self.transcript.notes)
        try:
            reply = await self.model.chat(
                sent, max_tokens=self.limits.reply_tokens, schema=BRIEF_SCHEMA if is_last else None,
                tools=None if is_last else self.offered, priority=self.limits.priority,
                deadline=self.limits.deadline(self.transcript), cut_is_fault=False,
            )  # fmt: skip
        except ModelError as err:
            self.transcript.add(Step(kind=StepKind.FAULT, text=err.message, seconds=self.clock() - began))
            self._after(err, is_last=is_last)
            return
        self.window.counted(sent, reply.usage.prompt)
        is_cut = reply.finish_reason is Finish.LENGTH
        said = replace(reply.message(), tool_calls=()) if is_last else reply.message()
        self.transcript.add(
            Step(
                kind=StepKind.REPLY, message=None if is_cut else said, text="the reply was cut off" if is_cut else "",
                seconds=self.clock() - began, usage=reply.usage, finish=reply.finish_reason, model=reply.model,
                is_last_round=is_last,
            )
        )  # fmt: skip

    def _after(self, err: ModelError, *, is_last: bool) -> None:
        """What a request without an answer means for the research.

        Raises:
            ModelError: that it cannot go on now.
        """
        if err.kind is ModelFault.TOO_LONG and self.window.can_shrink:
            self.window.shrink()
        elif err.kind in (ModelFault.BAD_REPLY, ModelFault.CUT):
            self._remark(CUT if err.kind is ModelFault.CUT else UNREADABLE, is_last=is_last)
        elif err.kind is not ModelFault.SLOW or is_last or not self.limits.reached(self.transcript):
            raise err

    def _answer_words(self) -> Brief | None:
        """The brief in a newest reply that calls no tool; where there is none, the model is told what is wrong."""
        newest = self.transcript.steps[-1]
        if newest.kind is not StepKind.REPLY:
            return None
        is_last = newest.is_last_round
        if newest.message is None:
            self._remark(CUT, is_last=is_last)
            return None
        try:
            brief = self._checked(Draft.model_validate_json(_json(newest.message.content)))
        except ValidationError as err:
            self._remark(f"That is no brief: {explained(err)}", is_last=is_last)
            return None
        problem = unfounded(brief)
        if not problem or (is_last and self.transcript.last_tries == LAST_TRIES - 1):
            return brief  # at the very end a brief without a claim still says what was dropped
        self._remark(problem, is_last=is_last)
        return None

    def _checked(self, draft: Draft) -> Brief:
        return checked(draft, shown=self.transcript.shown, met=self.transcript.met - {self.item})

    def _remark(self, text: str, *, is_last: bool) -> None:
        hint = "" if is_last else " Call a tool; call finish to hand in the brief."
        said = Message(Role.USER, text + hint)
        step = Step(kind=StepKind.REMARK, message=said, text=text, stumbled=True, is_last_round=is_last)
        self.transcript.add(step)


def unfounded(brief: Brief) -> str:
    """What is wrong with a brief of which no claim stands; empty where one does."""
    if brief.claims:
        return ""
    whys = "; ".join(dropped.why for dropped in brief.dropped[:3])
    return f"No claim of the brief cites what was read ({whys or 'it has none'}). Cite places and numbers as results show them."


def _json(text: str) -> str:
    """The JSON object in a reply that may have words or a code fence about it."""
    first, end = text.find("{"), text.rfind("}")
    return text[first : end + 1] if 0 <= first < end else text
