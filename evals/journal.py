"""What a model said, on disk the moment it was said: a line of JSON for each item and epoch, so that a run goes on where it was.

One file a run, only ever appended to; a last line that was cut by a crash is left out. What was a fault of the endpoint is
not kept: it is asked again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from evals.core import Answer
from scout.serving.messages import Message, Role, ToolCall, Usage

FILE_NAME = "answers.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of asking one item once."""

    item: str
    epoch: int
    """From 1."""
    answer: Answer
    """With a `fault` where there is nothing to judge."""
    turns: tuple[Message, ...] = ()
    """What was said after the prompt, by the model and its tools."""
    usage: Usage = field(default_factory=Usage)
    calls: int = 0
    """Requests it took."""
    seconds: float = 0.0
    cut: bool = False
    """It ran into its limit of tokens, or an agent into that of its turns."""
    score: float | None = None
    """None where nothing was judged."""
    why: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    """As `Verdict.parts`."""
    model: str = ""


class Journal:
    """The answers of one run, in its folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE_NAME
        self.known = {(told.item, told.epoch): told for told in read(self.path)}
        _whole(self.path)
        self._file: TextIO = self.path.open("a", encoding="utf-8")

    def add(self, told: Told) -> None:
        self._file.write(line(told) + "\n")
        self._file.flush()
        self.known[told.item, told.epoch] = told

    def close(self) -> None:
        self._file.close()


def _whole(path: Path) -> None:
    """Cut off a last line that was not written to its end, which the next one would be glued to."""
    if not path.exists():
        return
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        path.write_bytes(data[: data.rfind(b"\n") + 1])


def read(path: Path, *, item: str | None = None) -> Iterator[Told]:
    """The answers in a journal, of one item where one is named; none where there is no file.

    Lines that cannot be read are left out.
    """
    if not path.exists():
        return
    start = b"" if item is None else f'{{"item": {json.dumps(item)}, '.encode()
    with path.open("rb") as lines:
        for one in lines:
            if not one.startswith(start):
                continue
            try:
                yield _told(json.loads(one))
            except (ValueError, KeyError, TypeError):
                continue


def line(told: Told) -> str:
    """One answer as a line of JSON."""
    answer = told.answer
    values = {
        "item": told.item, "epoch": told.epoch, "text": answer.text, "labels": dict(answer.labels),
        "calls": _calls(answer.calls), "fault": answer.fault, "turns": [_message(turn) for turn in told.turns],
        "usage": [told.usage.prompt, told.usage.completion, told.usage.cached], "requests": told.calls,
        "seconds": round(told.seconds, 4), "cut": told.cut, "score": told.score, "why": told.why, "parts": dict(told.parts),
        "model": told.model,
    }  # fmt: skip
    return json.dumps({key: value for key, value in values.items() if value or key in ("item", "epoch", "score")})


def _calls(calls: tuple[ToolCall, ...]) -> list[list[str]]:
    return [[call.id, call.name, call.arguments] for call in calls]


def _message(message: Message) -> dict[str, Any]:
    told = {
        "role": str(message.role), "content": message.content, "reasoning": message.reasoning,
        "calls": _calls(message.tool_calls), "of": message.tool_call_id,
    }  # fmt: skip
    return {key: value for key, value in told.items() if value}


def _told(value: Mapping[str, Any]) -> Told:
    calls = tuple(ToolCall(*call) for call in value.get("calls", ()))
    answer = Answer(
        case_id=value["item"], text=value.get("text", ""), labels=value.get("labels", {}), calls=calls,
        fault=value.get("fault", ""),
    )  # fmt: skip
    turns = tuple(
        Message(
            Role(turn["role"]), turn.get("content", ""), turn.get("reasoning", ""),
            tuple(ToolCall(*call) for call in turn.get("calls", ())), turn.get("of", ""),
        )
        for turn in value.get("turns", ())
    )  # fmt: skip
    return Told(
        item=value["item"], epoch=value["epoch"], answer=answer, turns=turns, usage=Usage(*value.get("usage", ())),
        calls=value.get("requests", 0), seconds=value.get("seconds", 0.0), cut=value.get("cut", False),
        score=value["score"], why=value.get("why", ""), parts=value.get("parts", {}), model=value.get("model", ""),
    )  # fmt: skip
