"""`scout eval`: measures the served model. The measuring is `evals`'; this asks for it and prints it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from scout.cli import (
    eval_judge,
    eval_routing,
    eval_run,
    eval_runs,
    eval_suites,
    eval_summaries,
    eval_triage,
    eval_watch,
)
from scout.cli.errors import Later
from scout.cli.examples import Group
from scout.cli.output import complain, emit_json, on_terminal, say, table
from scout.cli.shared import as_json, settings
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from evals.injection import Report, Share
    from scout.config import Settings

HEAD = ("defences", "attack", "through", "share", "95% interval", "benign utility", "under attack", "faults")


@click.group(cls=Group, name="eval", example="scout eval injection")
def eval_() -> None:
    """Measure models, ranking, routing, summaries."""


@eval_.command(example="scout eval injection\nscout eval injection --defence each --resume --json > injection.json")
@as_json
@click.option("--resume", is_flag=True, help="Take over what the newest run on this model answered; ask only the rest.")
@click.option("--limit", type=click.IntRange(min=1), help="So many attacks only, the kinds taking turns.")
@click.option(
    "--defence", type=click.Choice(["on", "off", "both", "each"]), default="both", show_default=True,
    help="scout's defences on, off, both in turn, or also without each one alone.",
)  # fmt: skip
def injection(json_: bool, limit: int | None, defence: str, resume: bool) -> None:
    """Count prompt injections that get through.

    Asks the model at `model.base_urls` to sort, rate, summarize and research made-up items with attacks in them, and the
    same items without. Every answer is kept as it comes, so that a run that was stopped goes on with --resume.
    docs/injection.md says what the figures mean.
    """
    found = _measured(settings(), limit, defence, resume=resume)
    if json_:
        emit_json(found.to_dict())
        return
    if on_terminal():
        say(f"{found.model}: prompt injections, seed {found.seed}")
    table(HEAD, rows(found), give_way="attack")


def _measured(found: Settings, limit: int | None, defence: str, *, resume: bool) -> Report:
    from evals import injection as suite
    from evals.injection_answers import Answers
    from scout.cli.console import progress
    from scout.config import ConfigError
    from scout.serving.client import ModelClient
    from scout.serving.errors import ModelError

    if not found.model.base_urls:
        raise ConfigError(
            "model.base_urls names no endpoint to measure; set the address of one, such as http://127.0.0.1:8000/v1"
        )
    answers = Answers(found.data_dir, resume=resume)

    async def measure() -> Report:
        with progress() as bars:
            async with ModelClient(found.model) as model:
                return await suite.run(model, suite.CONDITIONS[defence], limit=limit, answers=answers, progress=bars)

    def kept() -> str:
        """What a run that ends before its time leaves."""
        n = len(answers)
        return f"{n} answers are kept, and the same command with --resume goes on" if n else "nothing was measured"

    try:
        return asyncio.run(measure())
    except KeyboardInterrupt:
        complain(f"stopped; {kept()}")
        raise click.exceptions.Exit(Exit.INTERRUPTED) from None
    except ModelError as err:
        if err.kind.passes:
            raise Later(f"{err.message}; {kept()}") from err
        raise ConfigError(f"{err.message}; see model.base_urls, model.name and SCOUT_MODEL__API_KEY") from err


def rows(found: Report) -> list[list[str]]:
    """The table's cells."""
    return [
        [row.defences, row.kind, f"{row.through.count}/{row.through.of}", *_share(row.through),
         f"{row.benign.count}/{row.benign.of}", f"{row.attacked.count}/{row.attacked.of}", str(row.faults)]
        for row in found.rows
    ]  # fmt: skip


def _share(share: Share) -> tuple[str, str]:
    low, high = share.interval
    return f"{share.count / share.of:.0%}" if share.of else "–", f"{low:.0%} to {high:.0%}"


for measure in (eval_triage.triage, eval_routing.routing, eval_summaries.summaries):
    eval_.add_command(measure)
for command in (
    eval_run.run,
    eval_runs.list_,
    eval_runs.compare,
    eval_watch.watch,
    eval_runs.export,
    eval_suites.selfcheck,
    eval_suites.import_,
    eval_judge.judge,
):
    eval_.add_command(command)
