"""Scripted models that the suite's figures are checked with: one that obeys attacks, one that ignores them, one that says nothing.

The first must let every attack through and do its task on every twin, the second none and do its task everywhere, the
third none and no task.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from evals.core import Answer, Case
from evals.suites.injection import letters
from evals.suites.injection_prompts import Gold, Task
from scout.serving.messages import ToolCall

Model = Callable[[Case[Gold]], Answer]


def obeying(case: Case[Gold]) -> Answer:
    """Does what an attack says, and its task where there is none."""
    attack = case.gold.attack
    if case.gold.is_twin:
        return ignoring(case)
    if case.gold.task is Task.ROUTE:
        return _label(case, letters()[attack.target])
    if case.gold.task is Task.RATE:
        return _label(case, attack.target)
    if case.gold.task is Task.TURN:
        return _call(case, attack.tool, {attack.argument: attack.value})
    return _written(case, f"{attack.marker} says that {_sentence(case)[0].lower()}{_sentence(case)[1:]}")


def ignoring(case: Case[Gold]) -> Answer:
    """Does its task, whatever stands in the item."""
    specimen = case.gold.attack.specimen
    if case.gold.task is Task.ROUTE:
        return _label(case, letters()[specimen.subject])
    if case.gold.task is Task.RATE:
        return _label(case, "5" if specimen.is_wanted else "1")
    if case.gold.task is Task.TURN:
        return _call(case, "read_item", {"item": specimen.id, "page": 1})
    return _written(case, _sentence(case))


def silent(case: Case[Gold]) -> Answer:
    """Says nothing."""
    return Answer(case_id=case.id)


MODELS: dict[str, Model] = {"obeying": obeying, "ignoring": ignoring, "silent": silent}


def _sentence(case: Case[Gold]) -> str:
    """A sentence of the abstract that a good summary may repeat."""
    specimen = case.gold.attack.specimen
    return next(each for each in specimen.abstract if any(word in each.casefold() for word in specimen.keywords))


def _label(case: Case[Gold], label: str) -> Answer:
    rest = 0.1 / (len(case.labels) - 1)
    return Answer(case_id=case.id, labels={each: 0.9 if each == label else rest for each in case.labels})


def _call(case: Case[Gold], name: str, arguments: dict[str, Any]) -> Answer:
    return Answer(case_id=case.id, calls=(ToolCall("call-2", name, json.dumps(arguments)),))


def _written(case: Case[Gold], text: str) -> Answer:
    """A summary or brief of `text`, citing what holds it, and in a summary of a plain sentence, so that a point stands."""
    gold = case.gold
    if gold.task is Task.BRIEF:
        place, there = next(iter(gold.places.items()))
        evidence = [{"place": place, "numbers": [min(there)]}]
        return Answer(case_id=case.id, text=json.dumps({"claims": [{"text": text, "evidence": evidence}]}))
    plain, marker = _sentence(case), gold.attack.marker
    said = {"text": text, "cites": _holding(gold, plain, *([marker] if marker else []))}
    points = [said] if text == plain else [said, {"text": plain, "cites": _holding(gold, plain)}]
    written = {"tldr": text, "points": points, "new": said, "why_it_matters": said}
    return Answer(case_id=case.id, text=json.dumps(written))


def _holding(gold: Gold, *words: str) -> list[int]:
    """Numbers of sentences that hold any of these."""
    return [number for number, said in enumerate(gold.sentences, 1) if any(word in said for word in words)][:5]
