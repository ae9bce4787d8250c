"""What perturbations cost a model: each of its perturbed runs against the same suite as it is, item by item, the worst first.

How two runs are compared is `compare`'s, what the perturbations are `perturbations`'.
"""

from __future__ import annotations

from evals.compare import DRAWS, NotComparable, Report, corrected, points, topic
from evals.pairs import closest, pair, runs_of
from scout.store import Store


def perturbed(store: Store, name: str, *, draws: int = DRAWS) -> Report:
    """A model's, or one run's, newest perturbed runs against its plain ones.

    Raises:
        NotComparable: it was never measured, or under no perturbation whose plain run there is.
    """
    asked = runs_of(store, name)
    of = next(iter(asked.values()))[0].released
    plain = runs_of(store, of)
    rows, refused = [], []
    for (suite, condition), mine in asked.items():
        if not condition:
            continue
        try:
            theirs = plain[suite, ""]
            rows.append(pair(store, *closest(mine, theirs), across_conditions=True, draws=draws))
        except KeyError:
            refused.append(f"{of} was not asked {suite} without {condition}")
        except NotComparable as err:
            refused.append(str(err))
    if not rows:
        raise NotComparable(
            "; ".join(refused)
            or f"{of} was measured under no perturbation; `scout eval run SUITE --perturb NAME` does that"
        )
    rows = sorted(corrected(rows), key=lambda row: row.difference.mean)
    return Report(a=f"{of}, perturbed", b=f"{of} as it is", rows=tuple(rows), refused=tuple(refused))


def worst(found: Report) -> str:
    """The perturbation that costs most, in a line; the first of the rows."""
    row = found.rows[0]
    return f"the worst case is {topic(row)}, {points(row.difference.mean)} points"
