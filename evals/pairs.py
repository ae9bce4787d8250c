"""Which runs of two models are set beside each other, from the store: of each suite their newest that asked the same."""

from __future__ import annotations

from collections.abc import Sequence

from evals.compare import DRAWS, Comparison, NotComparable, Report, check, compare, corrected
from scout.store import Store
from scout.store.evals import EvalRun


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
