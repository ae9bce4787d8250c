"""The loop: thinking goes back, limits end it with an answer, what is no good is told to the model, and any step can be the last."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from agent_samples import BRIEF, PAPER, Scripted, call, says

from scout.agent.arguments import specifications
from scout.agent.limits import Ended, Ending, Limits
from scout.agent.loop import BRIEF_SCHEMA, CUT, Loop
from scout.agent.tools import Result, abstract
from scout.agent.transcript import Step, StepKind, Transcript
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Finish, Message, Priority, Reply, Role, ToolCall

WIDE = Limits(rounds=24, tokens=1_000_000, seconds=900, context_tokens=16_000)
SEARCH = call("search", {"query": "attention"})
FINISH = call("finish", BRIEF)
BAD = call("search", "{oops")


class Shelf:
    """Tools that know the names, and find the same every time."""

    def __init__(self) -> None:
        self.used: list[str] = []

    def use(self, call: ToolCall) -> Result:
        from scout.agent.brief import Draft

        self.used.append(call.name)
        if call.name == "finish":
            return Result(text="Handed in.", draft=Draft.model_validate_json(call.arguments))
        if call.name == "note":
            return Result(text="Noted.", note=json.loads(call.arguments)["text"])
        return Result(text="found something", malformed=call.arguments.startswith("{oops"))


def opened(steps: list[Step] | None = None, on_save: Callable[[Step], None] = lambda step: None) -> Transcript:
    kept: list[Step] = [] if steps is None else steps
    before = list(kept)

    def save(number: int, step: Step) -> None:
        assert number == len(kept)
        kept.append(Step.from_dict(json.loads(json.dumps(step.to_dict()))))
        on_save(step)

    transcript = Transcript(save, before)
    if not before:
        about = abstract(PAPER, "f")
        transcript.add(Step(kind=StepKind.OPENING, message=Message(Role.SYSTEM, "rules")))
        transcript.add(Step(kind=StepKind.OPENING, message=Message(Role.USER, about.text), shown=about.shown))
    return transcript


def run(model: Scripted, transcript: Transcript, limits: Limits = WIDE, shelf: Shelf | None = None) -> Ended:
    loop = Loop(
        item=PAPER.id, model=model, tools=shelf or Shelf(), offered=specifications(), transcript=transcript, limits=limits,
        clock=lambda: 0.0,
    )  # fmt: skip
    return asyncio.run(loop.run())


def test_a_research_ends_with_the_brief_that_it_hands_in() -> None:
    transcript = opened()
    ended = run(Scripted(says("", SEARCH, thinking="What else is there?"), says("", FINISH)), transcript)
    assert ended.ending is Ending.FINISHED
    assert ended.brief is not None
    assert [claim.text for claim in ended.brief.claims] == ["It needs less memory."]
    assert ended.brief.claims[0].evidence[0].quote == "It needs 40% less memory."


def test_the_thinking_of_each_round_goes_back_with_its_turn() -> None:
    model = Scripted(*(says("", SEARCH, thinking=f"thought {n}") for n in range(9)), says("", FINISH))
    run(model, opened())
    thought = [said.reasoning for said in model.sent[-1] if said.role is Role.ASSISTANT]
    assert thought == [f"thought {n}" for n in range(9)]


def test_the_last_round_has_no_tools_and_must_answer() -> None:
    model = Scripted(says("", SEARCH), says("", SEARCH), says(json.dumps(BRIEF)))
    ended = run(model, opened(), Limits(rounds=3, tokens=10**6, seconds=900, context_tokens=16_000))
    assert (ended.ending, ended.brief is not None) == (Ending.ROUNDS, True)
    assert [bool(tools) for tools in model.offered] == [True, True, False]
    assert model.schemas == [None, None, BRIEF_SCHEMA]
    assert "last round: the limit of rounds" in model.sent[-1][-1].content


@pytest.mark.parametrize(
    ("limits", "ending"),
    [
        (Limits(rounds=24, tokens=2_100, seconds=900, context_tokens=1_000), Ending.TOKENS),
        (Limits(rounds=24, tokens=10**6, seconds=10, context_tokens=16_000), Ending.TIME),
    ],
)
def test_tokens_and_time_ask_for_the_answer_too(limits: Limits, ending: Ending) -> None:
    model = Scripted(says("", SEARCH), says(json.dumps(BRIEF)))
    ticks = iter(range(0, 1000, 5))
    loop = Loop(
        item=PAPER.id, model=model, tools=Shelf(), offered=specifications(), transcript=opened(), limits=limits,
        clock=lambda: float(next(ticks)),
    )  # fmt: skip
    assert asyncio.run(loop.run()).ending is ending


def test_a_reply_cut_off_is_a_failure_of_its_round_and_its_calls_are_not_made() -> None:
    shelf, transcript = Shelf(), opened()
    model = Scripted(says("", SEARCH, finish=Finish.LENGTH), says("", FINISH))
    assert run(model, transcript, shelf=shelf).ending is Ending.FINISHED
    assert shelf.used == ["finish"]
    assert model.sent[1][-1].content.endswith(f"{CUT} Call a tool; call finish to hand in the brief.")
    assert transcript.rounds == 2


def test_a_last_round_that_is_cut_off_twice_leaves_no_brief() -> None:
    cut = says('{"claims": [', finish=Finish.LENGTH)
    ended = run(Scripted(cut, cut), opened(), Limits(rounds=1, tokens=10**6, seconds=900, context_tokens=16_000))
    assert ended == Ended(Ending.NO_ANSWER)


def test_a_malformed_call_goes_back_as_a_message_and_three_in_a_row_end_it() -> None:
    model = Scripted(says("", BAD), says("", BAD), says("", SEARCH), says("", BAD), says("", BAD), says("", BAD))
    transcript = opened()
    assert run(model, transcript) == Ended(Ending.MALFORMED)
    assert model.replies == []
    assert model.sent[1][-1].role is Role.TOOL
    assert transcript.rounds == 6


def test_words_without_a_call_are_told_to_the_model_and_a_brief_in_words_is_one() -> None:
    model = Scripted(says("I think it is a good paper."), says(f"Here it is:\n```json\n{json.dumps(BRIEF)}\n```"))
    assert run(model, opened()).ending is Ending.FINISHED
    assert "no brief" in model.sent[1][-1].content


def test_a_brief_of_which_no_claim_stands_goes_back_and_counts_what_it_drops_at_the_end() -> None:
    false = {**BRIEF, "claims": [{"text": "Invented.", "evidence": [{"place": "arxiv:9 full", "numbers": [1]}]}]}
    model = Scripted(says("", call("finish", false)), says("", FINISH))
    assert run(model, opened()).ending is Ending.FINISHED
    assert "'arxiv:9 full' was not read" in model.sent[1][-1].content
    short = Limits(rounds=1, tokens=10**6, seconds=900, context_tokens=16_000)
    ended = run(Scripted(says(json.dumps(false)), says(json.dumps(false))), opened(), short)
    assert ended.brief is not None
    assert (len(ended.brief.claims), len(ended.brief.dropped)) == (0, 1)


def test_no_more_than_a_few_calls_of_one_reply_are_made() -> None:
    shelf = Shelf()
    calls = [call("search", {"query": "x"}, id=f"c{n}") for n in range(9)]
    transcript = opened()
    run(Scripted(says("", *calls), says("", FINISH)), transcript, shelf=shelf)
    assert shelf.used == ["search"] * 4 + ["finish"]
    assert sum(said.role is Role.TOOL for said in transcript.messages) == 9


def test_a_model_that_is_away_leaves_the_research_where_it_stands() -> None:
    transcript = opened()
    with pytest.raises(ModelError):
        run(Scripted(says("", SEARCH), ModelError(ModelFault.AWAY, "nobody listens")), transcript)
    assert [step.kind for step in transcript.steps[-2:]] == [StepKind.RESULT, StepKind.FAULT]
    assert run(Scripted(says("", FINISH)), transcript).ending is Ending.FINISHED


def test_a_prompt_that_is_too_long_is_made_shorter_and_unreadable_replies_are_stumbles() -> None:
    long = ModelError(ModelFault.TOO_LONG, "too long")
    assert run(Scripted(says("", SEARCH), long, long, says("", FINISH)), opened()).ending is Ending.FINISHED
    bad = ModelError(ModelFault.BAD_REPLY, "not JSON")
    assert run(Scripted(bad, bad, bad), opened()).ending is Ending.MALFORMED


def test_notes_are_kept() -> None:
    transcript = opened()
    run(Scripted(says("", call("note", {"text": "40% on page 2"})), says("", FINISH)), transcript)
    assert transcript.notes == ["40% on page 2"]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("fatal", range(2, 13))
def test_killed_after_any_step_it_goes_on_and_repeats_no_call_of_the_model(fatal: int) -> None:
    script = [
        says("", SEARCH, thinking="one"), says("", call("note", {"text": "n"})), says("", BAD), says("hm"), says("", SEARCH),
        says("", FINISH),
    ]  # fmt: skip
    steps: list[Step] = []

    def die(step: Step) -> None:
        if len(steps) == fatal + 1:
            raise Killed

    opened(steps)
    first = Scripted(*script)
    with pytest.raises(Killed):
        run(first, opened(steps, die))
    asked: list[Reply | ModelError] = list(script[sum(step.kind is StepKind.REPLY for step in steps) :])
    second = Scripted(*asked)
    ended = run(second, opened(steps))
    assert (ended.ending, second.replies) == (Ending.FINISHED, [])
    kinds = [step.kind for step in steps]
    assert kinds.count(StepKind.REPLY) == len(script)
    assert kinds.count(StepKind.RESULT) == 4


def test_every_reply_has_the_limits_room_and_their_priority() -> None:
    model = Scripted(says("", SEARCH), says("", FINISH))
    run(model, opened(), replace(WIDE, priority=Priority.BATCH))
    assert model.limits == [(4_000, 10), (4_000, 10)]
    tight = replace(WIDE, context_tokens=2_000)
    model = Scripted(says("", FINISH))
    run(model, opened(), tight)
    assert model.limits == [(500, 1)]
