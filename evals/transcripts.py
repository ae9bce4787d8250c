"""What was asked and said in a run, for people to read: the files beside the database. Texts are as models wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
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


def text(told: Told) -> str:
    """An answer with its thinking, its calls and what tools said, as one text."""
    return "\n\n".join(part for turn in told.turns for part in _parts(turn)) or told.answer.text or "(nothing)"


def _parts(turn: Message) -> list[str]:
    parts = [f"[thinking] {turn.reasoning}"] if turn.reasoning else []
    if turn.content:
        parts.append(f"[{turn.role}] {turn.content}" if turn.tool_call_id else turn.content)
    return parts + [f"[calls {call.name}] {call.arguments}" for call in turn.tool_calls]
