"""Small formal systems whose derivations are checked line by line: natural deduction, resolution, rewriting.

A line is `number. statement [rule and numbers of earlier lines]`. A checker says what is wrong first, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Formula = tuple[Any, ...] | str
"""A letter, or ("~", f), ("&", f, g), ("|", f, g), (">", f, g)."""
_TOKEN = re.compile(r"\s*(->|→|[~¬!]|[&∧^]|[|∨]|[()]|[A-Za-z]\w?)")
_LINE = re.compile(r"^\s*\**(\d{1,3})[.)]\s*(.*?)\s*\[\s*([A-Za-z-]+)\s*([\d,\sand]*)\]\W*$")
MOST_LINES, LONGEST = 200, 300


class Wrong(ValueError):
    """A line that does not follow, or cannot be read."""


def parse(text: str) -> Formula:
    """A formula. `->` binds weakest and to the right, then `|`, `&`, `~`.

    Raises:
        Wrong: it is none.
    """
    if len(text) > LONGEST:
        raise Wrong("a formula is too long")
    names = {"→": "->", "¬": "~", "!": "~", "∧": "&", "^": "&", "∨": "|"}
    tokens, place = [], 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if not found:
            raise Wrong(f"cannot read {text[:40]}")
        tokens.append(names.get(found.group(1), found.group(1)))
        place = found.end()
    formula, rest = _level(tokens, 0, 0)
    if rest != len(tokens):
        raise Wrong(f"cannot read {text[:40]}")
    return formula


def _level(tokens: Sequence[str], place: int, level: int) -> tuple[Formula, int]:
    if level == 3:
        return _unary(tokens, place)
    sign = ("->", "|", "&")[level]
    left, place = _level(tokens, place, level + 1)
    while place < len(tokens) and tokens[place] == sign:
        right, place = _level(tokens, place + 1, level if sign == "->" else level + 1)
        left = (">" if sign == "->" else sign, left, right)
    return left, place


def _unary(tokens: Sequence[str], place: int) -> tuple[Formula, int]:
    if place >= len(tokens):
        raise Wrong("a formula ends too early")
    if tokens[place] == "~":
        inner, place = _unary(tokens, place + 1)
        return ("~", inner), place
    if tokens[place] == "(":
        inner, place = _level(tokens, place + 1, 0)
        if place >= len(tokens) or tokens[place] != ")":
            raise Wrong("a bracket stays open")
        return inner, place + 1
    if not tokens[place][0].isalpha():
        raise Wrong(f"{tokens[place]} stands where a letter should")
    return tokens[place], place + 1


def shown(formula: Formula) -> str:
    """A formula as text, with brackets around every inner one."""
    if isinstance(formula, str):
        return formula
    if formula[0] == "~":
        return f"~{_inner(formula[1])}"
    return f"{_inner(formula[1])} {'->' if formula[0] == '>' else formula[0]} {_inner(formula[2])}"


def _inner(formula: Formula) -> str:
    return shown(formula) if isinstance(formula, str) or formula[0] == "~" else f"({shown(formula)})"


DEDUCTION = """- [P]: a premise, written as given
- [MP i j]: from A -> B and A, B
- [MT i j]: from A -> B and ~B, ~A
- [AND i j]: from A and B, A & B
- [LEFT i] and [RIGHT i]: from A & B, A; from A & B, B
- [OR i]: from A, A | B or B | A, for any B
- [DS i j]: from A | B and ~A, B; from A | B and ~B, A
- [HS i j]: from A -> B and B -> C, A -> C"""


def deduction(premises: Sequence[Formula], goal: Formula, lines: Sequence[tuple[str, str, list[int]]]) -> None:
    """Checks a derivation of the goal.

    Raises:
        Wrong: the first thing that is wrong.
    """
    known: list[Formula] = []
    for text, rule, numbers in lines:
        formula = parse(text)
        if not _follows(formula, rule, [_earlier(known, number) for number in numbers], premises):
            raise Wrong(f"line {len(known) + 1} does not follow by {rule}")
        known.append(formula)
    if goal not in known:
        raise Wrong("the goal is not reached")


def _follows(formula: Formula, rule: str, given: list[Formula], premises: Sequence[Formula]) -> bool:
    if rule == "P":
        return formula in premises
    if len(given) == 1:
        one = given[0]
        if rule == "OR":
            return formula[0] == "|" and not isinstance(formula, str) and one in formula[1:]
        if isinstance(one, str) or one[0] != "&":
            return False
        return (rule == "LEFT" and formula == one[1]) or (rule == "RIGHT" and formula == one[2])
    if len(given) != 2:
        return False
    return any(_by_two(formula, rule, one, other) for one, other in (given, given[::-1]))


def _by_two(formula: Formula, rule: str, one: Formula, other: Formula) -> bool:
    if rule == "AND":
        return formula == ("&", one, other)
    sign = one[0] if not isinstance(one, str) else ""
    if rule == "MP":
        return sign == ">" and other == one[1] and formula == one[2]
    if rule == "MT":
        return sign == ">" and other == ("~", one[2]) and formula == ("~", one[1])
    if rule == "HS":
        return (
            sign == ">"
            and not isinstance(other, str)
            and other[0] == ">"
            and one[2] == other[1]
            and formula == (">", one[1], other[2])
        )
    if rule == "DS":
        return sign == "|" and (
            (other == ("~", one[1]) and formula == one[2]) or (other == ("~", one[2]) and formula == one[1])
        )
    return False


def _earlier(known: Sequence[Any], number: int) -> Any:
    if not 1 <= number <= len(known):
        raise Wrong(f"line {len(known) + 1} names line {number}, which is not before it")
    return known[number - 1]


RESOLUTION = """- [P]: a given clause
- [RES i j]: from a clause with x and a clause with ~x, all their other literals together, each once
The empty clause is written `empty`."""


def clause(text: str) -> frozenset[str]:
    """A clause, `x | ~y`, as its literals."""
    if text.strip().casefold() in ("empty", "{}", "[]", "()"):
        return frozenset()
    literals = [
        each.replace(" ", "").replace("¬", "~") for each in text.strip().strip("()").replace("∨", "|").split("|")
    ]
    if not all(re.fullmatch(r"~?[a-z]\w?", each) for each in literals):
        raise Wrong(f"cannot read the clause {text[:40]}")
    return frozenset(literals)


def resolution(given: Sequence[frozenset[str]], lines: Sequence[tuple[str, str, list[int]]]) -> None:
    """Checks a refutation: it ends in the empty clause.

    Raises:
        Wrong: the first thing that is wrong.
    """
    known: list[frozenset[str]] = []
    for text, rule, numbers in lines:
        said = clause(text)
        if rule == "P":
            fits = said in given
        elif rule == "RES" and len(numbers) == 2:
            one, other = (_earlier(known, number) for number in numbers)
            fits = any(said == (one - {each}) | (other - {opposite(each)}) for each in one if opposite(each) in other)
        else:
            fits = False
        if not fits:
            raise Wrong(f"line {len(known) + 1} does not follow")
        known.append(said)
    if frozenset() not in known:
        raise Wrong("the empty clause is not reached")


def opposite(literal: str) -> str:
    return literal[1:] if literal.startswith("~") else f"~{literal}"


def rewriting(
    rules: Mapping[str, tuple[str, str]], begin: str, end: str, lines: Sequence[tuple[str, str, list[int]]]
) -> None:
    """Checks that each word comes from the one before by one use of the rule that it names, from `begin` to `end`.

    Raises:
        Wrong: the first thing that is wrong.
    """
    word = begin
    for number, (text, rule, _) in enumerate(lines, 1):
        said = text.strip().strip("`'\"")
        if rule.casefold() == "start":
            fits = number == 1 and said == begin
        else:
            left, right = rules.get(rule, ("", ""))
            fits = bool(left) and any(
                word[place : place + len(left)] == left and said == word[:place] + right + word[place + len(left) :]
                for place in range(len(word) - len(left) + 1)
            )
        if not fits:
            raise Wrong(f"line {number} is not the word before it after {rule}")
        word = said
    if word != end:
        raise Wrong(f"ends in {word[:40]}, not in {end}")


def numbered(text: str) -> list[tuple[str, str, list[int]]]:
    """The lines of a derivation: statement, rule, numbers of lines; the last run of lines numbered from 1.

    Raises:
        Wrong: there are none, or too many, or their numbers do not follow each other.
    """
    found: list[tuple[str, str, list[int]]] = []
    for row in text.splitlines():
        line = _LINE.match(row[: 2 * LONGEST].replace("**", "").replace("`", ""))
        if not line:
            continue
        if int(line.group(1)) == 1:
            found = []
        if int(line.group(1)) != len(found) + 1:
            raise Wrong(f"a line is numbered {line.group(1)} where {len(found) + 1} was next")
        found.append((line.group(2), line.group(3), [int(each) for each in re.findall(r"\d+", line.group(4))]))
    if not found:
        raise Wrong("there are no numbered lines with a rule in brackets")
    if len(found) > MOST_LINES:
        raise Wrong("there are too many lines")
    return found
