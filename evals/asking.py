"""Asks a model one item once, and has the answer judged. Knows no harness: a runner hands items in and gets `Told` back.

What is the endpoint's fault is told apart from what is the model's: a fault has no score and is never a wrong answer. An
endpoint that is gone, or takes no request of ours, ends the asking; what is left is not asked any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from evals.core import MOST_CALLS, SHOWN, Answer, Case, Environment, Verdict, Verifier
from evals.journal import Told
from evals.perturb import spoken
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Finish, LabelReading, Message, Reply, Role, Tool, ToolCall, Usage

PRIORITY = 20
"""After everything that a reader waits for."""
ENDS = frozenset({ModelFault.REFUSED, ModelFault.NO_MODEL})
"""The endpoint takes no request of ours: no other item would fare better."""
IN_A_ROW = 8
"""So many items in a row without an endpoint to answer, and it is taken for dead; more where more are asked at once."""
TOO_LONG = "too-long"
NOT_ASKED = "not-asked"
UNJUDGED = "verifier"
"""Faults beside those of `ModelFault`: the item does not fit this server's context, the endpoint was gone before its turn,
the suite's verifier raised."""
TOO_MANY = "Too many calls in one turn: this one was not made."


class Client(Protocol):
    """What asking needs of `scout.serving.client.ModelClient`."""

    async def chat(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = ..., schema: Any = ..., tools: Any = ...,
        priority: int = ..., seed: int | None = ..., cut_is_fault: bool = ...,
    ) -> Reply: ...  # fmt: skip

    async def read_labels(
        self, messages: Sequence[Message], labels: Sequence[str], *, priority: int = ...
    ) -> LabelReading: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a model is asked."""

    temperature: float
    min_tokens: int = 0
    """Room for an answer where an item's own is smaller, as for models that think."""
    max_tokens: int = 0
    """No answer is longer, whatever room its item gives; 0 for as long as the item says."""

    def room(self, case: Case[Any]) -> int:
        """Tokens that an answer may have."""
        wanted = max(case.max_tokens, self.min_tokens)
        return min(wanted, self.max_tokens) if self.max_tokens else wanted


@dataclass(kw_only=True)
class Asker:
    client: Client
    verify: Verifier[Any]
    manner: Manner
    at_once: int = 16
    ended: ModelError | None = None
    """Why nothing is asked any more."""
    _lost: int = field(default=0, init=False)

    async def ask(self, case: Case[Any], epoch: int, world: Environment[Any] | None = None) -> Told:
        """One item, once. Never raises for what an endpoint, a model or a verifier does."""
        if self.ended is not None:
            return _fault(case, epoch, NOT_ASKED, self.ended.message)
        started = time.perf_counter()
        talk = _Talk(self, case, epoch)
        try:
            if world is not None:
                return await talk.act(world, started)
            answer = await talk.once()
        except ModelError as err:
            self._note(err)
            return _fault(case, epoch, str(err.kind), err.message, seconds=time.perf_counter() - started)
        except Exception as err:  # a suite's world, which should not raise
            return _unjudged(talk.told(Answer(case_id=case.id), time.perf_counter() - started), err)
        self._lost = 0
        seconds = time.perf_counter() - started
        return await self._judged(case, talk.told(answer, seconds))

    async def _judged(self, case: Case[Any], told: Told) -> Told:
        try:
            verdict = await asyncio.to_thread(self.verify, case, told.answer)
            return _scored(told, verdict)
        except Exception as err:
            return _unjudged(told, err)

    def _note(self, err: ModelError) -> None:
        if err.kind in ENDS:
            self.ended = err
        elif err.kind in (ModelFault.AWAY, ModelFault.BUSY):
            self._lost += 1
            if self._lost >= max(IN_A_ROW, self.at_once):
                self.ended = err
        else:
            self._lost = 0


@dataclass
class _Talk:
    """The conversation about one item."""

    asker: Asker
    case: Case[Any]
    epoch: int
    turns: list[Message] = field(default_factory=list)
    spent: Usage = field(default_factory=Usage)
    calls: int = 0
    cut: bool = False
    model: str = ""

    async def once(self) -> Answer:
        case = self.case
        if case.labels:
            read = await self.asker.client.read_labels(case.messages, case.labels, priority=PRIORITY)
            self._spend(read.usage, read.model)
            best = max(read.probabilities, key=read.probabilities.__getitem__)
            self.turns.append(Message(Role.ASSISTANT, best))
            return Answer(case_id=case.id, text=best, labels=dict(read.probabilities))
        reply = await self._next(case.messages, case.tools)
        return Answer(case_id=case.id, text=reply.text, calls=reply.tool_calls)

    async def act(self, world: Environment[Any], started: float) -> Told:
        """The model uses the world's tools until it has no more calls; the state that it leaves is judged."""
        state, text, calls = world.reset(), "", list[ToolCall]()
        for _ in range(world.most_turns):
            try:
                reply = await self._next((*self.case.messages, *self.turns), world.tools)
            except ModelError as err:
                if err.kind != ModelFault.TOO_LONG or not self.turns:
                    raise
                self.cut = True  # it talked itself out of its own context
                break
            text = reply.text
            written = () if reply.tool_calls else spoken(world, text)
            if not reply.tool_calls and not written:
                break
            for call in (reply.tool_calls or written)[:MOST_CALLS]:
                calls.append(call)
                state, said = await asyncio.to_thread(world.call, state, call)
                self.turns.append(
                    Message(Role.USER, f"Result of {call.name[:80]}:\n{said}") if written
                    else Message(Role.TOOL, said, tool_call_id=call.id)
                )  # fmt: skip
            for call in reply.tool_calls[MOST_CALLS:]:
                self.turns.append(Message(Role.TOOL, TOO_MANY, tool_call_id=call.id))
        else:
            self.cut = True
        self.asker._lost = 0
        answer = Answer(case_id=self.case.id, text=text, calls=tuple(calls))
        told = self.told(answer, time.perf_counter() - started)
        try:
            return _scored(told, await asyncio.to_thread(world.success, state, text))
        except Exception as err:
            return _unjudged(told, err)

    async def _next(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Reply:
        manner = self.asker.manner
        reply = await self.asker.client.chat(
            messages, max_tokens=manner.room(self.case), temperature=manner.temperature,
            schema=self.case.schema, tools=tools or None, priority=PRIORITY, seed=self.epoch, cut_is_fault=False,
        )  # fmt: skip
        self._spend(reply.usage, reply.model)
        self.cut = self.cut or reply.finish_reason == Finish.LENGTH
        self.turns.append(reply.message())
        return reply

    def _spend(self, usage: Usage, model: str) -> None:
        spent, self.calls, self.model = self.spent, self.calls + 1, model or self.model
        self.spent = Usage(
            spent.prompt + usage.prompt, spent.completion + usage.completion, spent.cached + usage.cached
        )

    def told(self, answer: Answer, seconds: float) -> Told:
        return Told(
            item=self.case.id, epoch=self.epoch, answer=answer, turns=tuple(self.turns), usage=self.spent,
            calls=self.calls, seconds=seconds, cut=self.cut, model=self.model,
        )  # fmt: skip


def _fault(case: Case[Any], epoch: int, kind: str, message: str, *, seconds: float = 0.0) -> Told:
    answer = Answer(case_id=case.id, fault=f"{kind}: {message}")
    return Told(item=case.id, epoch=epoch, answer=answer, seconds=seconds)


def _scored(told: Told, verdict: Verdict) -> Told:
    if verdict.why == SHOWN:
        return replace(told, why=SHOWN)
    score = float(verdict.score)
    if not 0 <= score <= 1:
        raise ValueError(f"a score must lie in [0, 1], not {score}")
    return replace(told, score=score, why=verdict.why, parts=dict(verdict.parts))


def _unjudged(told: Told, err: Exception) -> Told:
    fault = f"{UNJUDGED}: {type(err).__name__}: {err}"
    return replace(told, answer=replace(told.answer, fault=fault))


def kind_of(told: Told) -> str:
    """The fault's kind; empty where there is none."""
    return told.answer.fault.partition(":")[0]
