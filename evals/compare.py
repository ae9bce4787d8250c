"""Compares models on the same items: paired, by family, corrected for how many domains were looked at. Pure.

A difference is the first model's score less the second's, from -1 to 1. The p of it, by families and after Holm's correction,
decides; McNemar's test, sign flips and the bootstrap stand beside it. Runs that did not ask the same are not compared, with why.
Which runs of two models are set beside each other is `pairs`'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from evals import stats
from evals.stats import Difference, Interval, Reach
from evals.summary import SOLVED
from scout.store.evals import EvalItem, EvalRun

ALPHA = 0.05
DRAWS = 10_000


class NotComparable(Exception):
    """Two runs that cannot be compared; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One suite, two runs."""

    suite: str
    domain: str
    version: int
    condition: str
    run_a: str
    run_b: str
    mean_a: float
    mean_b: float
    difference: Difference
    bootstrap: Interval
    up: int
    """Items that only `a` solves, in most of its epochs."""
    down: int
    differ: int
    """Items that the two score otherwise, be it a little."""
    mcnemar: float
    """Its exact p."""
    sign_flip: float
    """Its p."""
    p: float
    """Of the difference, after Holm's correction where several were compared."""
    reach: Reach | None
    """What decides how small a difference is found; None where nothing differs, or one family leaves the error unknown."""
    level: float = ALPHA
    """Below this p, before correction, it would have been called a difference: less where several were compared."""
    label: str = ""
    """Why not to trust one of the two; empty where there is no reason."""
    otherwise: str = ""
    """How the two were asked otherwise than each other; empty where they were asked alike."""

    @property
    def detectable(self) -> float | None:
        """The difference that would have been found four times in five, as p is corrected; None where it cannot be told."""
        return self.reach.found(alpha=self.level) if self.reach else None

    @property
    def result(self) -> str:
        """`better`, `worse` or `tie`, of the first."""
        if self.p > ALPHA or self.difference.mean == 0:
            return "tie"
        return "better" if self.difference.mean > 0 else "worse"

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self) | {"result": self.result, "detectable": self.detectable}
        del values["reach"], values["level"]
        return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    """Numbers that JSON has no word for become null."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check(a: EvalRun, b: EvalRun, *, across_conditions: bool = False) -> None:
    """Raises NotComparable: the two did not ask the same."""
    if a.suite != b.suite:
        raise NotComparable(f"{a.id} ran {a.suite} and {b.id} ran {b.suite}: other questions")
    if a.version != b.version:
        said = f"{a.id} ran version {a.version} of {a.suite} and {b.id} version {b.version}"
        raise NotComparable(f"{said}: the questions or their judging changed in between; run the older one again")
    if a.seed != b.seed:
        raise NotComparable(f"{a.id} and {b.id} ran {a.suite} from seeds {a.seed} and {b.seed}: other items")
    if a.condition != b.condition and not across_conditions:
        told = " and ".join(run.condition or "none" for run in (a, b))
        raise NotComparable(f"{a.id} and {b.id} ran {a.suite} under perturbations {told}")


def compare(
    a: EvalRun, items_a: Sequence[EvalItem], b: EvalRun, items_b: Sequence[EvalItem], *, across_conditions: bool = False,
    draws: int = DRAWS,
) -> Comparison:  # fmt: skip
    """Two runs on the items that both have a score of.

    Raises:
        NotComparable: they did not ask the same, or share no judged item.
    """
    check(a, b, across_conditions=across_conditions)
    theirs = {each.item: each for each in items_b if each.mean is not None}
    pairs = [(each, theirs[each.item]) for each in items_a if each.mean is not None and each.item in theirs]
    if not pairs:
        raise NotComparable(f"{a.id} and {b.id} share no item of {a.suite} that both have a score of")
    scores_a = [each.mean or 0.0 for each, _ in pairs]
    scores_b = [each.mean or 0.0 for _, each in pairs]
    families = [each.family for each, _ in pairs]
    difference = stats.paired_difference(scores_a, scores_b, families)
    apart = [x - y for x, y in zip(scores_a, scores_b, strict=True)]
    up = sum(solved(x.judged) and not solved(y.judged) for x, y in pairs)
    down = sum(solved(y.judged) and not solved(x.judged) for x, y in pairs)
    return Comparison(
        suite=a.suite, domain=a.domain, version=a.version, condition=a.condition, run_a=a.id, run_b=b.id,
        mean_a=math.fsum(scores_a) / len(pairs), mean_b=math.fsum(scores_b) / len(pairs), difference=difference,
        bootstrap=stats.bootstrap_interval(apart, families, draws=draws, seed=1) if draws else difference.interval,
        up=up, down=down, differ=sum(each != 0 for each in apart), mcnemar=stats.mcnemar_exact(up, down),
        sign_flip=stats.sign_flip_test(apart, families) if draws else difference.p,
        p=stats.p_by_families(difference, apart, families),
        reach=Reach.of(difference.se, apart, families),
        label=_labels(a, b), otherwise=otherwise(a, b),
    )  # fmt: skip


def _labels(a: EvalRun, b: EvalRun) -> str:
    """Why not to trust one of two runs, each reason once; of which of them, where it is not of both."""
    mine, theirs = (tuple(filter(None, run.label.split("; "))) for run in (a, b))
    names = [f"{run.released} under {run.condition}" if run.condition else run.released for run in (a, b)]
    if names[0] == names[1]:
        names = [a.id, b.id]
    told = [each if each in theirs else f"{names[0]}: {each}" for each in mine]
    return "; ".join([*told, *(f"{names[1]}: {each}" for each in theirs if each not in mine)])


ASKED = {"temperature": "temperature", "min_tokens": "room for an answer", "max_tokens": "most tokens of an answer"}


def otherwise(a: EvalRun, b: EvalRun) -> str:
    """What beside the model differs in how two runs were asked."""
    told = [
        f"{words} {a.options.get(key, 0):g} and {b.options.get(key, 0):g}"
        for key, words in ASKED.items()
        if a.options.get(key, 0) != b.options.get(key, 0)
    ]
    return ", ".join([*told, *(["epochs " + f"{a.epochs} and {b.epochs}"] if a.epochs != b.epochs else [])])


@lru_cache(maxsize=16_384)
def solved(judged: tuple[float, ...]) -> bool:
    """In more than half of the epochs that were judged."""
    return sum(score >= SOLVED for score in judged) * 2 > len(judged)


def corrected(found: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same with p corrected by Holm over those that differ at all, since a look at many domains finds something in one.

    Two models that score alike on every item of a suite cannot be told apart there by chance: it is no look (Tarone 1990).
    Holm would have found one difference more, whichever, at p ≤ α over those that it does not find.
    """
    apart = [each for each in found if each.differ]
    adjusted = stats.holm([each.p for each in apart])
    left = max(1, sum(p > ALPHA for p in adjusted))
    p = iter(adjusted)
    return tuple(replace(each, p=next(p) if each.differ else each.p, level=ALPHA / left) for each in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    a: str
    b: str
    """What names the two to people."""
    rows: tuple[Comparison, ...]
    refused: tuple[str, ...] = ()
    """What could not be compared, and why."""

    def to_dict(self) -> dict[str, Any]:
        rows = [row.to_dict() for row in self.rows]
        return {"a": self.a, "b": self.b, "verdict": sentence(self), "rows": rows, "refused": list(self.refused)}


def points(share: float) -> str:
    """A difference in points of a hundred, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "−")


def sentence(report: Report) -> str:
    """What can be said of the first model, in a line: where it is better, worse, and what a tie could have shown."""
    by = {result: [row for row in report.rows if row.result == result] for result in ("better", "worse", "tie")}
    parts = [
        f"{result} than {report.b} at {', and at '.join(_said(row) for row in by[result])}"
        for result in ("better", "worse")
        if by[result]
    ]
    if by["tie"]:
        parts.append(
            "no detectable difference in " + ", nor in ".join(f"{topic(row)}{_could(row)}" for row in by["tie"])
        )
    return "; ".join(parts) + _reserve(report)


def doubts(report: Report) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Why not to trust any of it, and suite (and perturbation) → what else there is against one."""
    reasons = {asked(row): tuple(row.label.split("; ")) if row.label else () for row in report.rows}
    everywhere = tuple(
        reason for reason in next(iter(reasons.values()), ()) if all(reason in told for told in reasons.values())
    )
    own = {suite: tuple(reason for reason in told if reason not in everywhere) for suite, told in reasons.items()}
    return everywhere, {suite: told for suite, told in own.items() if told}


def rest(report: Report, own: Mapping[str, tuple[str, ...]]) -> str:
    """Which rows have more against them than all have in common: `least of all logic, code`."""
    return "each suite for more" if len(own) == len(report.rows) > 1 else f"least of all {', '.join(own)}"


def _reserve(report: Report) -> str:
    everywhere, own = doubts(report)
    told = [f"not to be trusted: {'; '.join(everywhere)}"] if everywhere else []
    if own and everywhere:
        told.append(rest(report, own))
    elif own:
        told.append("not to be trusted: " + "; ".join(f"{suite}: {', '.join(why)}" for suite, why in own.items()))
    return f" ({', '.join(told)})" if told else ""


def topic(row: Comparison) -> str:
    return row.domain if row.domain == asked(row) else f"{row.domain} ({asked(row)})"


def asked(row: Comparison) -> str:
    """The suite, and the perturbation where there is one."""
    return f"{row.suite} under {row.condition}" if row.condition else row.suite


def _said(row: Comparison) -> str:
    low, high = (100 * bound for bound in row.difference.interval)
    interval = f", interval {low:.1f} to {high:.1f}".replace("-", "−") if math.isfinite(low) else ""
    return f"{topic(row)}, {points(row.difference.mean)}{interval}"


def _could(row: Comparison) -> str:
    if not row.differ:
        return ", which scored alike on every item"
    if row.detectable is None:
        return ", which has too few items to tell"
    return f", which could have shown {100 * row.detectable:.1f}"
