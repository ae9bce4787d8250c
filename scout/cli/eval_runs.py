"""`scout eval list|compare|export`: what was measured, two of it beside each other, and all of it for others to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scout.cli.errors import Missing
from scout.cli.eval_run import facts, rows, say_parts, share
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, on_terminal, say, table
from scout.cli.shared import as_json, open_store, settings, typed

if TYPE_CHECKING:
    from evals.compare import Comparison, Report

HEAD = (
    "run",
    "model",
    "suite",
    "asked",
    "score",
    "95% interval",
    "pass^k",
    "errors",
    "cut",
    "tokens per solved",
    "note",
)
PAIRS = ("suite", "items", "A", "B", "difference", "95% interval", "p (Holm)", "McNemar", "could show", "result")


@click.command(cls=Command, name="list", example="scout eval list\nscout eval list --suite logic --json")
@click.option("--suite", metavar="NAME", help="Runs of this suite only.")
@click.option("--model", metavar="NAME", help="Runs of this model or release only.")
@click.option("--limit", type=click.IntRange(min=1), default=40, show_default=True, help="So many, the newest first.")
@as_json
def list_(suite: str | None, model: str | None, limit: int, json_: bool) -> None:
    """List what was measured, newest first."""
    with open_store(settings()) as store:
        runs = store.evals.listing(suite=suite, model=model, limit=limit)
    if json_:
        emit_json([facts(run) for run in runs])
        return
    if not runs and on_terminal():
        say("Nothing was measured yet; `scout eval run SUITE` begins.")
        return
    cells = [[row[0], run.released, *row[1:]] for run, row in zip(runs, rows(runs), strict=True)]
    table(HEAD, cells, give_way="note")
    say_parts(runs)


@click.command(
    cls=Command,
    example="scout eval compare Qwen/Qwen3-8B MiniMaxAI/MiniMax-M2\nscout eval compare A B --json\nscout eval compare A",
)  # fmt: skip
@click.argument("a")
@click.argument("b", required=False)
@as_json
def compare(a: str, b: str | None, json_: bool) -> None:
    """Compare two models, or two runs, item by item.

    Paired by item, clustered by family, corrected for how many suites were looked at. Two runs of different versions of a
    suite are not compared. With A alone: its runs under perturbations against its plain ones, the worst first.
    """
    from evals.compare import NotComparable, sentence
    from evals.pairs import models
    from evals.robust import perturbed, worst

    with open_store(settings()) as store:
        try:
            found = models(store, typed(a), typed(b)) if b else perturbed(store, typed(a))
        except NotComparable as err:
            raise Missing(str(err)) from err
    if json_:
        emit_json(found.to_dict())
        return
    say(f"{found.a}: {sentence(found)}{'' if b else f'; {worst(found)}'}")
    table(PAIRS, _pairs(found), give_way="suite")
    for how in dict.fromkeys(row.otherwise for row in found.rows if row.otherwise):
        say(f"Asked otherwise: {how}")
    for why in found.refused:
        say(f"Not compared: {why}")


def _pairs(found: Report) -> list[list[str]]:
    return [
        [f"{row.suite}{f' ({row.condition})' if row.condition else ''}", str(row.difference.n), share(row.mean_a),
         share(row.mean_b), *_apart(row), f"{row.p:.3g}", f"{row.up}–{row.down}, p {row.mcnemar:.3g}",
         "–" if row.detectable is None else f"{100 * row.detectable:.1f}", row.result]
        for row in found.rows
    ]  # fmt: skip


def _apart(row: Comparison) -> tuple[str, str]:
    from evals.compare import points

    low, high = row.difference.interval
    return points(row.difference.mean), f"{points(low)} to {points(high)}"


@click.command(
    cls=Command, example="scout eval export results\nscout eval export results --run 20261122T180000-logic-a1b2c3"
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--run", "only", metavar="ID", help="This run only; all that finished unless given.")
@click.option("--organization", default="self-hosted", show_default=True, help="Who measured, for the record.")
def export(folder: Path, only: str | None, organization: str) -> None:
    """Write results for others to read.

    In the format of Every Eval Ever: a JSON file a run, and a line an item and epoch beside it.
    """
    from evals.export import NoScore, write

    found = settings()
    with open_store(found) as store:
        runs = store.evals.listing(only_done=True, limit=100_000)
        if only is not None:
            runs = [run for run in runs if run.id == typed(only)]
            if not runs:
                raise Missing(f"no finished run {typed(only)!r}; `scout eval list` names what there is")
        for run in runs:
            try:
                say(str(write(run, folder, data_dir=found.data_dir, organization=typed(organization))))
            except NoScore as err:
                complain(str(err))
