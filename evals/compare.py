"""Compares models on the same items: paired, by family, corrected for how many domains were looked at. Pure but for `paired`.

A difference is the first model's score less the second's, from -1 to 1. The p of it, by families and after Holm's correction,
decides; McNemar's test, sign flips and the bootstrap stand beside it. Runs that did not ask the same are not compared, with why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from evals import stats
from evals.stats import Difference, Interval
from evals.summary import SOLVED
from scout.store import Store
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
    mcnemar: float
    """Its exact p."""
    sign_flip: float
    """Its p."""
    p: float
    """Of the difference, after Holm's correction where several were compared."""
    detectable: float | None
    """The difference that would have been found four times in five; None where it cannot be told."""
    label: str = ""
    """Why not to trust one of the two; empty where there is no reason."""
    otherwise: str = ""
    """How the two were asked otherwise than each other; empty where they were asked alike."""

    @property
    def result(self) -> str:
        """`better`, `worse` or `tie`, of the first."""
        if self.p > ALPHA or self.difference.mean == 0:
            return "tie"
        return "better" if self.difference.mean > 0 else "worse"

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self) | {"result": self.result, "bootstrap": list(self.bootstrap)}
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
    known = math.isfinite(difference.se) and difference.se > 0
    return Comparison(
        suite=a.suite, domain=a.domain, version=a.version, condition=a.condition, run_a=a.id, run_b=b.id,
        mean_a=math.fsum(scores_a) / len(pairs), mean_b=math.fsum(scores_b) / len(pairs), difference=difference,
        bootstrap=stats.bootstrap_interval(apart, families, draws=draws, seed=1) if draws else difference.interval,
        up=up, down=down, mcnemar=stats.mcnemar_exact(up, down),
        sign_flip=stats.sign_flip_test(apart, families) if draws else difference.p,
        p=stats.p_by_families(difference, apart, families),
        detectable=stats.found_by_families(difference.se, families, len(pairs), alpha=ALPHA) if known else None,
        label=_labels(a, b), otherwise=otherwise(a, b),
    )  # fmt: skip


def _labels(a: EvalRun, b: EvalRun) -> str:
    """Why not to trust one of two runs, each reason once."""
    return "; ".join(dict.fromkeys(part for run in (a, b) for part in run.label.split("; ") if part))


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
    """The same with p corrected by Holm over all of them, since a look at many domains finds something in one."""
    if not found:
        return ()
    return tuple(replace(each, p=p) for each, p in zip(found, stats.holm([c.p for c in found]), strict=True))


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


def models(store: Store, a: str, b: str, *, draws: int = DRAWS) -> Report:
    """Everything that both models, or runs, have been asked; of each suite their newest finished runs of one version.

    Raises:
        NotComparable: one was never measured, or they share nothing that can be compared.
    """
    first, second = runs_of(store, a), runs_of(store, b)
    rows, refused = [], [*_unasked(a, second, first), *_unasked(b, first, second)]
    for (suite, condition), mine in first.items():
        if (theirs := second.get((suite, condition))) is None:
            continue
        try:
            rows.append(pair(store, *closest(mine, theirs), draws=draws))
        except NotComparable as err:
            refused.append(str(err))
    if not rows:
        raise NotComparable("; ".join(refused) or f"{a} was asked nothing")
    return Report(a=_name(first, a), b=_name(second, b), rows=corrected(rows), refused=tuple(refused))


def pair(
    store: Store, a: EvalRun, b: EvalRun, *, across_conditions: bool = False, draws: int = DRAWS
) -> Comparison:  # fmt: skip
    """Two runs as the store has them. Raises NotComparable."""
    check(a, b, across_conditions=across_conditions)
    mine, theirs = store.evals.items(a.id), store.evals.items(b.id)
    return compare(a, mine, b, theirs, across_conditions=across_conditions, draws=draws)


Asked = dict[tuple[str, str], list[EvalRun]]


def runs_of(store: Store, name: str) -> Asked:
    """(suite, condition) → finished runs, the newest first: of one run by its id, else of a model."""
    run = store.evals.get(name)
    if run is not None and not run.is_done:
        raise NotComparable(f"{name} did not finish; `scout eval run {run.suite} --resume` goes on")
    found = [run] if run is not None else store.evals.listing(model=name, only_done=True)
    found = [each for each in found if run is not None or not each.variant or each.released == name]
    if not found:
        raise NotComparable(f"no finished run of {name}; `scout eval list` names what there is")
    asked: Asked = {}
    for each in found:
        if each.kind != "open":
            asked.setdefault((each.suite, each.condition), []).append(each)
    return asked


def closest(mine: Sequence[EvalRun], theirs: Sequence[EvalRun]) -> tuple[EvalRun, EvalRun]:
    """The newest two that can be compared; the newest of each where none can, which then says why."""
    for one in mine:
        for other in theirs:
            if (one.version, one.seed) == (other.version, other.seed) and one.id != other.id:
                return one, other
    return mine[0], theirs[0]


def _unasked(name: str, others: Asked, mine: Asked) -> list[str]:
    """What the other model was asked and this one was not, in one sentence or none.

    A perturbation is measured against its own model, and is left out.
    """
    suites = sorted(suite for suite, condition in others if not condition and (suite, condition) not in mine)
    return [f"{name} was not asked {', '.join(suites)}"] if suites else []


def _name(asked: Asked, given: str) -> str:
    newest = next(iter(asked.values()))[0]
    return newest.released if given in (newest.model, newest.release_id) else given


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
    """Why not to trust any of it, and suite → what else there is against one."""
    reasons = {row.suite: tuple(row.label.split("; ")) if row.label else () for row in report.rows}
    everywhere = tuple(
        reason for reason in next(iter(reasons.values()), ()) if all(reason in told for told in reasons.values())
    )
    own = {suite: tuple(reason for reason in told if reason not in everywhere) for suite, told in reasons.items()}
    return everywhere, {suite: told for suite, told in own.items() if told}


def _reserve(report: Report) -> str:
    everywhere, own = doubts(report)
    told = [f"not to be trusted: {'; '.join(everywhere)}"] if everywhere else []
    if own and everywhere:
        told.append(f"least of all {', '.join(own)}")
    elif own:
        told.append("not to be trusted: " + "; ".join(f"{suite}: {', '.join(why)}" for suite, why in own.items()))
    return f" ({', '.join(told)})" if told else ""


def topic(row: Comparison) -> str:
    named = row.domain if row.domain == row.suite else f"{row.domain} ({row.suite})"
    return f"{named} under {row.condition}" if row.condition else named


def _said(row: Comparison) -> str:
    low, high = (100 * bound for bound in row.difference.interval)
    interval = f", interval {low:.1f} to {high:.1f}".replace("-", "−") if math.isfinite(low) else ""
    return f"{topic(row)}, {points(row.difference.mean)}{interval}"


def _could(row: Comparison) -> str:
    if row.detectable is None:
        return ", which scored alike on every item" if row.difference.se == 0 else ", which has too few items to tell"
    return f", which could have shown {100 * row.detectable:.1f}"
