"""Answers that no verifier may trip over: garbage, cut and twisted right answers, calls that make no sense. From a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from evals.core import Answer, Case
from scout.serving.messages import ToolCall

STRANGE = (
    "\x00", "\ud800", "\u202e evil", "🙂" * 50, "Answer:", "Answer: ", "Answer: \\boxed{", "\\boxed{}", "```", "```python\n```", "{",
    "{}", "[]", '{"tldr": 1, "points": [null]}', '{"a": NaN}', "[" * 2_000, "(" * 2_000, "~" * 500, "1. p [MP 0 0]", "1. [P]",
    "1. (((p [P 99999999999999999999]", "999. p [P]", "- " * 500, "## ", "Answer: 1e999", "Answer: nan", "Answer: 9" + "9" * 5_000,
    "Answer: -0", "Answer: ١٢٣", "First:\nSecond:", "<think>", "</think>", "a" * 100_000, "\n" * 10_000, "=" * 3_000,
    "Answer: 9**9**9", "[NP-I 1 and 2]", "\r\n\r\n", "%s%n{0}", "1.\t\t[P]\n" * 300,
)  # fmt: skip
CALLS = (
    ToolCall("1", "", ""), ToolCall("1", "no_such_tool", "{}"), ToolCall("1", "read_file", "not json"),
    ToolCall("1", "list_files", "[]"),
    ToolCall("1", "list_files", '{"page": -1}'), ToolCall("1", "list_tickets", '{"page": 1e400}'),
    ToolCall("1", "write_file", '{"path": "../../etc", "text": "x"}'), ToolCall("1", "read_file", '{"path": "\\u0000"}'),
    ToolCall("1", "buy", '{"name": null}'), ToolCall("1", "x" * 10_000, "[" * 5_000),
    ToolCall("1", "list_orders", '{"page": ' + "9" * 6_000 + "}"),
)  # fmt: skip
ALPHABET = "abXY01239 \n\t.,:;-*#`'\"[](){}<>|&~→\\$%/ÄÖ文🙂\x00\u200b"


def answers(case: Case[Any], gold: Answer, *, seed: int) -> Iterator[Answer]:
    """Answers to a case, the same for the same seed."""
    draw = random.Random(f"noise {seed}")  # noqa: S311  no secret
    for text in STRANGE:
        yield Answer(case_id=case.id, text=text)
    for _ in range(12):
        yield Answer(case_id=case.id, text="".join(draw.choices(ALPHABET, k=draw.randrange(1, 400))))
    for _ in range(12):
        yield Answer(case_id=case.id, text=_twisted(draw, gold.text))
    for call in CALLS:
        yield Answer(case_id=case.id, calls=(call,), text=gold.text)
    if gold.calls:
        yield Answer(case_id=case.id, calls=tuple(_broken(draw, call) for call in gold.calls), text=gold.text)


def _twisted(draw: random.Random, text: str) -> str:
    """A right answer with a piece cut out, doubled or replaced."""
    if not text:
        return draw.choice(STRANGE)
    start = draw.randrange(len(text))
    end = min(len(text), start + draw.randrange(1, 40))
    middle = draw.choice(("", text[start:end] * 2, "".join(draw.choices(ALPHABET, k=5)), text[start:end][::-1]))
    return text[:start] + middle + text[end:]


def _broken(draw: random.Random, call: ToolCall) -> ToolCall:
    return ToolCall(call.id, call.name, _twisted(draw, call.arguments))
