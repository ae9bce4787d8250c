"""What verifiers share: they never raise, and they find an answer in what a model wrote.

Strict on purpose: a suite says how to answer, and what is not written so is wrong. Judging is each suite's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from evals.core import Answer, Case, Verdict, Verifier

LONGEST = 200_000
"""Characters of an answer that are looked at; the end of a longer one."""
HOW = "End your reply with one line of the form\nAnswer: <your answer>"
_ANSWER = re.compile(r"^[\s>*_#`-]{0,10}answer[*_`]{0,3}\s{0,3}[:：][*_`]{0,3}(.*)$", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_THINKING = re.compile(r"^.*</think(?:ing)?>", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,3})?", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_FENCED = re.compile(r"^[ \t]{0,3}```([\w+-]*)[^\n`]*\n(.*?)^[ \t]{0,3}```", re.DOTALL | re.MULTILINE)

Judged = tuple[float, str] | tuple[float, str, Mapping[str, float]]
"""A score, why, and what else was found, as `Verdict.parts`."""
Judge = Callable[[Case[Any], str], Judged]
"""Judges a text. May raise: that is a 0."""


def by(judge: Judge) -> Verifier[Any]:
    """The verifier that scores an answer's text, without the thinking before it, by `judge`."""
    return partial(_verdict, judge)


def _verdict(judge: Judge, case: Case[Any], answer: Answer) -> Verdict:
    if answer.fault:
        return Verdict(case.id, 0.0, answer.fault)
    try:
        text = without_thinking(answer.text[-LONGEST:])
        if not text.strip():
            return Verdict(case.id, 0.0, "says nothing")
        score, why, *parts = judge(case, text)
        return Verdict(case.id, min(1.0, max(0.0, float(score))), why, *parts)
    except Exception as err:  # an answer is arbitrary input: what cannot be read is wrong, and says how
        return Verdict(case.id, 0.0, f"cannot be read ({type(err).__name__})")


def without_thinking(text: str) -> str:
    """The text after the last `</think>`; all of it where there is none."""
    return _THINKING.sub("", text)


def final_answer(text: str) -> str:
    """What stands after the last `Answer:` that begins a line, else in the last `\\boxed{}`; empty where neither is.

    An answer on the line after `Answer:` counts too.
    """
    lines = text.splitlines()
    for place in range(len(lines) - 1, -1, -1):
        found = _ANSWER.match(lines[place])
        if found:
            rest = found.group(1).strip() or next((each.strip() for each in lines[place + 1 :] if each.strip()), "")
            boxed = _BOXED.findall(rest)
            return _bare(boxed[-1] if boxed else rest)
    boxed = _BOXED.findall(text)
    return _bare(boxed[-1]) if boxed else ""


def _bare(text: str) -> str:
    """Without the marks that surround it: emphasis, quotes, dollar signs, a full stop."""
    before = None
    while before != text:
        before = text
        text = text.strip().rstrip(".").strip()
        for mark in ("**", "__", "`", '"', "$", "'"):
            if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark):
                text = text[len(mark) : -len(mark)]
    return text


def folded(text: str) -> str:
    """For comparing words: case and white space folded."""
    return " ".join(text.casefold().split())


def number(text: str) -> Decimal | None:
    """The one number that a text consists of, commas between thousands, a unit or a sign of currency allowed."""
    found = _NUMBER.findall(_THOUSANDS.sub("", text.replace("−", "-"))[:200])
    if len(found) != 1:
        return None
    try:
        value = Decimal(found[0])
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def same_number(text: str, gold: str) -> bool:
    """Whether both are one number and the same."""
    said, right = number(text), number(gold)
    return said is not None and said == right


def fenced(text: str, language: str) -> str:
    """The last fenced block of that language, else the last one of no language; empty where neither is."""
    blocks = [(name.casefold(), body) for name, body in _FENCED.findall(text)]
    for wanted in (language, ""):
        bodies = [body for name, body in blocks if name == wanted]
        if bodies:
            return str(bodies[-1])
    return ""


def json_object(text: str) -> dict[str, Any]:
    """The last JSON object of a text, fenced or bare.

    Raises:
        ValueError: there is none.
    """
    block = fenced(text, "json") or text
    first, end = block.find("{"), block.rfind("}")
    if not 0 <= first < end:
        raise ValueError("no JSON object")
    value = json.loads(block[first : end + 1], parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
