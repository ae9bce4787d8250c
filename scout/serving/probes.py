"""What the deployment gate asks a model: questions whose right behaviour can be told without taste. Data, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scout.serving.messages import Message, Role, Tool

SUBJECTS = (
    "tides", "bread", "glaciers", "bicycles", "honey bees", "the printing press", "volcanoes", "sleep", "chess", "paper",
    "magnets", "tea", "bridges", "maps", "rain", "clocks", "salt", "owls", "lenses", "rivers",
)  # fmt: skip

SUMMARY_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "tldr": {"type": "string", "minLength": 1, "maxLength": 200},
        "points": {
            "type": "array",
            "minItems": 2,
            "maxItems": 3,
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "minLength": 1, "maxLength": 120},
                    "sentence": {"type": "integer", "minimum": 1, "maximum": 3},
                },
                "required": ["text", "sentence"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["tldr", "points"],
    "additionalProperties": False,
}

WEATHER = Tool(
    "weather",
    "Tells the weather of now in one city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
)

_CITIES = ("Paris", "Nairobi", "Lima", "Oslo", "Hanoi", "Quito", "Cairo", "Perth", "Seoul", "Tunis")


@dataclass(frozen=True, slots=True)
class ToolProbe:
    """A question, and whether a model should call the tool for it."""

    question: str
    needs_tool: bool


def text_probe(n: int) -> list[Message]:
    return [Message(Role.USER, f"Tell me one thing about {SUBJECTS[n % len(SUBJECTS)]}, in one sentence.")]


def schema_probe(n: int) -> list[Message]:
    thing = SUBJECTS[n % len(SUBJECTS)]
    return [
        Message(Role.SYSTEM, "Summarize the text as JSON: a tldr, and points that each name the sentence they come from."),
        Message(Role.USER, f"(1) People have long wondered about {thing}. (2) We measured {thing} for {n + 2} years. "
                           f"(3) The effect was {n + 3} percent."),
    ]  # fmt: skip


def tool_probe(n: int) -> ToolProbe:
    """Every other one needs the tool."""
    if n % 2 == 0:
        return ToolProbe(f"What is the weather in {_CITIES[n // 2 % len(_CITIES)]} now, in celsius?", needs_tool=True)
    return ToolProbe(f"What is {n} plus {n + 4}? Answer with the number.", needs_tool=False)


def label_probe(n: int) -> tuple[list[Message], str]:
    """A question that is answered with one letter, and the letter."""
    right = "AB"[n % 2]
    choices = ("an animal", "a number") if right == "A" else ("a number", "an animal")
    text = f"Is a horse {choices[0]} (A) or {choices[1]} (B)? Answer with the letter alone."
    return [Message(Role.USER, text)], right
