"""`scout model check`: the deployment gate."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from scout.cli.errors import Later
from scout.cli.examples import Group
from scout.cli.output import complain, emit_json, say, table
from scout.cli.shared import as_json, settings
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from scout.serving.gate import Verdict


@click.group(cls=Group, example="scout model check")
def model() -> None:
    """Look after the open model that reads on."""


@model.command(example="scout model check\nscout model check --queries 50 --json")
@click.option("--queries", type=click.IntRange(2, 1000), default=20, show_default=True, help="How many of each kind.")
@as_json
@click.pass_context
def check(ctx: click.Context, queries: int, json_: bool) -> None:
    """Check that the model behaves where it is served.

    Queries answered, schemas kept to, tools called when they should be, thinking handed on, no empty replies. A model that
    fails (exit code 1) still runs; what it makes carries a label that says so.
    """
    from scout.cli.console import progress
    from scout.config import ConfigError
    from scout.serving import gate, verdicts
    from scout.serving.client import ModelClient
    from scout.serving.errors import ModelError, ModelFault

    found = settings()
    if not found.model.base_urls:
        raise ConfigError("model.base_urls is not set; `scout serve` starts a server and says what to write there")

    async def ask() -> Verdict:
        async with ModelClient(found.model) as client:
            with progress(wanted=not json_) as shown:
                return await gate.check(client, queries=queries, progress=shown)

    try:
        verdict = asyncio.run(ask())
    except ModelError as err:
        if err.kind in (ModelFault.REFUSED, ModelFault.NO_MODEL):
            raise ConfigError(err.message) from err
        raise Later(err.message) from err
    verdicts.keep(found.data_dir, verdict)
    if json_:
        emit_json(verdicts.to_json(verdict))
    else:
        _show(verdict)
    ctx.exit(Exit.DONE if verdict.passed else Exit.BUG)


def _show(verdict: Verdict) -> None:
    rows = [
        (
            check.name,
            str(check.result),
            "" if check.value is None else f"{check.value:.3f}",
            f"{'≥' if check.at_least else '≤'} {check.threshold:g}",
            str(check.count),
            check.note,
        )
        for check in verdict.checks
    ]
    table(("check", "result", "value", "must be", "asked", "note"), rows, give_way="note")
    say()
    if verdict.passed:
        say(f"{verdict.model} passed")
    else:
        complain(f"{verdict.model} failed: {', '.join(verdict.failed)}. It still runs; what it makes carries the label")
