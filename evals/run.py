"""Runs one suite under Inspect, the only file that imports it (`pip install 'scout[evals]'`).

Inspect holds the epochs, the order and the `.eval` log that its viewer opens. Asking goes through `evals.asking`, so that
scout's retries, priority and faults hold; what the endpoint is kept busy with is bounded there, and so more samples are under
way here than there are requests. An answer that could not be had is an error of its sample, not a score.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.asking import Asker
from evals.core import Case, Suite
from evals.journal import Journal, Told
from scout.progress import SILENT, Progress
from scout.serving.messages import Message, Role

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, Model
    from inspect_ai.scorer import Scorer
    from inspect_ai.solver import Solver

PINNED = "0.3.285"
BUFFER = 100
"""Samples between two writes of the log. The journal has every answer at once; the log need not."""
MISSING = f"running suites needs inspect-ai {PINNED}; install the extra: pip install 'scout[evals]'"


class NeedsExtra(Exception):
    """Inspect is not installed."""


class _Unanswered(Exception):
    """Why a sample has no score; its text is shown in the log."""


def check_installed() -> None:
    """Raises NeedsExtra: the evals extra is missing."""
    try:
        import inspect_ai  # noqa: F401
    except ImportError as err:
        raise NeedsExtra(MISSING) from err


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    told: tuple[Told, ...]
    """In the order in which they came back."""
    log: Path
    """The `.eval` file."""


async def run(
    suite: Suite, cases: Sequence[Case[Any]], asker: Asker, journal: Journal, *, epochs: int, model: str, folder: Path,
    facts: Mapping[str, Any], progress: Progress = SILENT,
) -> Ran:  # fmt: skip
    """Ask every case `epochs` times, those that the journal knows excepted. Never raises for what an endpoint does.

    Raises:
        NeedsExtra: Inspect is not installed.
    """
    check_installed()
    from inspect_ai import Epochs, Task, eval_async
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.util._display import init_display_type

    by_id = {case.id: case for case in cases}
    told: dict[tuple[str, int], Told] = {}

    async def one(item: str, epoch: int) -> Told:
        found = journal.known.get((item, epoch))
        if found is None:
            case = by_id[item]
            world = suite.environment(case) if suite.environment else None
            found = await asker.ask(case, epoch, world)
            if not found.answer.fault:
                journal.add(found)
        told[item, epoch] = found
        progress.step(item)
        return found

    samples = [
        Sample(id=case.id, input=_messages(case.messages), target=_short(case.gold), metadata=_about(case))
        for case in cases
    ]
    task = Task(
        dataset=MemoryDataset(samples, name=f"{suite.name}-{suite.version}"), solver=_asks(one), scorer=_judged(told),
        epochs=Epochs(epochs, "mean"), name=suite.name, version=suite.version, metadata=dict(facts),
    )  # fmt: skip
    init_display_type("none")
    progress.stage(suite.name, len(cases) * epochs)
    logs = await eval_async(
        task, model=_named(model), log_dir=str(folder), log_format="eval", log_realtime=False, score_display=False,
        fail_on_error=False, max_samples=max(4, 2 * asker.at_once), log_level="error", log_model_api=False, ctl_server=False,
        log_buffer=BUFFER,
    )  # fmt: skip
    progress.done()
    log = logs[0] if logs else None
    if log is not None and log.status == "error" and log.error is not None:
        raise RuntimeError(f"Inspect could not run {suite.name}: {log.error.message}")
    if log is None or log.status == "cancelled" or len(told) < len(cases) * epochs:
        raise asyncio.CancelledError  # Ctrl-C: Inspect returns where everything else would raise
    return Ran(told=tuple(told.values()), log=Path(log.location.removeprefix("file://")))


def _asks(one: Any) -> Solver:
    from inspect_ai.model import ModelOutput, ModelUsage
    from inspect_ai.solver import Generate, TaskState, solver

    @solver(name="scout")
    def asks() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            told: Told = await one(str(state.sample_id), state.epoch)
            state.messages.extend(_messages(told.turns))
            if told.answer.fault:
                raise _Unanswered(told.answer.fault)
            used = ModelUsage(
                input_tokens=told.usage.prompt, output_tokens=told.usage.completion,
                total_tokens=told.usage.prompt + told.usage.completion, input_tokens_cache_read=told.usage.cached,
            )  # fmt: skip
            output = ModelOutput.from_content(
                told.model or "model", told.answer.text, stop_reason="max_tokens" if told.cut else "stop"
            )
            output.usage, output.time = used, told.seconds
            state.output = output
            return state

        return solve

    return asks()


def _judged(told: Mapping[tuple[str, int], Told]) -> Scorer:
    from inspect_ai.scorer import NOANSWER, Score, Target, mean, scorer
    from inspect_ai.solver import TaskState

    @scorer(metrics=[mean()], name="verdict")
    def judges() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            found = told[str(state.sample_id), state.epoch]
            about: dict[str, Any] = {"seconds": found.seconds, "requests": found.calls, "cut": found.cut}
            about |= {"parts": dict(found.parts)} if found.parts else {}
            value = NOANSWER if found.score is None else found.score
            return Score(value=value, answer=found.answer.text[:2000], explanation=found.why, metadata=about)

        return score

    return judges()


def _named(model: str) -> Model:
    """The model under its own name in the log. It is never asked through Inspect."""
    from inspect_ai.model import ModelAPI, get_model, modelapi

    @modelapi(name="scout")
    class Served(ModelAPI):
        async def generate(self, *args: Any, **extra: Any) -> Any:
            raise NotImplementedError("suites are asked through scout's own client")

    return get_model(f"scout/{model}", memoize=False)


def _messages(said: Sequence[Message]) -> list[ChatMessage]:
    """Turns as Inspect keeps them, thinking and calls with them."""
    from inspect_ai.model import (
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageTool,
        ChatMessageUser,
        ContentReasoning,
        ContentText,
    )
    from inspect_ai.tool import ToolCall

    found: list[ChatMessage] = []
    for message in said:
        if message.role == Role.SYSTEM:
            found.append(ChatMessageSystem(content=message.content))
        elif message.role == Role.USER:
            found.append(ChatMessageUser(content=message.content))
        elif message.role == Role.TOOL:
            found.append(ChatMessageTool(content=message.content, tool_call_id=message.tool_call_id))
        else:
            calls = [
                ToolCall(id=call.id, function=call.name, arguments=_loose(call.arguments))
                for call in message.tool_calls
            ]
            thought = [ContentReasoning(reasoning=message.reasoning)] if message.reasoning else []
            content: Any = [*thought, ContentText(text=message.content)] if thought else message.content
            found.append(ChatMessageAssistant(content=content, tool_calls=calls or None))
    return found


def _loose(arguments: str) -> dict[str, Any]:
    """A call's arguments as an object, whatever the model wrote."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return {"unreadable": arguments}
    return value if isinstance(value, dict) else {"value": value}


def _about(case: Case[Any]) -> dict[str, Any]:
    return {"family": case.group, "level": case.level}


def _short(gold: Any) -> str:
    """What is right, for whoever reads the log."""
    return gold if isinstance(gold, str) else repr(gold)[:2000]
