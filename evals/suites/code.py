"""Code: functions to be written, run in the sandbox on arguments the model has not seen, and compared with ours outside it.

What is right never enters the sandbox, so that a program can win in no other way than by being right.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evals import sandbox, verify
from evals.core import Answer, Case, Suite
from evals.suites import making
from evals.suites.code_first import FIRST
from evals.suites.code_tasks import FAMILIES, Task

LIMITS = sandbox.Limits(seconds=5)
ASKED = """Write a Python function `solve` that {words}.

Use the standard library only. Give the whole function in one block fenced by ```python and ```; the last such block counts."""
HARNESS = """
import json, sys
with open("/box/arguments.json") as file:
    calls = json.load(file)
space = {"__name__": "solution"}
with open("/box/solution.py") as file:
    exec(compile(file.read(), "solution.py", "exec"), space)
out = []
for arguments in calls:
    try:
        out.append(["returned", space["solve"](*arguments)])
    except Exception as err:
        out.append(["raised", type(err).__name__])
print()
print(json.dumps(out))
"""


@dataclass(frozen=True, slots=True)
class Gold:
    task: Task
    expected: tuple[str, ...]
    """What each call returns, as JSON."""


def _maker(family: str, make_task: Callable[[random.Random, int], Task]) -> making.Maker:
    def make(draw: random.Random, level: int) -> Case[Any]:
        make_one = make_task if level else FIRST[family]
        task = make_one(draw, level)
        gold = Gold(task, tuple(_expected(task)))
        while len(set(gold.expected)) < 4:  # or a function that always returns the same would do
            task = make_one(draw, level)
            gold = Gold(task, tuple(_expected(task)))
        return making.case("code", family, ASKED.format(words=task.words), gold, level=level, max_tokens=1536)

    return make


def _expected(task: Task) -> list[str]:
    space: dict[str, Any] = {}
    exec(compile(task.solution, "ours", "exec"), space)  # noqa: S102  ours, from code_tasks
    fresh: list[list[Any]] = json.loads(json.dumps(task.arguments))
    return [_json(space["solve"](*arguments)) for arguments in fresh]


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def judge(case: Case[Any], text: str) -> verify.Judged:
    gold: Gold = case.gold
    source = verify.fenced(text, "python")
    if not source.strip():
        return 0.0, "no block of Python"
    files = {"solution.py": source, "arguments.json": json.dumps(gold.task.arguments)}
    ran = sandbox.run(HARNESS, files, limits=LIMITS)
    if ran.end is not sandbox.End.DONE:
        return 0.0, f"{ran.end}: {ran.err.strip().splitlines()[-1][:120] if ran.err.strip() else ''}"
    said = json.loads(ran.out.rstrip("\n").rpartition("\n")[2])
    right = sum(
        how == "returned" and _json(value) == wanted for (how, value), wanted in zip(said, gold.expected, strict=True)
    )  # fmt: skip
    share = right / len(gold.expected)
    return float(share == 1), f"{right} of {len(gold.expected)} calls right", {"calls right": share}


def gold_answer(case: Case[Any]) -> Answer:
    return making.says(case, f"```python\n{case.gold.task.solution}```")


MAKERS: Mapping[str, making.Maker] = {family: _maker(family, make) for family, make in FAMILIES.items()}
CODE = Suite(
    name="code", version=2, domain="code", title="writes a function, run on unseen arguments in a sandbox",
    build=making.spread(MAKERS, worked=gold_answer), verify=verify.by(judge), gold_answer=gold_answer, families=len(MAKERS),
    unavailable=sandbox.unavailable, slow=True,
)  # fmt: skip
