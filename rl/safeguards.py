"""Does an adapter cost the model anything it could do before? Both are asked the same suites; a significant loss on one is too much.

What could not be measured is named: it counts as not shown. Asking and comparing are `evals`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evals import evaluate, pairs, trust
from evals.asking import Manner
from evals.compare import Comparison, NotComparable
from evals.core import Suite
from evals.evaluate import Plan, Refused
from evals.run import NeedsExtra, check_installed
from evals.suites import installed
from scout.config import Model, Settings
from scout.progress import SILENT, Progress
from scout.serving.client import ModelClient
from scout.store import Store
from scout.store.evals import EvalRun

SAFETY = "safety"
SEED = 1
MARGIN = 0.10
"""A fall beyond this is too much even where it may be chance: that nothing was lost is then not shown."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the suites."""

    rows: tuple[Comparison, ...]
    """The adapter first."""
    missing: tuple[str, ...] = ()
    """What could not be shown, and why."""

    @property
    def losses(self) -> tuple[Comparison, ...]:
        return tuple(row for row in self.rows if row.result == "worse" or row.difference.mean < -MARGIN)

    @property
    def reason(self) -> str:
        """Why it may not serve; empty where nothing was lost and nothing is missing."""
        said = [
            f"{row.suite} fell from {row.mean_b:.1%} to {row.mean_a:.1%} (p {row.p:.2g}"
            + ("; a larger train.suite_items tells whether by chance)" if row.result == "tie" else ")")
            for row in self.losses
        ]
        said += [f"not shown: {each}" for each in self.missing]
        return "; ".join(said)

    def to_dict(self) -> dict[str, Any]:
        return {
            "passed": not self.reason, "reason": self.reason, "missing": list(self.missing),
            "rows": [row.to_dict() for row in self.rows],
        }  # fmt: skip


def named(settings: Settings) -> tuple[tuple[Suite, ...], tuple[str, ...]]:
    """The suites of `train.suites`, and what is missing among them."""
    known = installed(settings.data_dir / "evals")
    found = tuple(known[name] for name in dict.fromkeys(settings.train.suites) if name in known)
    missing = [f"no suite is called {name}" for name in settings.train.suites if name not in known]
    if not any(suite.domain == SAFETY for suite in found):
        missing.append("no suite of train.suites is about safety (refusal and shortcuts are)")
    try:
        check_installed()
    except NeedsExtra as err:
        missing.append(str(err))
    return found, tuple(missing)


async def compared(
    store: Store, settings: Settings, challenger: Model, champion: Model, *, gate: trust.Gate = trust.Gate.RUN,
    progress: Progress = SILENT,
) -> Kept:  # fmt: skip
    """Ask both; what the champion has answered before, under the same settings, is taken.

    Raises:
        ModelError: the server is away.
    """
    suites, lacking = named(settings)
    rows: list[Comparison] = []
    missing = list(lacking)
    try:
        check_installed()
    except NeedsExtra:
        return Kept((), lacking)
    async with ModelClient(challenger) as one, ModelClient(champion) as other:
        labels = [await trust.label(client, settings.data_dir, gate, progress=progress) for client in (one, other)]
        if labels[0][0] and not labels[1][0]:
            missing.append(f"with the adapter the server fails its checks, and without it does not: {labels[0][0]}")
        for suite in suites:
            try:
                runs = [
                    await _run(store, settings, client, suite, *labels[n], anew=n == 0, progress=progress)
                    for n, client in enumerate((one, other))
                ]
                rows.append(pairs.pair(store, *runs))
            except (Refused, NotComparable) as err:
                missing.append(f"{suite.name}: {err}")
    return Kept(tuple(rows), tuple(missing))


async def _run(
    store: Store, settings: Settings, client: ModelClient, suite: Suite, label: str, checks: dict[str, Any], *, anew: bool,
    progress: Progress,
) -> EvalRun:  # fmt: skip
    """A finished run of the suite on the model that `client` asks."""
    train = settings.train
    plan = Plan(
        suite=suite, seed=SEED, items=min(train.suite_items, suite.items) if suite.items else train.suite_items,
        epochs=train.suite_epochs, manner=Manner(temperature=0.0), purpose="gate", label=label, checks=checks,
    )  # fmt: skip
    if not anew and (known := _known(store, plan, await client.model_name())):
        return known
    run = await evaluate.evaluate(
        store, settings.data_dir, client, plan, resume=True, progress=progress, vet=trust.vet
    )  # fmt: skip
    if not run.is_done:
        raise Refused(run.message)
    return run


def _known(store: Store, plan: Plan, model: str) -> EvalRun | None:
    wanted = (plan.suite.version, "", plan.seed, plan.epochs, evaluate.options(plan), plan.label)
    for run in store.evals.listing(suite=plan.suite.name, model=model, only_done=True):
        if (run.version, run.condition, run.seed, run.epochs, dict(run.options), run.label) == wanted:
            return run
    return None


def told(rows: Sequence[Comparison]) -> str:
    """What the suites gave, in a line."""
    return ", ".join(f"{row.suite} {row.mean_b:.1%} → {row.mean_a:.1%} ({row.result})" for row in rows)
