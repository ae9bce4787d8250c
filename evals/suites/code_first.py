"""Functions of the easiest level, one a family of `code_tasks`: a line, for models that hardly write code."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evals.suites.code_tasks import TRIED, Task


def _task(draw: random.Random, takes: str, name: str, ways: Sequence[tuple[str, str]], tried: list[Any]) -> Task:
    """One of the ways, each what is returned in words and as an expression over `name`."""
    words, line = draw.choice(ways)
    arguments = tuple(each if isinstance(each, tuple) else (each,) for each in tried)
    return Task(f"takes {takes} and returns {words}", f"def solve({name}):\n    return {line}\n", arguments)


def _lists(draw: random.Random) -> list[Any]:
    return [[draw.randrange(-20, 60) for _ in range(draw.randrange(1, 8))] for _ in range(TRIED)]


def _texts(draw: random.Random, letters: str) -> list[Any]:
    return ["".join(draw.choices(letters, k=draw.randrange(0, 14))) for _ in range(TRIED)]


def pipeline(draw: random.Random, level: int) -> Task:
    k = draw.randrange(2, 30)
    ways = (
        (f"a list of them, each multiplied by {k}", f"[x * {k} for x in xs]"),
        (f"a list of them, {k} added to each", f"[x + {k} for x in xs]"),
        (f"a list of them, {k} subtracted from each", f"[x - {k} for x in xs]"),
    )
    return _task(draw, "a list of integers", "xs", ways, _lists(draw))


def recurrence(draw: random.Random, level: int) -> Task:
    k = draw.randrange(2, 50)
    ways = ((f"m times {k}", f"m * {k}"), (f"m plus {k}", f"m + {k}"), (f"m minus {k}", f"m - {k}"))
    return _task(draw, "an integer m", "m", ways, draw.sample(range(200), TRIED))


def table(draw: random.Random, level: int) -> Task:
    ways = (
        ("their sum", "sum(xs)"), ("the largest", "max(xs)"), ("the smallest", "min(xs)"), ("the first", "xs[0]"),
        ("the last", "xs[-1]"), ("the sorted list", "sorted(xs)"), ("how many they are", "len(xs)"),
    )  # fmt: skip
    return _task(draw, "a list of integers, which is not empty,", "xs", ways, _lists(draw))


def intervals(draw: random.Random, level: int) -> Task:
    ways = (
        ("a plus b", "a + b"), ("a minus b", "a - b"), ("a times b", "a * b"), ("the larger of them", "max(a, b)"),
        ("the smaller of them", "min(a, b)"), ("b minus a", "b - a"),
    )  # fmt: skip
    pairs = [(draw.randrange(-30, 60), draw.randrange(-30, 60)) for _ in range(TRIED)]
    return _task(draw, "two integers a and b", "a, b", ways, pairs)


def grid(draw: random.Random, level: int) -> Task:
    mark = draw.choice("#*+.x@")
    ways = ((f"how many `{mark}` are in it", f"text.count({mark!r})"),)
    return _task(draw, "a string", "text", ways, _texts(draw, f"{mark}{mark}o-"))


def machine(draw: random.Random, level: int) -> Task:
    one, other = draw.sample("abcdefghkmpqrst", 2)
    ways = (
        (f"it with every `{one}` replaced by `{other}`", f"text.replace({one!r}, {other!r})"),
        ("it in capital letters", "text.upper()"), ("it reversed", "text[::-1]"), (f"it with `{one}` put behind it", f"text + {one!r}"),
    )  # fmt: skip
    return _task(draw, "a string", "text", ways, _texts(draw, f"{one}{one}{other}z"))


def parsing(draw: random.Random, level: int) -> Task:
    mark = draw.choice(";|/:,")
    ways = (
        (f"the list of its parts between the `{mark}`", f"text.split({mark!r})"),
        (f"its part before the first `{mark}`", f"text.split({mark!r})[0]"),
    )
    return _task(draw, f"a string with parts separated by `{mark}`", "text", ways,
                 [mark.join(str(draw.randrange(90)) for _ in range(draw.randrange(1, 7))) for _ in range(TRIED)])  # fmt: skip


FIRST: Mapping[str, Callable[[random.Random, int], Task]] = {
    "pipeline": pipeline, "recurrence": recurrence, "table": table, "intervals": intervals, "grid": grid, "machine": machine,
    "parsing": parsing,
}  # fmt: skip
