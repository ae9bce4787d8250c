"""The research loop against a real vLLM, for its plumbing: many rounds, every step saved, left in the middle and gone on with.

SmolLM2-135M calls no tools of its own accord, so which tool it calls is forced, and its arguments and its brief are held to
small schemas. What it writes within them is its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from agent_samples import AT, OTHER, PAPER
from vllm_server import NAME, Vllm

from scout.agent import research as researching
from scout.agent.limits import Ending
from scout.agent.transcript import Step, StepKind
from scout.config import Research, Settings
from scout.serving.client import ModelClient
from scout.serving.messages import Message, Reply, Tool
from scout.store import Store

pytestmark = pytest.mark.vllm

ROUNDS, LEFT_AFTER = 10, 4
PLACE = f"{PAPER.id} abstract"
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "search": {"query": {"enum": ["attention", "sparse attention"]}},
    "read_item": {"item": {"enum": [PAPER.id, OTHER.id]}, "page": {"enum": [0]}},
    "neighbours": {"item": {"enum": [PAPER.id]}},
    "note": {"text": {"type": "string", "minLength": 3, "maxLength": 40}},
}


def exactly(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def some(item: Mapping[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": dict(item), "minItems": min(1, most), "maxItems": most}


EVIDENCE = exactly({"place": {"enum": [PLACE]}, "numbers": some({"enum": [1, 2, 3]}, 2)})
CLAIM = exactly({"text": {"type": "string", "minLength": 10, "maxLength": 80}, "evidence": some(EVIDENCE, 1)})
BRIEF = exactly({"claims": some(CLAIM, 1), "open_questions": some({"type": "string", "maxLength": 40}, 1)})


class Forced(ModelClient):
    """The client as it is, but for what the model may say: one call of the tool whose turn it is, or a small brief."""

    asked: list[int] = []  # noqa: RUF012  whoever uses it empties it
    """How many steps were saved when each request went out."""
    store: Store

    async def chat(
        self, messages: Sequence[Message], *, schema: Mapping[str, Any] | None = None,
        tools: Sequence[Tool] | None = None, **given: Any,
    ) -> Reply:  # fmt: skip
        self.asked.append(saved(self.store))
        name = list(ARGUMENTS)[len(self.asked) % len(ARGUMENTS)]
        offered = [replace(tool, parameters=exactly(ARGUMENTS[name])) for tool in tools or () if tool.name == name]
        place = len(self.asked)
        reply = await super().chat(
            messages, schema=BRIEF if schema else None, tools=offered or None, tool_choice=name if offered else None,
            **given,
        )  # fmt: skip
        if place == LEFT_AFTER:  # however fast the server is, its answer comes too late
            await asyncio.Event().wait()
        return reply


def saved(store: Store) -> int:
    row = store.researches.of(PAPER.id)
    return len(store.researches.steps(row[0].id)) if row else 0


@dataclass(frozen=True)
class Done:
    found: researching.Researched
    steps: tuple[Step, ...]
    asked: tuple[int, ...]
    left_at: int
    """Steps that were saved when it was left."""

    def of(self, kind: StepKind) -> list[Step]:
        return [step for step in self.steps if step.kind is kind]


@pytest.fixture(scope="module")
def done(vllm: Vllm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """One research, left with its fourth request unanswered and gone on with."""
    folder = tmp_path_factory.mktemp("research")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCOUT_DATA_DIR", str(folder))
        patch.setenv("SCOUT_CONFIG", str(folder / "scout.toml"))
        settings = Settings(model=vllm.settings, research=Research(rounds=ROUNDS, context_tokens=3_500))
        with Store(settings.database) as store:
            store.items.add([PAPER, OTHER], AT)
            patch.setattr(Forced, "asked", [])
            patch.setattr(Forced, "store", store, raising=False)
            patch.setattr(researching, "ModelClient", Forced)
            with pytest.raises(researching.Stopped):
                researching.research(store, settings, [PAPER], stop=lambda: len(Forced.asked) >= LEFT_AFTER)
            left_at = saved(store)
            (found,) = researching.research(store, settings, [PAPER])
            steps = tuple(Step.from_dict(step) for step in store.researches.steps(found.id))
            yield Done(found, steps, tuple(Forced.asked), left_at)


def test_a_research_of_many_rounds_ends_with_a_brief(done: Done) -> None:
    replies = done.of(StepKind.REPLY)
    assert done.found.ending is Ending.ROUNDS
    assert done.found.rounds == len(replies) == ROUNDS
    assert {step.model for step in replies} == {NAME}
    assert all(step.usage.prompt > 300 and step.usage.completion > 0 for step in replies)


def test_each_step_is_saved_before_the_next_and_none_is_made_again(done: Done) -> None:
    assert len(done.asked) == ROUNDS + 1, "one was asked again: the one that was under way when it was left"
    went_on = done.asked[LEFT_AFTER:]
    assert list(went_on) == sorted(set(went_on))
    assert went_on[0] == done.left_at > 2


def test_its_tools_find_and_its_brief_cites_what_they_showed(done: Done) -> None:
    results = done.of(StepKind.RESULT)
    assert len(results) == ROUNDS - 1
    assert not any(step.stumbled for step in done.steps)
    assert any(OTHER.id in step.met for step in results), "the archive was not searched"
    assert any(step.note for step in results)
    assert done.found.brief is not None
    (claim,) = done.found.brief.claims
    assert claim.evidence[0].place == PLACE
    assert claim.evidence[0].quote
