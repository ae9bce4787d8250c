"""A reader's own questions, from TOML files: a prompt, a domain, and how to check the answer, or nothing, to just look at it.

    domain = "gardening"            # of the questions below, unless they name their own

    [[question]]
    prompt = "How many legs has a spider that lost two?"
    check = "answer"                # the line `Answer: …` says what is expected; numbers as numbers
    expect = "6"

    [[question]]
    prompt = "Write a limerick about compost."
    check = "just show me"          # the default

`contains` wants every piece in `expect` (a text or a list of them), `matches` a regular expression that finds something,
with an `example` that it accepts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evals import verify
from evals.core import SHOWN, Answer, Case, Kind, Suite, Verdict
from evals.suites import making

NAME = "fun"
CHECKS = ("just show me", "answer", "contains", "matches")
KEYS = ("prompt", "domain", "check", "expect", "example")
MAX_TOKENS = 800
LOOKED_AT = 8_000
"""Characters that an expression is looked for in: some take very long on long texts."""


class Typo(ValueError):
    """A file of questions that cannot be read; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Question:
    prompt: str
    domain: str
    check: str
    expect: tuple[str, ...]
    example: str


def questions(folder: Path) -> tuple[Question, ...]:
    """All questions of the files in a folder, by the names of the files.

    Raises:
        Typo: one cannot be read.
    """
    return tuple(each for path in sorted(folder.glob("*.toml")) for each in _file(path))


def _file(path: Path) -> list[Question]:
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise Typo(f"{path.name}: {err}") from err  # a fault of TOML's says in which line it is

    def typo(number: int, key: str, what: str) -> Typo:
        return Typo(f"{path.name}, line {_line(text, number, key)}: {what}")

    for key in data:
        if key not in ("domain", "question"):
            raise typo(0, key, f"{key} is not known here; a file has `domain` and [[question]]")
    domain, rows = data.get("domain", "fun"), data.get("question", [])
    if not isinstance(domain, str) or not isinstance(rows, list) or not rows:
        raise Typo(f"{path.name}: needs at least one [[question]], and a text as `domain` if any")
    return [_question(row, number, domain, typo) for number, row in enumerate(rows, 1)]


def _question(row: Any, number: int, domain: str, typo: Any) -> Question:
    if not isinstance(row, dict):
        raise typo(number, "question", "a question is a table, [[question]]")
    for key, value in row.items():
        if key not in KEYS:
            raise typo(number, key, f"{key} is not known; a question has {', '.join(KEYS)}")
        if not isinstance(value, str) and not (key == "expect" and _is_texts(value)):
            raise typo(number, key, f"{key} must be a text" + (" or a list of texts" if key == "expect" else ""))
    if not row.get("prompt", "").strip():
        raise typo(number, "prompt", "a question needs a prompt")
    check, expect = row.get("check", CHECKS[0]), row.get("expect", "")
    if check not in CHECKS:
        raise typo(number, "check", f"check is one of {', '.join(map(repr, CHECKS))}, not {check!r}")
    wanted = (expect,) if isinstance(expect, str) else tuple(expect)
    if check != CHECKS[0] and not all(each.strip() for each in wanted):
        raise typo(number, "check", f"check = {check!r} needs expect")
    found = Question(row["prompt"], row.get("domain", domain), check, wanted, row.get("example", ""))
    if check == "matches":
        try:
            fits = re.search(wanted[0], found.example, re.DOTALL) is not None
        except re.error as err:
            raise typo(number, "expect", f"expect is no regular expression: {err}") from err
        if not found.example or not fits:
            raise typo(number, "example", "matches needs an example, an answer that it accepts")
    return found


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _line(text: str, number: int, key: str) -> int:
    """The line of a key in the nth question; of the question where it is not there."""
    seen, at = 0, 1
    for place, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[\[\s*question\s*\]\]", line):
            seen, at = seen + 1, place if seen + 1 <= number else at
        if seen == number and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
            return place
    return at


def build(folder: Path, seed: int, n: int) -> tuple[Case[Any], ...]:
    made = {}
    for each in questions(folder)[:n]:
        prompt = f"{each.prompt}\n\n{verify.HOW}" if each.check == "answer" else each.prompt
        case = making.case(NAME, re.sub(r"\W+", "-", each.domain), prompt, each, level=0, max_tokens=MAX_TOKENS)
        made[case.id] = case
    return tuple(made.values())


def judge(case: Case[Any], text: str) -> tuple[float, str]:
    wanted: Question = case.gold
    if wanted.check == "answer":
        said = verify.final_answer(text)
        right = verify.folded(said) == verify.folded(wanted.expect[0]) or verify.same_number(said, wanted.expect[0])
        return float(right), f"says {said[:60]}"
    if wanted.check == "contains":
        missing = [each for each in wanted.expect if verify.folded(each) not in verify.folded(text)]
        return float(not missing), f"without {missing[0][:60]}" if missing else "has all of it"
    return float(
        re.search(wanted.expect[0], text[:LOOKED_AT], re.DOTALL) is not None
    ), f"looked for {wanted.expect[0][:60]}"


_JUDGED = verify.by(judge)


def verdict(case: Case[Any], answer: Answer) -> Verdict:
    if case.gold.check == CHECKS[0] and not answer.fault:
        return Verdict(case.id, 0.0, SHOWN)
    return _JUDGED(case, answer)


def gold_answer(case: Case[Any]) -> Answer:
    wanted: Question = case.gold
    text = {
        "answer": f"Answer: {wanted.expect[0]}", "contains": "\n".join(wanted.expect), "matches": wanted.example,
    }.get(wanted.check, "to be looked at")  # fmt: skip
    return making.says(case, text)


def suite(folder: Path) -> Suite:
    """The suite of the questions in a folder. A file with a typo makes it unavailable, and says where."""

    def unavailable() -> str:
        try:
            questions(folder)
        except Typo as err:
            return str(err)
        return ""

    return Suite(
        name=NAME, version=1, domain="fun", title="the reader's own questions", build=partial(build, folder), verify=verdict,
        gold_answer=gold_answer, kind=Kind.OPEN, families=0, unavailable=unavailable,
    )  # fmt: skip


def found(folder: Path) -> Mapping[str, Suite]:
    """The suite, where the folder holds any question."""
    paths: Sequence[Path] = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    return {NAME: suite(folder)} if paths else {}
