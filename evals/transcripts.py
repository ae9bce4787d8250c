"""What was asked and said in a run, for people to read: the files beside the database. Texts are as models wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from evals.journal import FILE_NAME, Told, read
from scout.serving.messages import Message

FOLDER = ("evals", "runs")
PROMPTS = "prompts.jsonl"


@dataclass(frozen=True, slots=True)
class Asked:
    prompt: str
    gold: str
    family: str


def folder(data_dir: Path, run: str) -> Path:
    """Where a run keeps its files."""
    return data_dir.joinpath(*FOLDER, run)


def asked(data_dir: Path, run: str) -> Mapping[str, Asked]:
    """Item → what was asked; empty where the run's folder is gone."""
    found: dict[str, Asked] = {}
    try:
        lines = (folder(data_dir, run) / PROMPTS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            value = json.loads(line)
            found[value["item"]] = Asked(str(value["prompt"]), str(value["gold"]), str(value["family"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def said(data_dir: Path, run: str, item: str | None = None) -> list[Told]:
    """What the model answered, to one item or to all; empty where the run's folder is gone."""
    return list(read(folder(data_dir, run) / FILE_NAME, item=item))


class Kind(StrEnum):
    THINKING = "thinking"
    SAID = "said"
    CALL = "calls"
    RESULT = "tool"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer."""

    kind: Kind
    text: str
    name: str = ""
    """Of the tool that is called."""


def parts(told: Told) -> list[Part]:
    """An answer in pieces: its thinking, what it says, its calls and what tools said, in their order."""
    found = [part for turn in told.turns for part in _parts(turn)]
    return found or ([Part(Kind.SAID, told.answer.text)] if told.answer.text else [])


def _parts(turn: Message) -> list[Part]:
    found = [Part(Kind.THINKING, turn.reasoning)] if turn.reasoning else []
    if turn.content:
        found.append(Part(Kind.RESULT if turn.tool_call_id else Kind.SAID, turn.content))
    return found + [Part(Kind.CALL, call.arguments, call.name) for call in turn.tool_calls]
