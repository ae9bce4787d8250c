"""Long context: a log of notes of a set length in which facts stand, to be found, counted, added up or followed.

Lengths are tokens by rule of thumb, four characters each. `long_context` makes a suite of other lengths. A log of less than
`SHORT` tokens holds few facts, and comes after a worked example.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from evals import verify
from evals.core import Answer, Case, Suite
from evals.suites import making

LENGTHS = (200, 2_000, 4_000, 6_000)
LONGER = (7_000, 16_000, 32_000, 96_000)
SHORT = 500
CHARACTERS = 4
NAMES = ("Adler", "Brook", "Cole", "Darrow", "Ellis", "Frost", "Grove", "Hale", "Irving", "Jansen", "Keller", "Lind", "Marsh", "North",
         "Osborn", "Pryor", "Quill", "Reyes", "Stone", "Thorne")  # fmt: skip
PLACES = ("harbour", "depot", "mill", "tower", "quarry", "station", "orchard", "chapel", "bakery", "brewery", "forge", "garden",
          "hospital", "inn", "jetty", "kiln", "laundry", "museum", "nursery", "observatory")  # fmt: skip
GOODS = ("crates", "barrels", "sacks", "parcels", "drums")
FILLER = (
    "{name} walked past the {place} and wrote down that nothing had changed since {day}.",
    "On {day} the {place} stayed closed, as {name} had expected, and the gate was painted.",
    "{name} asked about the weather at the {place}; it was dry, with wind from the west.",
    "The notes of {day} mention {name} only in passing, next to a drawing of the {place}.",
    "A letter for {name} came to the {place} on {day}, and was sent on the next morning.",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Made = tuple[list[str], str, str]
"""Facts in their order, a question, the answer."""


def needle(draw: random.Random, size: int) -> Made:
    people = draw.sample(NAMES, 2 if size < SHORT else 6)
    codes = {name: str(draw.randrange(10_000, 99_999)) for name in people}
    facts = [f"The locker code of {name} is {code}." for name, code in codes.items()]
    name = draw.choice(people)
    return facts, f"What is the locker code of {name}?", codes[name]


def latest(draw: random.Random, size: int) -> Made:
    people = draw.sample(NAMES, 2 if size < SHORT else 4)
    where: dict[str, str] = {}
    facts = []
    for _ in range(3 if size < SHORT else 10 + size // 1_000):
        name = draw.choice(people)
        where[name] = draw.choice([place for place in PLACES if place != where.get(name)])
        facts.append(f"{name}'s desk moved to the {where[name]}.")
    name = draw.choice(sorted(where))
    return facts, f"Desks move from time to time. In which place is {name}'s desk at the end of the log?", where[name]


def count(draw: random.Random, size: int) -> Made:
    times, others = (
        (draw.randrange(1, 5), draw.randrange(2)) if size < SHORT else (draw.randrange(4, 12), draw.randrange(3, 8))
    )
    place, other = draw.sample(PLACES, 2)
    facts = [f"An alarm rang at the {place} at {draw.randrange(1, 24)}:{draw.randrange(10, 60)}." for _ in range(times)]
    facts += [
        f"An alarm rang at the {other} at {draw.randrange(1, 24)}:{draw.randrange(10, 60)}." for _ in range(others)
    ]
    draw.shuffle(facts)
    return facts, f"How many times did an alarm ring at the {place}? Answer with a number.", str(times)


def total(draw: random.Random, size: int) -> Made:
    place, goods = draw.choice(PLACES), draw.choice(GOODS)
    loads = [draw.randrange(3, 40) for _ in range(2 if size < SHORT else draw.randrange(4, 8))]
    facts = [f"{load} {goods} were delivered to the {place}." for load in loads]
    facts += [
        f"{draw.randrange(3, 40)} {draw.choice([g for g in GOODS if g != goods])} were delivered to the {place}."
        for _ in range(0 if size < SHORT else draw.randrange(2, 6))
    ]
    draw.shuffle(facts)
    return facts, f"How many {goods} were delivered to the {place} in all? Answer with a number.", str(sum(loads))


def chain(draw: random.Random, size: int) -> Made:
    people = draw.sample(NAMES, 2 if size < SHORT else 5)
    place = draw.choice(PLACES)
    facts = [f"{one} gave the brass key to {other}." for one, other in pairwise(people)]
    others = [name for name in NAMES if name not in people]
    facts += [f"{draw.choice(others)} gave the iron key to {draw.choice(others)}." for _ in range(3)]
    stays = {name: draw.choice(PLACES) for name in others[:3]} | {people[-1]: place}
    facts += [f"{name} spends the winter in the {where}." for name, where in stays.items()]
    return (
        facts,
        f"{people[0]} had the brass key first. In which place does whoever has it at the end spend the winter?",
        place,
    )


FAMILIES: Mapping[str, Callable[[random.Random, int], Made]] = {
    "needle": needle, "latest": latest, "count": count, "total": total, "chain": chain,
}  # fmt: skip
ASKED = "Read this log.\n\n{log}\n\nThat was the log. {question}\n\n{how}"


def _maker(
    suite: str, family: str, make_facts: Callable[[random.Random, int], Made], lengths: Sequence[int]
) -> making.Maker:
    def make(draw: random.Random, level: int) -> Case[Any]:
        facts, question, gold = make_facts(draw, lengths[level])
        text = ASKED.format(log=log(draw, facts, lengths[level]), question=question, how=verify.HOW)
        return making.case(suite, family, text, gold, level=level, max_tokens=256)

    return make


def log(draw: random.Random, facts: Sequence[str], size: int) -> str:
    """Facts in their order, spread over filler to about `size` tokens."""
    room = max(0, size * CHARACTERS - sum(map(len, facts)))
    filler: list[str] = []
    while room > 0:
        filler.append(
            draw.choice(FILLER).format(name=draw.choice(NAMES), place=draw.choice(PLACES), day=draw.choice(DAYS))
        )
        room -= len(filler[-1]) + 1
    places = sorted(draw.randrange(len(filler) + 1) for _ in facts)
    for moved, (place, fact) in enumerate(zip(places, facts, strict=True)):
        filler.insert(place + moved, fact)
    return "\n".join(filler)


def judge(case: Case[Any], text: str) -> tuple[float, str]:
    said = verify.final_answer(text)
    right = verify.same_number(said, case.gold) if case.gold.isdigit() else _place(said) == case.gold
    return float(right), f"says {said[:60]}, right is {case.gold}"


def _place(said: str) -> str:
    return verify.folded(said).removeprefix("in ").removeprefix("at ").removeprefix("the ")


def gold_answer(case: Case[Any]) -> Answer:
    return making.says(case, f"Answer: {case.gold}")


def long_context(name: str, lengths: Sequence[int]) -> Suite:
    """The suite at lengths of one's own, in tokens."""
    makers = {family: _maker(name, family, make, lengths) for family, make in FAMILIES.items()}
    return Suite(
        name=name, version=2, domain="long context", title=f"finds and adds up facts in {lengths[0]:,} to {lengths[-1]:,} tokens",
        build=making.spread(makers, levels=len(lengths), worked=gold_answer if lengths[0] < SHORT else None),
        verify=verify.by(judge), gold_answer=gold_answer, families=len(FAMILIES),
    )  # fmt: skip


LONG_CONTEXT = long_context("long-context", LENGTHS)
LONGER_CONTEXT = long_context("longer-context", LONGER)
