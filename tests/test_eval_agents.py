"""Agents on a scripted endpoint: a world's tools used turn by turn, limits, calls in words, and a world that fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from scripted_server import Request, ScriptedServer, Turn, serving, too_long

from evals.asking import Asker, Manner
from evals.core import Answer, Case, Environment, Verdict
from evals.journal import Told
from evals.perturb import PERTURBATIONS, Veiled
from scout.config import Model
from scout.serving.client import ModelClient, Patience
from scout.serving.messages import Message, Role, Tool, ToolCall


@dataclass(frozen=True)
class Counter:
    """A world that counts to three."""

    most_turns: int = 6
    fails: bool = False

    @property
    def tools(self) -> tuple[Tool, ...]:
        return (Tool("add", "Adds to the count.", {"type": "object", "properties": {"n": {"type": "integer"}}}),)

    def reset(self) -> int:
        return 0

    def call(self, state: int, call: ToolCall) -> tuple[int, str]:
        if self.fails:
            raise OSError("the world broke")
        after = state + int(json.loads(call.arguments)["n"])
        return after, f"the count is {after}"

    def success(self, state: int, said: str) -> Verdict:
        return Verdict("count", float(state == 3), f"the count is {state}, and it said {said!r}")


CASE: Case[None] = Case(
    id="count", group="g", messages=(Message(Role.USER, "Count to three."),), gold=None, tools=Counter().tools, max_tokens=64
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as running:
        yield running


def told(server: ScriptedServer, world: Environment[Any], case: Case[None] = CASE) -> Told:
    async def ask() -> Told:
        settings = Model(base_urls=(server.base_url,))
        async with ModelClient(settings, patience=Patience(attempts=1)) as client:
            asker = Asker(client=client, verify=lambda c, a: Verdict(c.id, 0.0), manner=Manner(temperature=0.0))
            return await asker.ask(case, 1, world)

    return asyncio.run(ask())


def one_by_one(request: Request) -> Turn:
    results = [said for said in request.messages if said["role"] == "tool"]
    return Turn(calls=[("add", {"n": 1})]) if len(results) < 3 else Turn("Done.")


def test_an_agent_acts_until_it_calls_nothing_and_its_last_state_is_judged(server: ScriptedServer) -> None:
    server.script = one_by_one
    found = told(server, Counter())
    assert (found.score, found.calls, found.cut) == (1.0, 4, False)
    assert found.why == "the count is 3, and it said 'Done.'"
    assert [turn.role for turn in found.turns] == [Role.ASSISTANT, Role.TOOL] * 3 + [Role.ASSISTANT]
    assert [turn.content for turn in found.turns if turn.role == Role.TOOL][-1] == "the count is 3"
    assert len(found.answer.calls) == 3


def test_an_agent_that_does_nothing_scores_nothing(server: ScriptedServer) -> None:
    server.script = lambda request: "Done."
    found = told(server, Counter())
    assert (found.score, found.calls, found.answer.fault) == (0.0, 1, "")


def test_an_agent_that_never_ends_is_cut_off_at_the_worlds_turns(server: ScriptedServer) -> None:
    server.script = lambda request: Turn(calls=[("add", {"n": 0})])
    found = told(server, Counter(most_turns=3))
    assert (found.score, found.calls, found.cut) == (0.0, 3, True)


def test_too_many_calls_in_a_turn_are_answered_and_not_made(server: ScriptedServer) -> None:
    def eager(request: Request) -> Turn:
        return Turn(calls=[("add", {"n": 1})] * 20) if len(request.messages) == 1 else Turn("Done.")

    server.script = eager
    found = told(server, Counter())
    results = [turn.content for turn in found.turns if turn.role == Role.TOOL]
    assert (len(results), len(found.answer.calls)) == (20, 8)
    assert "was not made" in results[-1]


def test_an_agent_that_talks_itself_out_of_its_context_is_judged_as_it_stands(server: ScriptedServer) -> None:
    def talks(request: Request) -> Turn:
        if len(request.messages) == 1:
            server.fails(too_long(), times=1)
            return Turn(calls=[("add", {"n": 3})])
        return Turn("never said")

    server.script = talks
    found = told(server, Counter())
    assert (found.score, found.cut, found.answer.fault) == (1.0, True, "")


def test_a_prompt_that_never_fit_is_a_fault_and_no_wrong_answer(server: ScriptedServer) -> None:
    server.fails(too_long(), times=1)
    found = told(server, Counter())
    assert (found.score, found.answer.fault.partition(":")[0]) == (None, "too-long")


def test_a_world_that_breaks_spoils_its_item_and_not_the_run(server: ScriptedServer) -> None:
    server.script = one_by_one
    found = told(server, Counter(fails=True))
    assert found.score is None
    assert found.answer.fault == "verifier: OSError: the world broke"


def test_calls_in_words_are_made_and_answered_in_words(server: ScriptedServer) -> None:
    def words(request: Request) -> str:
        last = request.last
        return "Done." if "count is 3" in last else '<tool_call>{"name": "add", "arguments": {"n": 3}}</tool_call>'

    server.script = words
    by = PERTURBATIONS["emulated-calls"]
    world = Veiled(Counter(), by, CASE.id)
    found = told(server, world, replace(CASE, tools=()))
    assert found.score == 1.0
    assert [turn.role for turn in found.turns] == [Role.ASSISTANT, Role.USER, Role.ASSISTANT]
    assert all("tools" not in chat.body for chat in server.chats)
    assert isinstance(found.answer, Answer)
