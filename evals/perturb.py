"""What must not matter, varied. A perturbed item keeps its id, and its draw comes from the id.

`perturbed` makes of a suite another that is run and judged like any; its scores are paired with those of the suite as it
is. A chat template of another kind may also be had from a server of its own: run the plain suite against both.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from typing import Any

from evals.core import Answer, Case, Environment, Kind, Suite, Verdict
from evals.perturbations import PERTURBATIONS, Perturbation, ToolNames, ToolSchemas
from scout.serving.messages import Tool, ToolCall

__all__ = ["PERTURBATIONS", "NotPerturbable", "Perturbation", "Veiled", "applies", "drawn", "perturbed", "spoken"]


class NotPerturbable(ValueError):
    """A perturbation of tools, and a suite without any."""


@dataclass(frozen=True)
class Veiled:
    """A world behind a perturbation: `evals.core.Environment`."""

    inner: Environment[Any]
    by: Perturbation
    case_id: str

    @property
    def tools(self) -> tuple[Tool, ...]:
        return self.by.tools(self.inner.tools, self._draw())

    @property
    def most_turns(self) -> int:
        return self.inner.most_turns

    def reset(self) -> Any:
        return self.inner.reset()

    def call(self, state: Any, call: ToolCall) -> tuple[Any, str]:
        after, text = self.inner.call(state, self.by.heard(call, self.inner.tools, self._draw()))
        return after, self.by.told(text, self._draw())

    def success(self, state: Any, said: str) -> Verdict:
        return self.inner.success(state, said)

    def spoken(self, text: str) -> tuple[ToolCall, ...]:
        return self.by.spoken(text)

    def _draw(self) -> random.Random:
        return drawn(self.by, self.case_id)


def drawn(by: Perturbation, case_id: str) -> random.Random:
    """An item's own draw: the same in every process, and for every run."""
    return random.Random(f"{by.name} {case_id}")  # noqa: S311  no secret


def spoken(world: object, text: str) -> tuple[ToolCall, ...]:
    """Calls that stand in a reply's text, where the world is veiled so that they do; none elsewhere."""
    return world.spoken(text) if isinstance(world, Veiled) else ()


def applies(suite: Suite, by: Perturbation) -> bool:
    return not by.needs_tools or suite.kind is Kind.AGENTIC


def perturbed(suite: Suite, by: Perturbation) -> Suite:
    """The suite under a perturbation: the same items by their ids, the same families and right answers.

    Raises:
        NotPerturbable: it changes tools, and the suite has none.
    """
    if not applies(suite, by):
        raise NotPerturbable(f"{by.name} changes tools, and {suite.name} has none")
    world = suite.environment

    def build(seed: int, n: int) -> tuple[Case[Any], ...]:
        return tuple(_case(case, by) for case in suite.build(seed, n))

    def environment(case: Case[Any]) -> Environment[Any]:
        assert world is not None
        return Veiled(world(case), by, case.id)

    def verify(case: Case[Any], answer: Answer) -> Verdict:
        if world is None:
            return suite.verify(case, answer)
        tools = world(case).tools
        calls = tuple(by.heard(call, tools, drawn(by, case.id)) for call in answer.calls)
        return suite.verify(case, replace(answer, calls=calls))

    return replace(
        suite, build=build, verify=verify, environment=environment if world else None, title=f"{suite.title} ({by.title})",
        gold_answer=lambda case: _gold(suite, by, case),
    )  # fmt: skip


def _case(case: Case[Any], by: Perturbation) -> Case[Any]:
    messages = by.messages(case.messages, case.tools, drawn(by, case.id))
    return replace(case, messages=messages, tools=by.tools(case.tools, drawn(by, case.id)))


def _gold(suite: Suite, by: Perturbation, case: Case[Any]) -> Answer:
    """The right answer in the words of the perturbation, found by turning its tools' names and arguments round."""
    answer = suite.gold_answer(case)
    if suite.environment is None or not answer.calls:
        return answer
    return replace(
        answer, calls=tuple(_turned(suite.environment(case).tools, by, case.id, call) for call in answer.calls)
    )


def _turned(tools: tuple[Tool, ...], by: Perturbation, case_id: str, call: ToolCall) -> ToolCall:
    if isinstance(by, ToolNames):
        shown = dict(zip((tool.name for tool in tools), by.tools(tools, drawn(by, case_id)), strict=True))
        return replace(call, name=shown[call.name].name)
    if isinstance(by, ToolSchemas):
        suffix, nested = by.style(drawn(by, case_id))
        given = {key + suffix: value for key, value in json.loads(call.arguments).items()}
        return replace(call, arguments=json.dumps({"input": given} if nested else given))
    return call
