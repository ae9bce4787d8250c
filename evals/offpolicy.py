"""What another policy's slots would have been worth, from thumbs on what this one showed. Pure: rows in, estimates out.

The worth of a policy is its thumbs up per shown slot. A row is a candidate of a day with the probability with which it was
shown (`propensity`, whatever else was) and with which the policy in question would have shown it (`target`). It is taken
that a thumb does not depend on what else is on the page. Three estimates of one thing:

- **IPS** (Horvitz and Thompson 1952): Σ target/propensity · up, over what was shown, by the number of slots;
- **SNIPS** (Hájek; Swaminathan and Joachims 2015): the same by the sum of the weights, steadier, a little biased;
- **doubly robust** (Dudík et al. 2011): what a model foresaw of every slot, mended by IPS of where it was wrong. The model's
  probabilities must be from before the thumbs.

Slots that could not have been shown (propensity 0: cut by a cap, blocked by a rule) are no part of any of them; they are
counted, since of them nothing is known. Intervals go by days: what is shown on one day goes together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from evals.stats import around

THIN = 50.0
"""Slots that those of a policy must be worth, as evidence, for an interval to be believed: with fewer, intervals of 95%
held the truth in 92% (28 slots) or 74% (11) of simulated logs."""
LEAST_DAYS = 5


class Unknown(StrEnum):
    """What a shown slot without a thumb counts as."""

    NOT_UP = "not-up"
    """Not wanted: the worth is thumbs up per shown slot, as they were given."""
    MISSING = "missing"
    """Unknown: slots with a thumb stand for those of their lane without one."""


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate of a day."""

    day: date
    propensity: float
    target: float
    foreseen: float
    """The probability of a thumb up that a model gave it before."""
    shown: bool
    up: bool | None = None
    """None where no thumb was given."""
    group: str = ""
    """Its lane: how readily thumbs are given is taken to be one thing within it."""


@dataclass(frozen=True, slots=True)
class Estimate:
    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        return {
            name: round(figure, 6) if math.isfinite(figure) else None
            for name, figure in (("value", self.value), ("low", self.low), ("high", self.high))
        }


@dataclass(frozen=True, slots=True)
class Report:
    slots: float
    """How many the policy would have filled."""
    covered: float
    """Of them, those that could have been shown."""
    effective: float
    """Slots of one's own that the covered ones are worth as evidence: (Σ target)² / Σ target²/propensity."""
    seen: int
    """Shown items that the policy would have shown too."""
    thumbed: int
    days: int
    ips: Estimate | None
    snips: Estimate | None
    dr: Estimate | None
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As `scout policy compare --json` prints it."""
        whole: dict[str, Any] = {
            "slots": round(self.slots, 3), "covered": round(self.covered, 3), "effective": round(self.effective, 2),
            "seen": self.seen, "thumbed": self.thumbed, "days": self.days,
        }  # fmt: skip
        for name, found in (("ips", self.ips), ("snips", self.snips), ("dr", self.dr)):
            whole[name] = found and found.to_dict()
        return {**whole, "warnings": list(self.warnings)}


@dataclass(frozen=True, slots=True)
class _Found:
    """A ratio of sums over days: its value, and how far each day pulls it."""

    value: float
    pulls: Mapping[date, float]

    def estimate(self) -> Estimate:
        days = len(self.pulls)
        if days < 2:
            return Estimate(self.value, -math.inf, math.inf)
        error = math.sqrt(days / (days - 1) * sum(pull * pull for pull in self.pulls.values()))
        low, high = around(self.value, error, days)
        return Estimate(self.value, low, high)

    def less(self, other: _Found) -> _Found:
        days = {*self.pulls, *other.pulls}
        apart = {day: self.pulls.get(day, 0.0) - other.pulls.get(day, 0.0) for day in days}
        return _Found(self.value - other.value, apart)


def estimate(rows: Sequence[Row], *, unknown: Unknown = Unknown.NOT_UP) -> Report:
    """What the policy with these targets is worth.

    Raises:
        ValueError: a row cannot be: a figure out of range, or shown with a propensity of 0.
    """
    _checked(rows)
    covered = [row for row in rows if row.propensity > 0 and row.target > 0]
    slots = sum(row.target for row in rows)
    seen = [row for row in covered if row.shown]
    found = _all(covered, unknown) if any(row.up is not None for row in seen) else {}
    report = Report(
        slots=slots,
        covered=sum(row.target for row in covered),
        effective=_effective(covered),
        seen=len(seen),
        thumbed=sum(row.up is not None for row in seen),
        days=len({row.day for row in covered}),
        ips=found["ips"].estimate() if found else None,
        snips=found["snips"].estimate() if found else None,
        dr=found["dr"].estimate() if found else None,
        warnings=(),
    )
    return _warned(report, unknown)


def difference(
    a: Sequence[Row], b: Sequence[Row], *, unknown: Unknown = Unknown.NOT_UP
) -> dict[str, Estimate]:  # fmt: skip
    """How much more `a` is worth than `b` on the same log, by estimator; empty where either is unknown."""
    kept = [[row for row in rows if row.propensity > 0 and row.target > 0] for rows in (a, b)]
    if not all(any(row.shown and row.up is not None for row in rows) for rows in kept):
        return {}
    of_a, of_b = (_all(rows, unknown) for rows in kept)
    return {name: of_a[name].less(of_b[name]).estimate() for name in of_a}


def _all(covered: Sequence[Row], unknown: Unknown) -> dict[str, _Found]:
    answered = _answered(covered) if unknown is Unknown.MISSING else defaultdict(lambda: 1.0)

    def weight(row: Row) -> float:
        """0 for what says nothing."""
        if not row.shown or (unknown is Unknown.MISSING and row.up is None):
            return 0.0
        return row.target / (row.propensity * answered[row.group])

    return {
        "ips": _ratio(covered, lambda row: weight(row) * bool(row.up), lambda row: row.target),
        "snips": _ratio(covered, lambda row: weight(row) * bool(row.up), weight),
        "dr": _ratio(
            covered,
            lambda row: row.target * row.foreseen + weight(row) * (bool(row.up) - row.foreseen),
            lambda row: row.target,
        ),
    }


def _ratio(rows: Sequence[Row], top: Callable[[Row], float], bottom: Callable[[Row], float]) -> _Found:
    """Σ top / Σ bottom, linearized by day."""
    tops: dict[date, float] = defaultdict(float)
    bottoms: dict[date, float] = defaultdict(float)
    for row in rows:
        tops[row.day] += top(row)
        bottoms[row.day] += bottom(row)
    whole = sum(bottoms.values())
    value = sum(tops.values()) / whole
    return _Found(value, {day: (tops[day] - value * bottoms[day]) / whole for day in tops})


def _answered(covered: Sequence[Row]) -> dict[str, float]:
    """Per lane, the share of what was shown that got a thumb."""
    shown: dict[str, list[bool]] = defaultdict(list)
    for row in covered:
        if row.shown:
            shown[row.group].append(row.up is not None)
    return {group: sum(thumbed) / len(thumbed) for group, thumbed in shown.items()}


def _effective(covered: Sequence[Row]) -> float:
    square = sum(row.target**2 / row.propensity for row in covered)
    return sum(row.target for row in covered) ** 2 / square if square else 0.0


def _checked(rows: Sequence[Row]) -> None:
    for row in rows:
        for name, figure in (("propensity", row.propensity), ("target", row.target), ("foreseen", row.foreseen)):
            if not 0 <= figure <= 1:
                raise ValueError(f"{name} of a row of {row.day} is {figure}; it must be a probability")
        if row.shown and row.propensity == 0:
            raise ValueError(f"a row of {row.day} was shown with a propensity of 0")


def _warned(report: Report, unknown: Unknown) -> Report:
    said = []
    if not report.slots:
        said.append("it would have shown nothing")
    elif not report.thumbed:
        said.append("no thumb is on anything it would have shown: nothing can be told")
    if report.covered and report.effective < THIN:
        said.append(
            f"the overlap is too thin: its {report.covered:.0f} slots are worth {report.effective:.1f} as evidence, and from "
            f"{THIN:.0f} on an interval can be believed; more exploration or more weeks would help"
        )
    if report.slots - report.covered > 0.05 * report.slots:
        said.append(
            f"{report.slots - report.covered:.0f} of its {report.slots:.0f} slots hold items that could not have been shown "
            "(cut by a cap, or blocked by a rule): nothing is known of them"
        )
    if report.slots and report.days < LEAST_DAYS:
        said.append(f"only {report.days} days: intervals go by days, and need {LEAST_DAYS}")
    if report.thumbed and report.thumbed < 0.5 * report.seen:
        counts = "counts as not wanted" if unknown is Unknown.NOT_UP else "is taken to be like the rest of its lane"
        said.append(f"{report.seen - report.thumbed} of {report.seen} shown slots have no thumb; each {counts}")
    return replace(report, warnings=tuple(said))
