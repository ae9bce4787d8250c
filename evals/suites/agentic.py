"""Agentic tasks: a help desk, a folder of notes, a warehouse and calendars, each kept in order by tools, over 10 to 100 turns.

Solved is what left the world exactly as the right calls leave it. The worlds are `world_*`'s.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from evals.core import Answer, Case, Environment, Kind, Suite, Verdict, play
from evals.suites import making, world_calendar, world_files, world_stock, world_tickets
from evals.suites.worlds import World

NAME = "agentic"
MAX_TOKENS = 1024
"""Of one turn."""
Task = Callable[[random.Random, int], tuple[str, World]]
TASKS: Mapping[str, Task] = {
    "tickets-sort": world_tickets.sort,
    "files-sort": world_files.file,
    "stock-ship": world_stock.ship,
    "calendar-book": world_calendar.book,
    "tickets-repeats": world_tickets.repeats,
    "files-add": world_files.add,
    "stock-refill": world_stock.refill,
    "calendar-clear": world_calendar.clear,
}


def _maker(family: str, task: Task) -> making.Maker:
    def make(draw: random.Random, level: int) -> Case[Any]:
        text, world = task(draw, level)
        made = making.case(
            NAME, family, text, world, level=level, max_tokens=MAX_TOKENS, tools=world.tools, salt=repr(world.start)
        )
        return replace(made, gold=replace(world, case_id=made.id))

    return make


def environment(case: Case[Any]) -> Environment[Any]:
    world: World = case.gold
    return world


def verify(case: Case[Any], answer: Answer) -> Verdict:
    """Plays the calls that were made and judges where they led."""
    return Verdict(case.id, 0.0, answer.fault) if answer.fault else play(environment(case), answer)


def gold_answer(case: Case[Any]) -> Answer:
    world: World = case.gold
    return Answer(case_id=case.id, calls=world.right, text=f"Done.\nAnswer: {world.said}" if world.said else "Done.")


AGENTIC = Suite(
    name=NAME, version=1, domain="agentic tasks", title="keeps small systems in order with tools, over 10 to 100 turns",
    build=making.spread({family: _maker(family, task) for family, task in TASKS.items()}), verify=verify,
    gold_answer=gold_answer, kind=Kind.AGENTIC, environment=environment, families=len(TASKS),
)  # fmt: skip
