"""What the pages Models and Fun read: two models beside each other over everything they were asked. Nothing here draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.charts_evals import Scored
from evals import compare, pairs, robust
from evals.compare import Comparison, NotComparable, Report
from scout.store import Store
from scout.store.evals import EvalAlarm, EvalItem, EvalRun

RUNS = 2_000
"""The newest so many are looked at."""
KEPT = 32
TRIAGE = "triage"
"""The domain that the strip beside the digest follows."""
_REPORTS: dict[tuple[str, str, str, str, int], Report | str] = {}


@dataclass(frozen=True, slots=True)
class Measured:
    """Every finished run, the newest first, and when the models came out."""

    runs: tuple[EvalRun, ...]
    alarms: tuple[EvalAlarm, ...]
    released: Mapping[str, datetime]

    @property
    def names(self) -> tuple[str, ...]:
        """Models with a score, the one measured last first."""
        return tuple(dict.fromkeys(run.released for run in self.runs if run.kind != "open"))


def measured(store: Store) -> Measured:
    runs = tuple(store.evals.listing(only_done=True, limit=RUNS))
    names = {run.release_id for run in runs if run.release_id}
    return Measured(runs, tuple(store.evals.alarms(limit=3)), store.releases.published(names))


def served(found: Measured, configured: str) -> str:
    """The model that reads for this store: the configured one, else the one last measured as served; empty for neither."""
    for run in found.runs:
        if not run.variant and (run.model == configured or (not configured and run.purpose == "served")):
            return run.released
    return ""


def of(found: Measured, name: str, *, condition: str = "") -> dict[str, EvalRun]:
    """Suite → the model's newest run of it under that condition, by domain."""
    runs: dict[str, EvalRun] = {}
    for run in found.runs:
        if run.released == name and run.condition == condition and run.kind != "open":
            runs.setdefault(run.suite, run)
    return dict(sorted(runs.items(), key=lambda pair: (pair[1].domain, pair[0])))


def beside(store: Store, found: Measured, a: str, b: str) -> Report | str:
    """The two compared, or why they cannot be. Finished runs never change: what was worked out once is kept."""
    key = (str(store.path), a, b, found.runs[0].id, len(found.runs))
    if key not in _REPORTS:
        while len(_REPORTS) >= KEPT:
            _REPORTS.pop(next(iter(_REPORTS)), None)
        try:
            _REPORTS[key] = pairs.models(store, a, b, draws=0)
        except NotComparable as err:
            _REPORTS[key] = str(err)
    return _REPORTS[key]


def perturbed(store: Store, name: str) -> Report | str:
    """Each perturbation of a model's suites against the same suite without, the worst first; or why there is none."""
    try:
        return robust.perturbed(store, name, draws=0)
    except NotComparable as err:
        return str(err)


def trend(found: Measured, suite: str) -> list[Scored]:
    """What every model scored at a suite, at the day it came out; a version of the suite is a series."""
    points = []
    newest: set[tuple[str, int]] = set()
    for run in found.runs:
        key = (run.released, run.version)
        if run.suite != suite or run.condition or run.summary.get("mean") is None or key in newest:
            continue
        newest.add(key)
        points.append(_point(run, found.released.get(run.release_id, run.started), f"version {run.version}"))
    return points


def over_time(found: Measured, name: str, domain: str) -> list[Scored]:
    """What one model scored in a domain, night by night."""
    return [
        _point(run, run.started, f"{run.suite}, version {run.version}")
        for run in reversed(found.runs)
        if run.released == name and run.domain == domain and not run.condition and run.summary.get("mean") is not None
    ]


def nightly(store: Store, configured: str) -> list[Scored]:
    """What the model that reads scored at triage, night by night; nothing where it was never measured."""
    found = Measured(tuple(store.evals.listing(only_done=True, domain=TRIAGE, limit=60)), (), {})
    return over_time(found, served(found, configured), TRIAGE)


def _point(run: EvalRun, at: datetime, series: str) -> Scored:
    found = run.summary
    return Scored(at, run.released, series, found["mean"], found["low"], found["high"])


@dataclass(frozen=True, slots=True)
class Flip:
    """An item that one of two runs solves and the other does not."""

    item: str
    family: str
    a: EvalItem
    b: EvalItem

    @property
    def gained(self) -> bool:
        return (self.a.mean or 0.0) > (self.b.mean or 0.0)


def flips(store: Store, row: Comparison) -> list[Flip]:
    """The furthest apart first."""
    mine = {each.item: each for each in store.evals.items(row.run_a)}
    theirs = {each.item: each for each in store.evals.items(row.run_b)}
    both = [Flip(item, mine[item].family, mine[item], theirs[item]) for item in mine if item in theirs]
    apart = [flip for flip in both if _solved(flip.a) != _solved(flip.b)]
    return sorted(apart, key=lambda flip: (-abs((flip.a.mean or 0.0) - (flip.b.mean or 0.0)), flip.item))


def _solved(item: EvalItem) -> bool | None:
    return compare.solved(item.judged) if item.judged else None


def open_runs(found: Measured) -> dict[str, list[EvalRun]]:
    """Suite → each model's newest run of a reader's own questions, all of the suite's newest version."""
    runs: dict[str, list[EvalRun]] = {}
    for run in found.runs:
        if run.kind != "open" or run.condition:
            continue
        known = runs.setdefault(run.suite, [])
        if all(one.released != run.released for one in known) and (not known or known[0].version == run.version):
            known.append(run)
    return runs


@dataclass(frozen=True, slots=True)
class Totals:
    """Over several runs: items with a score, answers wanted, missing and cut, and the least and most epochs."""

    n: int
    of: int
    errors: int
    cut: int
    epochs: tuple[int, int]


def totals(runs: Iterable[EvalRun]) -> Totals:
    listed: Sequence[EvalRun] = tuple(runs)
    n, of, errors, cut = (sum(run.summary[key] for run in listed) for key in ("n", "of", "errors", "cut"))
    epochs = [run.epochs for run in listed] or [0]
    return Totals(n, of, errors, cut, (min(epochs), max(epochs)))
