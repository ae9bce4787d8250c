"""The deployment gate: does this model, on this server, behave as a model must before its scores mean anything?

The same weights can pass on one server and fail on another (a wrong parser, a template that drops thinking), so the server is
what is checked. Thresholds follow MiniMax-Provider-Verifier. A model that fails still runs; what it makes carries the label.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import jsonschema

from scout.progress import SILENT, Progress
from scout.serving import probes
from scout.serving.client import ModelClient
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Finish, Message, Reply, Role
from scout.serving.side_by_side import side_by_side

T = TypeVar("T")

TRIES = 10
"""A query counts as answered if one of so many tries is."""
TOKENS = 1024
"""Room for an answer with its thinking."""


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be found out here, and counts neither way: no thinking to look for, or a server that renders nothing."""


@dataclass(frozen=True, slots=True)
class Check:
    """One measured share. `at_least` is whether the threshold is a floor or a ceiling."""

    name: str
    value: float | None
    threshold: float
    count: int
    note: str = ""
    at_least: bool = True

    @property
    def result(self) -> Result:
        if self.value is None:
            return Result.UNKNOWN
        reached = self.value >= self.threshold if self.at_least else self.value <= self.threshold
        return Result.PASSED if reached else Result.FAILED


@dataclass(frozen=True, slots=True)
class Verdict:
    model: str
    endpoint: str
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(check.name for check in self.checks if check.result == Result.FAILED)

    @property
    def passed(self) -> bool:
        return not self.failed

    @property
    def label(self) -> str:
        """What everything carries that the model makes; empty where it passed."""
        return f"model failed its check: {', '.join(self.failed)}" if self.failed else ""


async def check(client: ModelClient, *, queries: int = 20, progress: Progress = SILENT) -> Verdict:
    """Ask everything, `queries` times each, side by side as far as the client allows.

    Raises:
        ModelError: the model is away, or refuses us; a model that is there and answers badly fails instead.
    """
    name = await client.model_name()
    progress.stage("asking the model", 4 * queries + 1)
    texts = await _each(queries, lambda n: _answered(client, n), progress)
    schemas = await _each(queries, lambda n: _schema(client, n), progress)
    tools = await _each(queries, lambda n: _tool(client, n), progress)
    labels = await _each(queries, lambda n: _label(client, n), progress)
    trip = await _round_trip(client)
    progress.step()
    progress.done()
    replies = [reply for reply in texts if reply is not None]
    triggers = [(wanted, called) for wanted, called, _ in tools]
    arguments = [fits for _, _, fits in tools if fits is not None]
    checks = (
        Check("queries answered", _share([reply is not None for reply in texts]), 1.0, len(texts)),
        Check("schema accuracy", _share(schemas), 0.98, len(schemas)),
        Check("tool-call trigger F1", f1(triggers), 0.98, len(triggers)),
        Check("tool-call arguments", _share(arguments) if arguments else 0.0, 0.98, len(arguments)),
        Check("label token mass", sum(labels) / len(labels), 0.5, len(labels), "probability on the letters asked for"),
        Check("reasoning round trip", trip[0], 1.0, 1, trip[1]),
        Check("empty replies", _share([_empty(reply) for reply in replies]), 0.0, len(replies), at_least=False),
        Check("reasoning-only replies", _share([_only_thinks(r) for r in replies]), 0.0, len(replies), at_least=False),
    )
    return Verdict(name, client.settings.base_urls[0], checks)


def f1(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Of (wanted, called): the harmonic mean of precision and recall of calling."""
    hit = sum(wanted and called for wanted, called in pairs)
    return 2 * hit / total if (total := sum(w for w, _ in pairs) + sum(c for _, c in pairs)) else 0.0


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def _empty(reply: Reply) -> bool:
    return not reply.text.strip() and not reply.reasoning.strip()


def _only_thinks(reply: Reply) -> bool:
    return not reply.text.strip() and bool(reply.reasoning.strip())


async def _each(count: int, ask: Callable[[int], Awaitable[T]], progress: Progress) -> list[T]:
    async def one(n: int) -> T:
        found = await ask(n)
        progress.step()
        return found

    return await side_by_side(one(n) for n in range(count))


def _raise_if_hopeless(err: ModelError) -> None:
    """What says nothing of the model ends the check."""
    if err.kind in (ModelFault.AWAY, ModelFault.REFUSED, ModelFault.NO_MODEL, ModelFault.BUSY):
        raise err


async def _answered(client: ModelClient, n: int) -> Reply | None:
    for attempt in range(TRIES):
        try:
            return await client.chat(
                probes.text_probe(n), max_tokens=TOKENS, temperature=0.0 if attempt == 0 else 0.7, cut_is_fault=False
            )
        except ModelError as err:
            _raise_if_hopeless(err)
    return None


async def _schema(client: ModelClient, n: int) -> bool:
    try:
        reply = await client.chat(probes.schema_probe(n), max_tokens=TOKENS, schema=probes.SUMMARY_SCHEMA)
        return fits(reply.text, probes.SUMMARY_SCHEMA)
    except ModelError as err:
        _raise_if_hopeless(err)
        return False


def fits(text: str, schema: object) -> bool:
    """Whether `text` is JSON that a schema allows."""
    try:
        jsonschema.validate(json.loads(text), schema)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return False
    return True


async def _tool(client: ModelClient, n: int) -> tuple[bool, bool, bool | None]:
    """Whether a call was wanted, whether there was one, whether its arguments fit."""
    probe = probes.tool_probe(n)
    try:
        reply = await client.chat(
            [Message(Role.USER, probe.question)], max_tokens=TOKENS, tools=[probes.WEATHER], cut_is_fault=False
        )
    except ModelError as err:
        _raise_if_hopeless(err)
        return probe.needs_tool, not probe.needs_tool, False
    if not reply.tool_calls:
        return probe.needs_tool, False, None
    good = all(c.name == probes.WEATHER.name and fits(c.arguments, probes.WEATHER.parameters) for c in reply.tool_calls)
    return probe.needs_tool, True, good


async def _label(client: ModelClient, n: int) -> float:
    messages, _ = probes.label_probe(n)
    try:
        return (await client.read_labels(messages, ["A", "B"])).mass
    except ModelError as err:
        _raise_if_hopeless(err)
        return 0.0


async def _round_trip(client: ModelClient) -> tuple[float | None, str]:
    """Whether the thinking before a tool call is in the prompt after its result, as interleaved thinking needs."""
    question = [Message(Role.USER, probes.tool_probe(0).question)]
    try:
        reply = await client.chat(question, max_tokens=TOKENS, tools=[probes.WEATHER], cut_is_fault=False)
        thought = reply.reasoning.strip()
        if not thought:
            return None, "the model does not think aloud"
        if not reply.tool_calls or reply.finish_reason == Finish.LENGTH:
            return None, "the model called no tool to go on from"
        results = [Message(Role.TOOL, "18 degrees, dry", tool_call_id=call.id) for call in reply.tool_calls]
        prompt = await client.render([*question, reply.message(), *results], tools=[probes.WEATHER])
    except ModelError as err:
        _raise_if_hopeless(err)
        return 0.0, err.message
    if prompt is None:
        return None, "the server shows no rendered prompt"
    return (1.0, "") if thought in prompt else (0.0, "the thinking of turn one is not in the prompt of turn two")
