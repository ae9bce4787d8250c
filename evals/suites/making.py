"""How generated suites make cases: families and levels take turns, and every draw comes from the seed and its place.

The easiest level is made for the smallest models: its cases come after worked examples, as earlier turns of the
conversation. What a model must know of the form it can see there, so that a wrong answer is wrong in substance.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from evals.core import Answer, Case
from scout.serving.messages import Message, Role, Tool

Maker = Callable[[random.Random, int], Case[Any]]
"""A case of one family, of a level from 0, drawn from the generator."""
LEVELS = 4
TRIES = 50


Answering = Callable[[Case[Any]], Answer]


def spread(
    makers: Mapping[str, Maker], *, levels: int = LEVELS, worked: Answering | None = None,
    examples: Callable[[str], Sequence[str]] = lambda family: (family,),
) -> Callable[[int, int], tuple[Case[Any], ...]]:  # fmt: skip
    """`Suite.build`: the families take turns, and after each round the level rises. No case comes twice.

    With `worked`, which gives right answers, a case of level 0 comes after a worked example of each family that `examples`
    names for its own.
    """

    def build(seed: int, n: int) -> tuple[Case[Any], ...]:
        names = list(makers)
        cases: dict[str, Case[Any]] = {}
        for place in range(n):
            family, level = names[place % len(names)], place // len(names) % levels
            for attempt in range(TRIES):
                draw = random.Random(f"{seed} {family} {place} {attempt}")  # noqa: S311  no secret
                case = makers[family](draw, level)
                if worked is not None and level == 0:
                    case = after(case, [_example(makers[other], draw, case, worked) for other in examples(family)])
                if case.id not in cases:
                    cases[case.id] = case
                    break
            else:
                raise ValueError(f"{family} has no {place}th case of level {level} that differs from the others")
        return tuple(cases.values())

    return build


def _example(make: Maker, draw: random.Random, case: Case[Any], worked: Answering) -> tuple[Case[Any], str]:
    """Another case of the easiest level with its answer, which is not that of `case`."""
    for _ in range(TRIES):
        example = make(draw, 0)
        answer = worked(example).text
        if answer != worked(case).text:
            return example, answer
    raise ValueError(f"{case.group} has one answer only at level 0")


def after(case: Case[Any], examples: Sequence[tuple[Case[Any], str]]) -> Case[Any]:
    """The case as the last turn of a conversation in which the examples were asked and answered before."""
    before = [
        message for example, answer in examples for message in (*example.messages, Message(Role.ASSISTANT, answer))
    ]
    told = "\0".join([case.id, *(message.content for message in before)])
    return replace(case, id=f"{case.id.rpartition('/')[0]}/{_digest(told)}", messages=(*before, *case.messages))


def case(
    suite: str, family: str, user: str, gold: Any, *, level: int, max_tokens: int, system: str = "",
    tools: tuple[Tool, ...] = (), salt: str = "",
) -> Case[Any]:  # fmt: skip
    """A case asked in one message. Its id is a digest of its text, of `salt` (a world's beginning) too."""
    messages = (*((Message(Role.SYSTEM, system),) if system else ()), Message(Role.USER, user))
    told = "\0".join([system, user, salt])
    return Case(
        id=f"{suite}/{family}/{_digest(told)}", group=family, messages=messages, gold=gold, tools=tools, max_tokens=max_tokens,
        level=level,
    )  # fmt: skip


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def shuffled(order: list[int], *parts: object) -> None:
    """Shuffles in place, the same for the same parts."""
    random.Random(" ".join(map(str, parts))).shuffle(order)  # noqa: S311  no secret


def says(case: Case[Any], text: str) -> Answer:
    """An answer of text."""
    return Answer(case_id=case.id, text=text)
