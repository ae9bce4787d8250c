"""Runs the injection suite on a model and counts: attacks that got through and benign utility, defence by defence.

Asking goes through scout's own client. Nothing here knows what an attack looks like.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.asking import PRIORITY
from evals.core import Answer, Case
from evals.injection_answers import Answers
from evals.stats import wilson_interval
from evals.suites.injection import SEED, Attack, attacks, some
from evals.suites.injection_attacks import Kind
from evals.suites.injection_prompts import EACH, OFF, ON, Defences, Gold, case
from evals.suites.injection_verify import through, useful
from scout.progress import SILENT, Progress
from scout.serving.client import ModelClient
from scout.serving.errors import ModelError, ModelFault

CONDITIONS: Mapping[str, tuple[Defences, ...]] = {"on": (ON,), "off": (OFF,), "both": (ON, OFF), "each": EACH}
"""What `--defence` takes. `each`: all on, each one alone off, all off."""
ALL = "all"
_ENDS = frozenset({ModelFault.AWAY, ModelFault.BUSY, ModelFault.REFUSED, ModelFault.NO_MODEL})
"""A fault that says nothing of the model: the measurement ends."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with Wilson's interval of 95%."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.count, self.of)

    def to_dict(self) -> dict[str, Any]:
        low, high = self.interval
        share = round(self.count / self.of, 4) if self.of else None
        return {"count": self.count, "of": self.of, "share": share, "low": round(low, 4), "high": round(high, 4)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attack under given defences."""

    attack: Attack
    defences: str
    got_through: bool | None
    """None where it cannot be told: the twin's answer counts as through already, or either had no answer."""
    why: str
    useful_attacked: bool
    useful_benign: bool
    twin: str
    """The twin's case; attacks share twins."""
    faults: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        told = {key: value for key, value in asdict(self).items() if key not in ("attack", "twin")}
        attack = {"id": self.attack.id, "technique": self.attack.technique, "specimen": self.attack.specimen.name}
        return {**attack, "kind": self.attack.kind, "surface": self.attack.surface, **told, "faults": list(self.faults)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table: one kind of attack, or all, under given defences."""

    defences: str
    kind: str
    attacks: int
    through: Share
    """Of those for which it can be told."""
    benign: Share
    """Twins whose task was done."""
    attacked: Share
    """Attacked items whose task was done all the same."""
    faults: int
    """Attacks that, or whose twins, had no usable answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    model: str
    seed: int
    rows: tuple[Row, ...]
    outcomes: tuple[Outcome, ...]

    def to_dict(self) -> dict[str, Any]:
        rows = [
            {
                "defences": row.defences, "kind": row.kind, "attacks": row.attacks, "through": row.through.to_dict(),
                "benign_utility": row.benign.to_dict(), "utility_under_attack": row.attacked.to_dict(), "faults": row.faults,
            }
            for row in self.rows
        ]  # fmt: skip
        attacks = [outcome.to_dict() for outcome in self.outcomes]
        return {"suite": "injection", "model": self.model, "seed": self.seed, "rows": rows, "attacks": attacks}


async def run(
    model: ModelClient, conditions: Sequence[Defences], *, seed: int = SEED, limit: int | None = None,
    answers: Answers | None = None, progress: Progress = SILENT,
) -> Report:  # fmt: skip
    """The suite on a served model. Texts that several attacks or conditions share are asked once, and what `answers` knows not
    at all; what is answered is kept there as it comes.

    Raises:
        ModelError: the model is away or does not take such requests, so that nothing could be measured.
    """
    name = await model.model_name()
    chosen = some(attacks(seed), limit)
    cases = {each.id: each for each in all_cases(chosen, conditions)}
    if answers is not None:
        answers.begin(name)
    progress.stage("injection", len(cases))

    async def one(each: Case[Gold]) -> Answer:
        answer = answers.of(each) if answers is not None else None
        if answer is None:
            answer = await asked(model, each)
            if answers is not None:
                answers.add(each, answer)
        progress.step(each.id)
        return answer

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {id: group.create_task(one(each)) for id, each in cases.items()}
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        progress.done()
        if answers is not None:
            answers.close()
    told = {id: task.result() for id, task in tasks.items()}
    return report(name, seed, judged(chosen, conditions, told))


async def asked(model: ModelClient, each: Case[Gold]) -> Answer:
    """What the model answers. A fault that has to do with the case is part of the answer.

    Raises:
        ModelError: the model is away, or takes no requests of ours.
    """
    try:
        if each.labels:
            return Answer(case_id=each.id, labels=await model.label(each.messages, each.labels, priority=PRIORITY))
        reply = await model.chat(
            each.messages, max_tokens=each.max_tokens, schema=each.schema, tools=each.tools or None, priority=PRIORITY,
            cut_is_fault=False,
        )  # fmt: skip
    except ModelError as err:
        if err.kind in _ENDS:
            raise
        return Answer(case_id=each.id, fault=f"{err.kind}: {err.message}")
    return Answer(case_id=each.id, text=reply.text, calls=reply.tool_calls)


def all_cases(chosen: Iterable[Attack], conditions: Sequence[Defences]) -> list[Case[Gold]]:
    return [case(a, each, is_twin=is_twin) for a in chosen for each in conditions for is_twin in (False, True)]


def judged(
    chosen: Sequence[Attack], conditions: Sequence[Defences], answers: Mapping[str, Answer]
) -> tuple[Outcome, ...]:
    """What became of each attack under each condition. Answers are found by their case's id."""
    return tuple(_outcome(attack, each, answers) for each in conditions for attack in chosen)


def _outcome(attack: Attack, defences: Defences, answers: Mapping[str, Answer]) -> Outcome:
    attacked, twin = case(attack, defences, is_twin=False), case(attack, defences, is_twin=True)
    said, said_benign = answers[attacked.id], answers[twin.id]
    faults = tuple(answer.fault for answer in (said, said_benign) if answer.fault)
    gets_through, is_useful = through(grounding=defences.grounding), useful(grounding=defences.grounding)
    verdict = gets_through(attacked, said)
    can_be_told = not faults and not gets_through(twin, said_benign).score
    return Outcome(
        attack=attack, defences=defences.name, got_through=bool(verdict.score) if can_be_told else None, why=verdict.why,
        useful_attacked=bool(is_useful(attacked, said).score), useful_benign=bool(is_useful(twin, said_benign).score),
        twin=twin.id, faults=faults,
    )  # fmt: skip


def report(model: str, seed: int, outcomes: tuple[Outcome, ...]) -> Report:
    """The outcomes, counted: a row for each kind and one for all, defences by defences."""
    rows = []
    for defences in dict.fromkeys(outcome.defences for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.defences == defences]
        for kind in (*Kind, ALL):
            some_of_them = [outcome for outcome in mine if kind in (ALL, outcome.attack.kind)]
            if some_of_them:
                rows.append(_row(defences, str(kind), some_of_them))
    return Report(model=model, seed=seed, rows=tuple(rows), outcomes=outcomes)


def _row(defences: str, kind: str, outcomes: Sequence[Outcome]) -> Row:
    told = [outcome.got_through for outcome in outcomes if outcome.got_through is not None]
    twins = {outcome.twin: outcome.useful_benign for outcome in outcomes}
    return Row(
        defences=defences, kind=kind, attacks=len(outcomes), through=Share(sum(told), len(told)),
        benign=Share(sum(twins.values()), len(twins)),
        attacked=Share(sum(outcome.useful_attacked for outcome in outcomes), len(outcomes)),
        faults=sum(bool(outcome.faults) for outcome in outcomes),
    )  # fmt: skip
