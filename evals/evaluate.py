"""One suite on one model, from its gate to the store: `evaluate` is what the command line and the nightly watch both call.

A run has a folder of its own under `evals/runs/` in the data folder: the prompts, the answers as they came, Inspect's log.
What has an answer is not asked again when a run is resumed. Asking is `run`'s, figures are `summary`'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from evals import run as runner
from evals import summary
from evals.asking import Asker, Manner
from evals.core import Answer, Case, Suite
from evals.journal import Journal
from evals.spent import Clock
from evals.summary import FREE, Prices
from evals.transcripts import PROMPTS
from evals.transcripts import folder as folder_of
from scout.clock import now
from scout.progress import SILENT, Progress
from scout.serving.client import ModelClient
from scout.serving.errors import ModelFault
from scout.store import Store
from scout.store.evals import EvalRun, new_id

AWAY = frozenset({ModelFault.AWAY.value, ModelFault.BUSY.value})
UNDER_WAY = "did not finish yet; if nothing runs it any more, the same command with `--resume` goes on with it"
"""What a run says of itself until it ends, and so also where it was killed."""
PROMPT_CHARACTERS = 20_000
"""So much of a prompt is kept beside the answers, for people to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked, how, and why."""

    suite: Suite
    condition: str = ""
    """The perturbation that `suite` stands under; empty for none."""
    seed: int
    items: int
    epochs: int
    manner: Manner
    prices: Prices = FREE
    purpose: str = "manual"
    release_id: str = ""
    variant: str = ""
    """What tells this way of asking or serving from others of the same model, in words that follow its name."""
    label: str = ""
    """Why a run would not be trusted whatever it gives: the gate's word."""
    checks: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    """When it counts as begun; the moment unless given."""


class Refused(Exception):
    """A suite that cannot be believed, or cannot run here; the message says which and why."""


async def evaluate(
    store: Store, data_dir: Path, client: ModelClient, plan: Plan, *, resume: bool = False, keep: bool = False,
    progress: Progress = SILENT, vet: Callable[[Suite], str] | None = None,
) -> EvalRun:  # fmt: skip
    """Run a plan and keep what came of it. A run whose endpoint died is kept unfinished, and can be resumed.

    With `resume` the newest such run that did not finish is gone on with; with `keep` one that finished is handed back as it is.

    Raises:
        Refused: the suite does not pass its own check (`vet`), or cannot run on this machine.
        NeedsExtra: Inspect is not installed.
        ModelError: the model is not there.
    """
    runner.check_installed()
    if why := plan.suite.unavailable():
        raise Refused(f"{plan.suite.name}: {why}")
    model = await client.model_name()
    begun = _begun(store, plan, model) if resume or keep else None
    if begun is not None and begun.is_done:
        if keep:
            return begun
        begun = None
    if vet is not None and (wrong := vet(plan.suite)):
        raise Refused(f"{plan.suite.name} fails its self-check and shows no score: {wrong}")
    started = _new(plan, model, client.settings.base_urls[0]) if begun is None else begun
    folder = folder_of(data_dir, started.id)
    cases = distinct(plan.suite.build(plan.seed, plan.items), plan.suite.name)
    started = replace(started, items=len(cases), label=plan.label, summary={}, message=UNDER_WAY)
    store.evals.start(started)
    clock = Clock(folder)
    journal = Journal(folder)
    keep_prompts(folder, cases, plan.suite.gold_answer)
    asker = Asker(
        client=client, verify=plan.suite.verify, manner=plan.manner, at_once=client.settings.concurrency
    )  # fmt: skip
    try:
        ran = await runner.run(
            plan.suite, cases, asker, journal, epochs=plan.epochs, model=model, folder=folder, progress=progress,
            facts={"run": started.id, "seed": plan.seed, "condition": plan.condition, "label": plan.label},
        )  # fmt: skip
    finally:
        journal.close()
        spent = clock.stop()
    for old in folder.glob("*.eval"):  # of a part of this run that was stopped
        if old != ran.log:
            old.unlink()
    found = summary.items(cases, ran.told, plan.epochs)
    figures = summary.figures(found, ran.told, epochs=plan.epochs, wall=spent, prices=plan.prices)
    figures["levels"] = summary.levels(cases, found)
    label = "; ".join(filter(None, (plan.label, few(plan, len(cases)), summary.untrusted(figures))))
    stopped = _stopped(asker, figures)
    done = replace(
        started, summary=figures, label=label, checks=dict(plan.checks), finished=None if stopped else now(),
        message=f"{stopped}; `--resume` goes on from {figures['answers']} answers" if stopped else "",
    )  # fmt: skip
    store.evals.save(done, found)
    return done


def _stopped(asker: Asker, figures: Mapping[str, Any]) -> str:
    """Why a run is not finished: its endpoint ended it, or was never there; empty where it is."""
    if asker.ended is not None:
        return asker.ended.message
    nobody = figures["errors"] and not figures["answers"] and set(figures["faults"]) <= AWAY
    return "the endpoint gave no answer at all" if nobody else ""


def few(plan: Plan, items: int) -> str:
    """Says so where a run asks less than its suite does; empty where it asks all of it."""
    return f"{items} items, where the suite asks {plan.suite.items}" if plan.items < plan.suite.items else ""


def distinct(cases: Sequence[Case[Any]], name: str) -> tuple[Case[Any], ...]:
    """The cases, one an id: cases of the same text share theirs.

    Raises:
        Refused: there are none.
    """
    found = tuple({case.id: case for case in cases}.values())
    if not found:
        raise Refused(f"{name} made no items")
    return found


def _new(plan: Plan, model: str, endpoint: str) -> EvalRun:
    at = plan.at or now()
    suite = plan.suite
    return EvalRun(
        id=new_id(suite.name, at), suite=suite.name, version=suite.version, domain=suite.domain, kind=str(suite.kind),
        seed=plan.seed, items=plan.items, epochs=plan.epochs, model=model, endpoint=endpoint, release_id=plan.release_id,
        condition=plan.condition, purpose=plan.purpose, options=options(plan), started=at, label=plan.label,
        checks=dict(plan.checks),
    )  # fmt: skip


def options(plan: Plan) -> dict[str, Any]:
    """What beside model and suite makes two runs the same."""
    manner = plan.manner
    told: dict[str, Any] = {"temperature": manner.temperature, "min_tokens": manner.min_tokens, "asked": plan.items}
    if manner.max_tokens:
        told["max_tokens"] = manner.max_tokens
    return told | ({"variant": plan.variant} if plan.variant else {})


def _begun(store: Store, plan: Plan, model: str) -> EvalRun | None:
    """The newest run of the same plan on the same model, finished or not."""
    key = (plan.suite.version, plan.condition, plan.seed, plan.epochs, plan.release_id, options(plan))
    for run in store.evals.listing(suite=plan.suite.name, model=model):
        if (run.version, run.condition, run.seed, run.epochs, run.release_id, dict(run.options)) == key:
            return run
    return None


def keep_prompts(folder: Path, cases: Sequence[Case[Any]], right: Callable[[Case[Any]], Answer]) -> None:
    """What is asked and what is right, for people to read later; once a run."""
    path = folder / PROMPTS
    if path.exists():
        return
    half = path.with_suffix(".part")
    with half.open("w", encoding="utf-8") as file:
        for case in cases:
            said = "\n\n".join(f"{message.role}: {message.content}" for message in case.messages)
            gold = case.gold if isinstance(case.gold, str) else right(case).text
            told = {"item": case.id, "family": case.group, "prompt": said[:PROMPT_CHARACTERS], "gold": gold[:2000]}
            file.write(json.dumps(told) + "\n")
    half.replace(path)
