"""How generated suites make cases: families and levels take turns, and every draw comes from the seed and its place."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from typing import Any

from evals.core import Answer, Case
from scout.serving.messages import Message, Role, Tool

Maker = Callable[[random.Random, int], Case[Any]]
"""A case of one family, of a level from 0, drawn from the generator."""
LEVELS = 4
TRIES = 50


def spread(makers: Mapping[str, Maker], *, levels: int = LEVELS) -> Callable[[int, int], tuple[Case[Any], ...]]:
    """`Suite.build`: the families take turns, and after each round the level rises. No case comes twice."""

    def build(seed: int, n: int) -> tuple[Case[Any], ...]:
        names = list(makers)
        cases: dict[str, Case[Any]] = {}
        for place in range(n):
            family, level = names[place % len(names)], place // len(names) % levels
            for attempt in range(TRIES):
                draw = random.Random(f"{seed} {family} {place} {attempt}")  # noqa: S311  no secret
                case = makers[family](draw, level)
                if case.id not in cases:
                    cases[case.id] = case
                    break
            else:
                raise ValueError(f"{family} has no {place}th case of level {level} that differs from the others")
        return tuple(cases.values())

    return build


def case(
    suite: str, family: str, user: str, gold: Any, *, level: int, max_tokens: int, system: str = "",
    tools: tuple[Tool, ...] = (), salt: str = "",
) -> Case[Any]:  # fmt: skip
    """A case asked in one message. Its id is a digest of its text, of `salt` (a world's beginning) too."""
    messages = (*((Message(Role.SYSTEM, system),) if system else ()), Message(Role.USER, user))
    digest = hashlib.blake2b("\0".join([system, user, salt]).encode(), digest_size=6).hexdigest()
    return Case(
        id=f"{suite}/{family}/{digest}", group=family, messages=messages, gold=gold, tools=tools, max_tokens=max_tokens,
        level=level,
    )  # fmt: skip


def shuffled(order: list[int], *parts: object) -> None:
    """Shuffles in place, the same for the same parts."""
    random.Random(" ".join(map(str, parts))).shuffle(order)  # noqa: S311  no secret


def says(case: Case[Any], text: str) -> Answer:
    """An answer of text."""
    return Answer(case_id=case.id, text=text)
