"""Proofs: derivations in three small formal systems, each line of which is checked. Any right derivation counts, not ours alone.

The systems and their checkers are `proof_rules`'.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals import verify
from evals.core import Answer, Case, Suite
from evals.suites import making
from evals.suites import proof_rules as rules
from evals.suites.proof_rules import Formula, shown

ATOMS = list("abcdefghjkmnpqrstuwxyz")
FORM = """Write a derivation, a line for each step, numbered from 1, in the form
1. statement [RULE numbers of earlier lines]
with these rules only:
"""


@dataclass(frozen=True, slots=True)
class Gold:
    check: Callable[[str], None]
    lines: tuple[str, ...]


Line = tuple[Formula, str, tuple[int, ...]]


def _chain(draw: random.Random, atoms: list[str], steps: int) -> list[Line]:
    """Implications, to be followed forwards, and through conjunctions."""
    lines: list[Line] = [(atoms.pop(), "P", ())]
    for _ in range(steps):
        here, there = lines[-1][0], atoms.pop()
        place = len(lines)
        if draw.random() < 0.35:
            side = atoms.pop()
            both: Formula = ("&", here, side)
            lines += [(side, "P", ()), (both, "AND", (place, place + 1)), ((">", both, there), "P", ())]
            lines.append((there, "MP", (place + 3, place + 2)))
        else:
            lines += [((">", here, there), "P", ()), (there, "MP", (place + 1, place))]
    return lines


def _backwards(draw: random.Random, atoms: list[str], steps: int) -> list[Line]:
    """Implications, to be followed backwards from a negation."""
    lines: list[Line] = [(("~", atoms.pop()), "P", ())]
    for _ in range(steps):
        here, place, there = lines[-1][0], len(lines), atoms.pop()
        lines += [((">", there, here[1]), "P", ()), (("~", there), "MT", (place + 1, place))]
    return lines


def _choices(draw: random.Random, atoms: list[str], steps: int) -> list[Line]:
    """Disjunctions, one side of which is denied."""
    lines: list[Line] = [(atoms.pop(), "P", ())]
    for _ in range(steps):
        here, place = lines[-1][0], len(lines)
        no, there = atoms.pop(), atoms.pop()
        either: Formula = ("|", no, there) if draw.random() < 0.5 else ("|", there, no)
        lines += [((">", here, ("~", no)), "P", ()), (("~", no), "MP", (place + 1, place)), (either, "P", ())]
        lines.append((there, "DS", (place + 3, place + 2)))
    return lines


def _pairs(draw: random.Random, atoms: list[str], steps: int) -> list[Line]:
    """Conjunctions to be taken apart, and either-or to be made."""
    lines: list[Line] = [(("&", atoms.pop(), atoms.pop()), "P", ())]
    for _ in range(steps):
        both, place, spare = lines[-1][0], len(lines), atoms.pop()
        side, rule = (both[1], "LEFT") if draw.random() < 0.5 else (both[2], "RIGHT")
        either: Formula = ("|", side, spare)
        after: Formula = ("&", atoms.pop(), side)
        lines += [(side, rule, (place,)), (either, "OR", (place + 1,)), ((">", either, after), "P", ())]
        lines.append((after, "MP", (place + 3, place + 2)))
    return lines


def _deduction(make: Callable[[random.Random, list[str], int], list[Line]]) -> making.Maker:
    def case(draw: random.Random, level: int) -> Case[Any]:
        atoms = draw.sample(ATOMS, len(ATOMS))
        lines = make(draw, atoms, 1 + level + (draw.randrange(2) if level else 0))
        premises = [formula for formula, rule, _ in lines if rule == "P"]
        used = [letter for formula in premises for letter in shown(formula) if letter.isalpha()]
        for _ in range(1 + level if level else 0):  # that lead nowhere: nothing says their left side
            premises.append((">", ("&", atoms.pop(), draw.choice(used)), draw.choice(used)))
        draw.shuffle(premises)
        goal = lines[-1][0]
        given = "\n".join(f"- {shown(premise)}" for premise in premises)
        asked = f"These premises hold:\n{given}\nDerive: {shown(goal)}\n\n{FORM}{rules.DEDUCTION}"
        told = _numbered([(shown(formula), rule, numbers) for formula, rule, numbers in lines])
        gold = Gold(lambda text: rules.deduction(premises, goal, rules.numbered(text)), told)
        return making.case("proofs", make.__name__.strip("_"), asked, gold, level=level, max_tokens=1024)

    return case


def _numbered(lines: Sequence[tuple[str, str, tuple[int, ...]]]) -> tuple[str, ...]:
    return tuple(
        f"{place}. {text} [{' '.join([rule, *map(str, numbers)])}]"
        for place, (text, rule, numbers) in enumerate(lines, 1)
    )


def refutation(draw: random.Random, level: int) -> Case[Any]:
    """Clauses that cannot all hold."""
    atoms = draw.sample(ATOMS, 5 + 2 * level if level else 2)
    sign = {atom: draw.choice(["", "~"]) for atom in atoms}
    literal = {atom: sign[atom] + atom for atom in atoms}
    lines: list[tuple[frozenset[str], str, tuple[int, ...]]] = [(frozenset({literal[atoms[0]]}), "P", ())]
    known = {atoms[0]: 1}
    for atom in atoms[1:]:
        before = draw.sample(sorted(known), min(len(known), draw.randrange(1, 3)))
        body = frozenset({literal[atom]} | {rules.opposite(literal[each]) for each in before})
        lines.append((body, "P", ()))
        for each in before:
            body = body - {rules.opposite(literal[each])}
            lines.append((body, "RES", (len(lines), known[each])))
        known[atom] = len(lines)
    last = draw.sample(sorted(known), 2)
    body = frozenset(rules.opposite(literal[each]) for each in last)
    lines.append((body, "P", ()))
    for each in last:
        body = body - {rules.opposite(literal[each])}
        lines.append((body, "RES", (len(lines), known[each])))
    given = [said for said, rule, _ in lines if rule == "P"]
    draw.shuffle(given)
    text = "\n".join(f"- {_clause(each)}" for each in given)
    asked = f"Show by resolution that these clauses cannot all hold:\n{text}\nDerive the empty clause.\n\n{FORM}{rules.RESOLUTION}"
    gold = Gold(
        lambda said: rules.resolution(given, rules.numbered(said)),
        _numbered([(_clause(said), rule, numbers) for said, rule, numbers in lines]),
    )  # fmt: skip
    return making.case("proofs", "refutation", asked, gold, level=level, max_tokens=1024)


def _clause(literals: frozenset[str]) -> str:
    return " | ".join(sorted(literals, key=lambda each: each.strip("~"))) or "empty"


def rewriting(draw: random.Random, level: int) -> Case[Any]:
    """A word to be turned into another by rules."""
    letters = "abc"
    named: dict[str, tuple[str, str]] = {}
    while len(named) < 4 + level // 2:
        left, right = ("".join(draw.choices(letters, k=draw.randrange(1, 4))) for _ in range(2))
        if left != right and (left, right) not in named.values():
            named[f"R{'abcdefgh'[len(named)]}"] = (left, right)
    words, told = ["".join(draw.choices(letters, k=5 + level))], [("START", ())]
    for _ in range(60):
        if len(words) == (4 + 2 * level if level else 2):
            break
        steps = [
            (rule, words[-1][:place] + right + words[-1][place + len(left) :])
            for rule, (left, right) in named.items()
            for place in range(len(words[-1]) - len(left) + 1)
            if words[-1].startswith(left, place)
        ]
        steps = [step for step in steps if step[1] not in words and 2 <= len(step[1]) < 14]
        if not steps:
            return rewriting(draw, level)
        rule, word = draw.choice(steps)
        words.append(word)
        told.append((rule, ()))
    table = "\n".join(f"- {rule}: {left} may become {right}" for rule, (left, right) in named.items())
    asked = f"""A step replaces one place of a word by a rule:
{table}
Turn `{words[0]}` into `{words[-1]}`, a line for each word, numbered from 1, in the form
1. {words[0]} [START]
2. the next word [the rule that gave it, such as {next(iter(named))}]"""
    gold = Gold(
        lambda said: rules.rewriting(named, words[0], words[-1], rules.numbered(said)),
        _numbered([(word, rule, numbers) for word, (rule, numbers) in zip(words, told, strict=True)]),
    )  # fmt: skip
    return making.case("proofs", "rewriting", asked, gold, level=level, max_tokens=1024)


MAKERS: Mapping[str, making.Maker] = {
    **{make.__name__.strip("_"): _deduction(make) for make in (_chain, _backwards, _choices, _pairs)},
    "refutation": refutation, "rewriting": rewriting,
}  # fmt: skip


def judge(case: Case[Any], text: str) -> tuple[float, str]:
    try:
        case.gold.check(text)
    except rules.Wrong as err:
        return 0.0, str(err)
    return 1.0, "every line follows"


def gold_answer(case: Case[Any]) -> Answer:
    return making.says(case, "\n".join(case.gold.lines))


PROOFS = Suite(
    name="proofs", version=2, domain="proofs", title="derives a goal in a small formal system, every step checked",
    build=making.spread(MAKERS, worked=gold_answer), verify=verify.by(judge), gold_answer=gold_answer, families=len(MAKERS),
)  # fmt: skip
