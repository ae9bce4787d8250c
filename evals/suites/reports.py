"""Report writing: a short report on a table, whose requirements can be checked: its parts, its length, its figures.

Each figure asked for must stand in it, and none that is neither in the table nor follows from it. How well it reads is a
judge model's to say: see `evals.judge`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evals import verify
from evals.core import Answer, Case, Suite
from evals.suites import making

KINDS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "sales": ("units sold in each shop", "units", ("Harbour", "Station", "Market", "Hill", "Bridge", "Airport", "Museum", "Park")),
    "sensors": ("hours out of service of each pump", "hours", ("Pump A", "Pump B", "Pump C", "Pump D", "Pump E", "Pump F",
     "Pump G", "Pump H")),
    "survey": ("answers received from each district", "answers", ("North", "South", "East", "West", "Centre", "Old Town",
     "Riverside", "Heights")),
    "training": ("steps until each run converged", "steps", ("run alpha", "run beta", "run gamma", "run delta", "run kappa", "run sigma",
                                                                "run omega", "run theta")),
    "budget": ("money spent by each team", "euros", ("Design", "Research", "Support", "Hosting", "Travel", "Legal",
     "Training", "Events")),
}  # fmt: skip
HEADINGS = ("Summary", "Figures", "Changes", "Open questions")


@dataclass(frozen=True, slots=True)
class Gold:
    needed: tuple[tuple[str, tuple[str, ...]], ...]
    """What must be said, and the words and numbers that must stand in one sentence."""
    allowed: frozenset[int]
    low: int
    high: int
    headings: tuple[str, ...]
    text: str


def _facts(
    now: Mapping[str, int], before: Mapping[str, int], unit: str, level: int
) -> list[tuple[str, tuple[str, ...], str]]:
    total, earlier = sum(now.values()), sum(before.values())
    top, least = max(now, key=now.__getitem__), min(now, key=now.__getitem__)
    moved = max(now, key=lambda each: now[each] - before[each])
    change = "more" if total >= earlier else "fewer"
    return [
        ("the total of the second month", (str(total),), f"The total is {total} {unit}."),
        ("who has most in the second month, and how many", (top, str(now[top])), f"{top} has most with {now[top]} {unit}."),
        ("who has least in the second month, and how many", (least, str(now[least])), f"{least} has least with {now[least]} {unit}."),
        ("by how much the total changed", (str(abs(total - earlier)),), f"That is {abs(total - earlier)} {unit} {change} than before."),
        ("who grew most, and by how much", (moved, str(now[moved] - before[moved])),
         f"{moved} grew most, by {now[moved] - before[moved]} {unit}."),
        ("the total of the first month", (str(earlier),), f"The month before it was {earlier} {unit}."),
    ][slice(1, 2) if level == 0 else slice(3 + level)]  # fmt: skip


def _table(draw: random.Random, names: tuple[str, ...], size: int) -> tuple[dict[str, int], dict[str, int]]:
    chosen = draw.sample(names, size)
    while True:
        now, before = ({name: draw.randrange(120, 950) for name in chosen} for _ in range(2))
        grown = [now[name] - before[name] for name in chosen]
        told = [*now.values(), *before.values(), *grown, sum(now.values()), sum(before.values())]
        if len(set(told)) == len(told) and max(grown) > 0 and sum(now.values()) != sum(before.values()):
            return now, before


def _maker(kind: str) -> making.Maker:
    what, unit, names = KINDS[kind]

    def make(draw: random.Random, level: int) -> Case[Any]:
        now, before = _table(draw, names, 4 + level if level else 2)
        facts = _facts(now, before, unit, level)
        headings = HEADINGS[: (1, 3, 3, 4)[level]]
        low = 50 + 10 * level if level else 5
        table = "\n".join(f"| {name} | {before[name]} | {now[name]} |" for name in now)
        asked = f"""Write a report on this table: {what}, in May and in June.

| name | May | June |
| --- | --- | --- |
{table}

It must
- have exactly these headings, in this order, each on a line that begins with `## `: {", ".join(headings)};
- have {low} to {low + 150} words in all;
- say, each in one sentence with name and number as digits where asked: {"; ".join(words for words, _, _ in facts)};
- hold no other number than such as stand in the table, are sums or differences of them, or are smaller than 13."""
        gold = Gold(
            tuple((words, marks) for words, marks, _ in facts), _allowed(now, before), low, low + 150, headings,
            _written(headings, [said for _, _, said in facts], low),
        )  # fmt: skip
        return making.case("reports", kind, asked, gold, level=level, max_tokens=900)

    return make


def _allowed(now: Mapping[str, int], before: Mapping[str, int]) -> frozenset[int]:
    every = [*now.values(), *before.values()]
    sums = {sum(now.values()), sum(before.values()), sum(every), abs(sum(now.values()) - sum(before.values()))}
    pairs = {a + b for a in every for b in every} | {abs(a - b) for a in every for b in every}
    return frozenset({*every, *sums, *pairs, *range(13)})


def _written(headings: tuple[str, ...], said: list[str], low: int) -> str:
    filler = "The figures were taken from the table as it was handed over, and nothing was left out or rounded. "
    parts = [f"## {heading}\n{' '.join(said) if place == 0 else filler}" for place, heading in enumerate(headings)]
    text = "\n\n".join(parts)
    while len(text.split()) < low:
        text += filler
    return text.strip()


def judge(case: Case[Any], text: str) -> tuple[float, str]:
    gold: Gold = case.gold
    found = tuple(row[3:].strip().strip("*") for row in text.splitlines() if row.startswith("## "))
    if found != gold.headings:
        return 0.0, f"headings: {', '.join(found)[:80] or 'none'}"
    words = len(re.findall(r"\w+(?:[-'’]\w+)*", text))
    if not gold.low <= words <= gold.high:
        return 0.0, f"{words} words"
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    sentences = [each for row in plain.splitlines() for each in re.split(r"(?<=[.!?])\s+", row)]
    for what, marks in gold.needed:
        if not any(all(_has(sentence, mark) for mark in marks) for sentence in sentences):
            return 0.0, f"does not say {what}"
    strange = [each for each in re.findall(r"\d+(?:\.\d+)?", plain) if float(each) not in gold.allowed]
    return float(not strange), f"a figure from nowhere: {strange[0]}" if strange else "all requirements hold"


def _has(sentence: str, mark: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(mark)}(?!\w)", sentence, re.IGNORECASE) is not None


def gold_answer(case: Case[Any]) -> Answer:
    return making.says(case, case.gold.text)


REPORTS = Suite(
    name="reports", version=2, domain="report writing", title="writes a report whose parts, length and figures are checked",
    build=making.spread({kind: _maker(kind) for kind in KINDS}, worked=gold_answer), verify=verify.by(judge), gold_answer=gold_answer,
    families=len(KINDS),
)  # fmt: skip
