"""Functions to be written, each drawn from a family: what it must do in words, a solution, and arguments to try it with."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TRIED = 12
"""Calls that a function is tried with."""


@dataclass(frozen=True, slots=True)
class Task:
    words: str
    solution: str
    """Source of a function `solve`."""
    arguments: tuple[tuple[Any, ...], ...]


def _numbers(draw: random.Random, size: int = 12) -> list[int]:
    return [draw.randrange(-20, 60) for _ in range(draw.randrange(0, size))]


def _many(draw: random.Random, one: Callable[[], tuple[Any, ...]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(one() for _ in range(TRIED))


_STEPS: tuple[tuple[str, str, int], ...] = (
    ("drop the numbers that are divisible by {k}", "xs = [x for x in xs if x % {k}]", 1),
    ("multiply each number by {k}", "xs = [x * {k} for x in xs]", 1),
    ("replace each number by its difference to the number before it (the first one stays as it is)",
     "xs = [x - (xs[i - 1] if i else 0) for i, x in enumerate(xs)]", 0),
    ("remove later repeats of a number, keeping the first", "xs = list(dict.fromkeys(xs))", 0),
    ("sort the numbers by absolute value, smaller numbers first where that is equal", "xs = sorted(xs, key=lambda x: (abs(x), x))", 0),
    ("move the first {k} numbers to the end (where there are fewer than {k}, reverse the list instead)",
     "xs = xs[{k}:] + xs[:{k}] if len(xs) >= {k} else xs[::-1]", 1),
    ("keep every {k}th number, beginning with the first", "xs = xs[::{k}]", 1),
    ("add to each number its place, counted from 0", "xs = [x + i for i, x in enumerate(xs)]", 0),
    ("replace the numbers by their running sums", "xs = [sum(xs[:i + 1]) for i in range(len(xs))]", 0),
    ("swap neighbours: first with second, third with fourth, and so on; an odd one out stays",
     "xs = [y for i in range(0, len(xs), 2) for y in xs[i:i + 2][::-1]]", 0),
)  # fmt: skip


def pipeline(draw: random.Random, level: int) -> Task:
    words, lines = [], []
    for text, code, has_number in draw.sample(_STEPS, 2 + level):
        k = draw.randrange(2, 6) if has_number else 0
        words.append(text.format(k=k))
        lines.append("    " + code.format(k=k))
    steps = ";\n".join(f"{place}. {text}" for place, text in enumerate(words, 1))
    source = "def solve(xs):\n" + "\n".join(lines) + "\n    return xs\n"
    return Task(
        f"takes a list of integers and returns a list, after these steps in order:\n{steps}", source,
        _many(draw, lambda: (_numbers(draw),)),
    )  # fmt: skip


def recurrence(draw: random.Random, level: int) -> Task:
    back = 2 + level // 2
    weights = [draw.choice([-3, -2, -1, 1, 2, 3]) for _ in range(back)]
    first = [draw.randrange(-3, 6) for _ in range(back)]
    modulus, bonus, every = draw.randrange(50, 999), draw.randrange(1, 9), draw.randrange(3, 7)
    terms = " + ".join(f"({w}) * a(n-{i})" for i, w in enumerate(weights, 1))
    extra = f", plus {bonus} whenever n is divisible by {every}" if level else ""
    code = " + ".join(f"{w} * a[n - {i}]" for i, w in enumerate(weights, 1))
    plus = f" + ({bonus} if n % {every} == 0 else 0)" if level else ""
    source = f"""def solve(m):
    a = {first}
    for n in range({back}, m + 1):
        a.append(({code}{plus}) % {modulus})
    return a[m]
"""
    starts = ", ".join(f"a({i}) = {value}" for i, value in enumerate(first))
    return Task(
        f"takes an integer m >= 0 and returns a(m), where {starts}, and from n = {back} on a(n) is {terms}{extra}, reduced "
        f"modulo {modulus} to 0..{modulus - 1} after every step", source, tuple((m,) for m in draw.sample(range(0, 200), TRIED)),
    )  # fmt: skip


def table(draw: random.Random, level: int) -> Task:
    names = draw.sample(["ash", "birch", "cedar", "elm", "fir", "larch", "oak"], 5)
    low = draw.randrange(2, 9)
    how, code = draw.choice((
        ("sum", "sum(v)"), ("largest value", "max(v)"), ("number of values", "len(v)"),
        ("largest less the smallest value", "max(v) - min(v)"),
    ))  # fmt: skip
    order = (
        ("by name", "p[0]")
        if level % 2 == 0
        else (f"by the {how}, largest first, and by name where that is equal", "(-p[1], p[0])")
    )
    least = 1 + level // 2
    source = f"""def solve(rows):
    groups = {{}}
    for name, value in rows:
        if value >= {low}:
            groups.setdefault(name, []).append(value)
    found = [[name, {code}] for name, v in groups.items() if len(v) >= {least}]
    return sorted(found, key=lambda p: {order[1]})
"""
    rows = lambda: ([[draw.choice(names), draw.randrange(0, 20)] for _ in range(draw.randrange(0, 14))],)  # noqa: E731
    return Task(
        f"takes a list of [name, integer] pairs, ignores pairs whose integer is below {low}, and returns a list of [name, "
        f"{how} of the name's integers], only for names with at least {least} of them left, sorted {order[0]}", source, _many(draw, rows),
    )  # fmt: skip


def intervals(draw: random.Random, level: int) -> Task:
    gap, least = draw.randrange(0, 4), draw.randrange(1, 5)
    asked, last = (
        ("the merged stretches, as [start, end] lists in order", "out"),
        ("the total length of the merged stretches", "sum(b - a for a, b in out)"),
        (f"how many merged stretches are at least {least + 3} long", f"sum(b - a >= {least + 3} for a, b in out)"),
        ("the lengths of the pauses between merged stretches, in order",
         "[out[i + 1][0] - out[i][1] for i in range(len(out) - 1)]"),
    )[level]  # fmt: skip
    source = f"""def solve(spans):
    out = []
    for a, b in sorted(s for s in spans if s[1] - s[0] >= {least}):
        if out and a - out[-1][1] <= {gap}:
            out[-1][1] = max(out[-1][1], b)
        else:
            out.append([a, b])
    return {last}
"""

    def one() -> tuple[Any, ...]:
        starts = [draw.randrange(0, 60) for _ in range(draw.randrange(0, 9))]
        return ([[a, a + draw.randrange(0, 12)] for a in starts],)

    return Task(
        f"takes a list of [start, end] lists of integers, drops those shorter than {least} (end - start), merges those that "
        f"overlap or lie at most {gap} apart, and returns {asked}", source, _many(draw, one),
    )  # fmt: skip


def grid(draw: random.Random, level: int) -> Task:
    moves = draw.sample([(0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (0, 2)], 2 + level // 2)
    wall = draw.choice("#X%")
    prize = f", or 0 where a way would pass fewer than {level} cells marked `+`" if level else ""
    told = " or ".join(f"{r} down and {c} right" for r, c in moves)
    source = f"""def solve(rows):
    from functools import lru_cache
    if not rows or not rows[0]:
        return 0
    h, w = len(rows), len(rows[0])

    @lru_cache(None)
    def ways(r, c, seen):
        if r >= h or c >= w or rows[r][c] == {wall!r}:
            return 0
        seen = min({level}, seen + (rows[r][c] == "+"))
        if (r, c) == (h - 1, w - 1):
            return int(seen >= {level})
        return sum(ways(r + i, c + j, seen) for i, j in {moves})

    return ways(0, 0, 0)
"""

    def one() -> tuple[Any, ...]:
        h, w = draw.randrange(1, 7), draw.randrange(1, 7)
        return (["".join(draw.choice([".", ".", "+", ".", wall]) for _ in range(w)) for _ in range(h)],)

    counted = f" that pass at least {level} cells marked `+`, first and last cell included" if prize else ""
    return Task(
        f"takes a list of strings of equal length, a grid in which `{wall}` is a wall, and returns the number of ways from the "
        f"top left to the bottom right cell{counted}. A step goes {told}; it must end on a cell of the grid that is no wall, and "
        "what it leaps over does not matter. Walls at either end leave 0 ways", source, _many(draw, one),
    )  # fmt: skip


def machine(draw: random.Random, level: int) -> Task:
    letters = draw.sample("abcdefghkmpqrst", 4 + level)
    deeds = draw.sample((
        ("adds {k} to the number", "n += {k}"), ("doubles the number", "n *= 2"), ("subtracts {k} from the number", "n -= {k}"),
        ("swaps the number with the memory", "n, mem = mem, n"), ("adds the number to the memory", "mem += n"),
        ("negates the number", "n = -n"), ("sets the number to its remainder modulo {k} (0 to {k} less 1)", "n %= {k}"),
        ("sets the number to the larger of number and memory", "n = max(n, mem)"),
    ), 4 + level)  # fmt: skip
    words, code = [], ""
    for place, (letter, (text, line)) in enumerate(zip(letters, deeds, strict=True)):
        k = draw.randrange(3, 12)
        words.append(f"- `{letter}` {text.format(k=k)}")
        code += f"        {'if' if not place else 'elif'} ch == {letter!r}:\n            {line.format(k=k)}\n"
    start = draw.randrange(-5, 9)
    source = f"def solve(program):\n    n, mem = {start}, 0\n    for ch in program:\n{code}    return [n, mem]\n"
    programs = lambda: ("".join(draw.choice([*letters, "z"]) for _ in range(draw.randrange(0, 16))),)  # noqa: E731
    told = "\n".join(words)
    return Task(
        f"takes a string, a program for a machine with a number, {start} at the beginning, and a memory, 0 at the beginning, and "
        f"returns the list [number, memory] after it. Its letters, read from the left:\n{told}\n- any other letter does nothing",
        source, _many(draw, programs),
    )  # fmt: skip


VALUES = ("3", "-4", "17", "x", "", "2.5", "08")


def parsing(draw: random.Random, level: int) -> Task:
    outer, inner = draw.sample(";|/", 1)[0], draw.sample("=:>", 1)[0]
    twice, keep = (
        ("the last one counts", "found[key] = n"),
        ("the first one counts", "found.setdefault(key, n)"),
        ("their values are added up", "found[key] = found.get(key, 0) + n"),
        ("the largest value counts", "found[key] = max(n, found.get(key, n))"),
    )[level]
    source = f"""def solve(text):
    found = {{}}
    for part in text.split({outer!r}):
        key, sep, value = part.partition({inner!r})
        key, value = key.strip().lower(), value.strip()
        digits = value[1:] if value[:1] == "-" else value
        if not sep or not key or not digits or any(c not in "0123456789" for c in digits):
            continue
        n = int(value)
        {keep}
    return found
"""

    def part() -> str:
        key = draw.choice(["a", "B", "b", "Key", "key", ""])
        return draw.choice([" ", ""]) + key + draw.choice([inner, f" {inner} ", inner, ""]) + draw.choice(VALUES)

    def one() -> tuple[Any, ...]:
        return (outer.join(part() for _ in range(draw.randrange(0, 8))),)

    return Task(
        f"takes a string of parts separated by `{outer}`, each of the form key{inner}value, and returns a dict from key to "
        f"integer. White space around key and value is dropped, keys are made lower case; a part without `{inner}`, with an empty "
        f"key, or whose value is not a whole number in digits, perhaps with one `-` before them, is skipped (the first `{inner}` "
        f"of a part separates). Where a key comes several times, {twice}", source, _many(draw, one),
    )  # fmt: skip


FAMILIES: Mapping[str, Callable[[random.Random, int], Task]] = {
    "pipeline": pipeline, "recurrence": recurrence, "table": table, "intervals": intervals, "grid": grid, "machine": machine,
    "parsing": parsing,
}  # fmt: skip
