"""Checks an eval before anybody believes its score: right answers are right, all others are wrong, and the text is the same each time.

A suite is refused by what it does, not by its name. What is checked of a library's generators one by one is `suites.gym`'s.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from evals.core import SHOWN, Answer, Case, Kind, Suite, Verdict
from evals.noise import answers
from evals.suites.imported import UNKNOWN
from scout.progress import SILENT, Progress
from scout.serving.messages import Role

SEED = 20_251_202
FEW, FEW_SLOW = 24, 8
"""Cases of a quick check; where each verdict starts a process."""
GUESSED = 0.05
"""Answers that are not right may score this on average, over all cases that they were tried on."""
COMMON = 0.15
"""One answer may be right in this share of the cases."""
SPREAD = 0.6
"""No level may hold a larger share of the cases."""
OTHERS_OF_SLOW = 40
"""Where each verdict starts a process, so many cases get another's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of a suite's check."""

    suite: str
    version: int
    cases: int = 0
    families: dict[str, int] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    verdicts: int = 0
    """How many answers were judged."""
    faults: tuple[str, ...] = ()
    """Why it is refused; nothing where it passes."""
    unavailable: str = ""
    """Why it could not be checked on this machine."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Generators that did not pass, and why."""

    @property
    def state(self) -> str:
        return "unavailable" if self.unavailable else "refused" if self.faults else "passes"

    def to_dict(self) -> dict[str, Any]:
        return {
            "suite": self.suite, "version": self.version, "state": self.state, "cases": self.cases,
            "families": self.families, "levels": {str(level): count for level, count in self.levels.items()},
            "verdicts": self.verdicts, "faults": list(self.faults), "unavailable": self.unavailable,
            "left_out": self.left_out,
        }  # fmt: skip


def check(suite: Suite, *, quick: bool = False, progress: Progress = SILENT) -> Checked:
    """The whole check; the quick one takes fewer cases and starts no other process to build them again."""
    if why := suite.unavailable():
        return Checked(suite=suite.name, version=suite.version, unavailable=why)
    size = min(suite.items, FEW_SLOW if suite.slow else FEW) if quick else suite.items
    try:
        cases = suite.build(SEED, size)
        again = suite.build(SEED, size)
    except Exception as err:
        return Checked(
            suite=suite.name, version=suite.version, faults=(f"cannot be built: {type(err).__name__}: {err}",)
        )
    judged = _Judge(suite, progress)
    faults = [*_made(suite, cases, again, quick=quick), *judged.faults(cases, few=quick)]
    if not quick and not faults and digest(cases) != _elsewhere(suite):
        faults.append("the same seed gives other text in another process")
    return Checked(
        suite=suite.name, version=suite.version, cases=len(cases), verdicts=judged.count,
        families=dict(Counter(case.group for case in cases)), levels=dict(sorted(Counter(case.level for case in cases).items())),
        faults=tuple(faults), left_out=_left_out(suite),
    )  # fmt: skip


@lru_cache
def why_not(suite: Suite) -> str:
    """Why a suite must not be scored, by its quick check; empty where it passes. Asked once a process."""
    found = check(suite, quick=True)
    return found.unavailable or "; ".join(found.faults)


def _made(suite: Suite, cases: Sequence[Case[Any]], again: Sequence[Case[Any]], *, quick: bool) -> Iterator[str]:
    """What is wrong with the cases themselves."""
    if digest(cases) != digest(again):
        yield "the same seed gives other text the second time"
    if len({case.id for case in cases}) != len(cases):
        yield "two cases have one id"
    if quick or suite.families == 0:  # a reader's own and imported sets are as they are
        return
    if len(cases) < 100:
        yield f"has {len(cases)} cases, fewer than 100"
    families, levels = Counter(case.group for case in cases), Counter(case.level for case in cases)
    if len(families) < suite.families:
        yield f"has {len(families)} families, not {suite.families}"
    level, most = max(levels.items(), key=lambda each: each[1])
    if len(levels) < 3 or most > SPREAD * len(cases):
        yield f"its difficulty is not spread: {most} of {len(cases)} cases are of level {level}, of {len(levels)}"


class _Judge:
    """Tries answers on cases and says what should not be."""

    def __init__(self, suite: Suite, progress: Progress) -> None:
        self.suite = suite
        self.progress = progress
        self.count = 0
        self.raised = ""

    def faults(self, cases: Sequence[Case[Any]], *, few: bool) -> Iterator[str]:
        golds = [self.suite.gold_answer(case) for case in cases]
        right = self.scores(list(zip(cases, golds, strict=True)), step=True)
        known = [gold.fault != UNKNOWN for gold in golds]
        wrong = [case.id for case, score, told in zip(cases, right, known, strict=True) if told and score != 1]
        if wrong:
            yield f"its own answer does not score 1 in {len(wrong)} of {len(cases)} cases, such as {wrong[0]}"
        told: dict[str, Callable[[Case[Any]], Answer]] = {
            "an empty answer": lambda case: Answer(case_id=case.id),
            "white space": lambda case: Answer(case_id=case.id, text=" \n"),
            "“I don't know”": lambda case: Answer(case_id=case.id, text="I don't know."),
            "an answer that says so after thinking": lambda case: Answer(
                case_id=case.id, text="<think>1 2 3</think>I don't know."
            ),
            "an agent that does nothing": lambda case: Answer(
                case_id=case.id, text="Done. All is in order.\nAnswer: done"
            ),
            "a fault": lambda case: Answer(case_id=case.id, fault="no answer came"),
        }
        for what, answer in told.items():
            if scored := self.mean(self.scores([(case, answer(case)) for case in cases])):
                yield f"{what} scores {scored:.2f} on average"
        if (scored := self.mean(self.scores([pair for case in cases for pair in _echoes(case)]))) > GUESSED:
            yield f"the answer of a worked example scores {scored:.2f} on average"
        share = self._commonest(golds) / len(golds)
        if self.suite.families and not few and share > COMMON:
            yield f"one answer is right in {share:.0%} of the cases"
        other = self.mean(self.scores(self._others(cases, golds, few=few)))
        if other > GUESSED:
            yield f"another case's answer scores {other:.2f} on average"
        tried = (1 if few else 3) if self.suite.slow else (4 if few else 12)
        self.scores([
            (case, answer) for place, case in enumerate(cases[:tried]) for answer in answers(case, golds[place], seed=SEED + place)
        ])  # fmt: skip
        if self.raised:
            yield f"its verifier raises: {self.raised}"

    @staticmethod
    def _commonest(golds: Sequence[Answer]) -> int:
        """How often the answer that is right most often is right."""
        return max(
            Counter((gold.text, tuple((call.name, call.arguments) for call in gold.calls)) for gold in golds).values()
        )

    def _others(
        self, cases: Sequence[Case[Any]], golds: Sequence[Answer], *, few: bool
    ) -> list[tuple[Case[Any], Answer]]:
        """Each case with the right answer of the next one of its family that is answered otherwise."""
        pairs = []
        for place, case in enumerate(cases[: OTHERS_OF_SLOW if self.suite.slow or few else None]):
            for step in range(1, len(cases)):
                there = (place + step) % len(cases)
                text, calls = golds[there].text, golds[there].calls
                if cases[there].group == case.group and (text, calls) != (golds[place].text, golds[place].calls):
                    pairs.append((case, Answer(case_id=case.id, text=text, calls=calls)))
                    break
        return pairs

    def scores(self, pairs: Sequence[tuple[Case[Any], Answer]], *, step: bool = False) -> list[float]:
        """The scores of answers, in their order; two at once where each waits for a process."""
        if not self.suite.slow:
            return [self.score(*pair, step=step) for pair in pairs]
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda pair: self.score(*pair, step=step), pairs))

    def score(self, case: Case[Any], answer: Answer, *, step: bool = False) -> float:
        self.count += 1
        try:
            verdict = self.suite.verify(case, answer)
        except Exception as err:
            self.raised = self.raised or f"{type(err).__name__} on {case.id}: {answer.text[:40]!r}"
            return 0.0
        if step:
            self.progress.step(case.id)
        if not isinstance(verdict, Verdict) or not 0 <= verdict.score <= 1 or verdict.case_id != case.id:
            self.raised = self.raised or f"gives no verdict within 0 and 1 on {case.id}"
            return 0.0
        if self.suite.kind is Kind.OPEN and verdict.why == SHOWN:
            return 1.0 if answer == self.suite.gold_answer(case) else 0.0  # not scored: nothing to be wrong about
        return verdict.score

    @staticmethod
    def mean(scores: Sequence[float]) -> float:
        return sum(scores) / len(scores) if scores else 0.0


def _echoes(case: Case[Any]) -> Iterator[tuple[Case[Any], Answer]]:
    """The case with each answer that stands in its own text."""
    for message in case.messages:
        if message.role is Role.ASSISTANT:
            yield case, Answer(case_id=case.id, text=message.content)


def digest(cases: Sequence[Case[Any]]) -> str:
    """Of all that a model would be shown, and of the ids."""
    told = [(case.id, case.group, case.level, case.messages, case.labels, case.schema, case.tools) for case in cases]
    return hashlib.sha256(repr(told).encode("utf-8", "backslashreplace")).hexdigest()


_PROGRAM = """
import sys
from evals.selfcheck import SEED, digest
from evals.suites import SUITES
suite = SUITES[sys.argv[1]]
print(digest(suite.build(SEED, suite.items)))
"""


def _elsewhere(suite: Suite) -> str:
    """The digest that another process with another hash seed finds; that of a suite which is not shipped is not asked."""
    from evals.suites import SUITES

    if SUITES.get(suite.name) is not suite:
        return digest(suite.build(SEED, suite.items))
    env = {**os.environ, "PYTHONHASHSEED": "12345"}
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, suite.name], capture_output=True, text=True, env=env, cwd=root, check=False
    )  # fmt: skip
    return done.stdout.strip().rpartition("\n")[2] if done.returncode == 0 else done.stderr[-200:]


def _left_out(suite: Suite) -> dict[str, str]:
    from evals.suites import gym

    if suite not in (gym.MATHEMATICS, gym.LOGIC):
        return {}
    told = gym.checked(suite.name)
    good = gym.chosen(told)
    return {name: next(filter(None, faults), "") for name, faults in sorted(told.items()) if name not in good}
