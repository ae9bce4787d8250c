"""`scout eval judge`: how far a judge model agrees with people, and its grades of a run's reports."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from scout.cli.errors import Later, Missing
from scout.cli.examples import Command
from scout.cli.output import emit_json, say
from scout.cli.shared import as_json, settings, typed

if TYPE_CHECKING:
    from evals.judge import Agreement
    from scout.config import Settings


@click.command(cls=Command, example="scout eval judge\nscout eval judge RUN --json")
@click.argument("run", required=False, metavar="[RUN]")
@as_json
def judge(run: str | None, json_: bool) -> None:
    """Let a model grade how reports are written.

    The judge is the model at `model.base_urls`. It first grades the reports that people graded, and its agreement with them
    is stated; then those of RUN, a run of the suite `reports`.
    """
    found = settings()
    pairs = _reports(found, typed(run)) if run else []
    name, agreed, given = _asked(found, pairs)
    told = {"judge": name, "agreement": agreed.to_dict(), "run": run, "grades": given}
    if json_:
        emit_json(told)
        return
    low, high = agreed.interval
    say(
        f"{name} gives the same grade as people in {agreed.equal:.0%} of {agreed.n} reports (95%: {low:.0%} to {high:.0%}),"
    )
    say(f"one within a grade in {agreed.near:.0%}; weighted kappa {agreed.kappa:.2f}.")
    if given:
        from evals.judge import shares

        parts = ", ".join(f"{grade}: {share:.0%}" for grade, share in shares(given).items())
        say(f"Of {len(given)} reports of {run} it grades {parts}; {sum(given) / len(given):.2f} on average.")


def _reports(found: Settings, run: str) -> list[tuple[str, str]]:
    """What was asked and written in a run."""
    from evals import transcripts
    from evals.verify import without_thinking

    asked = transcripts.asked(found.data_dir, run) if "/" not in run and "\\" not in run else {}
    pairs = [
        (asked[told.item].prompt, without_thinking(told.answer.text))
        for told in transcripts.said(found.data_dir, run) if told.item in asked and told.item.startswith("reports/")
    ] if asked else []  # fmt: skip
    if not pairs:
        raise Missing(f"no run {run!r} of the suite reports is kept; `scout eval list --suite reports` names them")
    return pairs


def _asked(found: Settings, pairs: list[tuple[str, str]]) -> tuple[str, Agreement, list[int]]:
    from evals import judge as judging
    from scout.cli.console import progress
    from scout.config import ConfigError
    from scout.serving.client import ModelClient
    from scout.serving.errors import ModelError

    if not found.model.base_urls:
        raise ConfigError("model.base_urls names no endpoint to judge with; set the address of one")

    async def ask() -> tuple[str, Any, list[int]]:
        with progress() as bars:
            async with ModelClient(found.model) as model:
                name = await model.model_name()
                agreed = await judging.measured(model, progress=bars)
                return name, agreed, await judging.grades(model, pairs, progress=bars)

    try:
        return asyncio.run(ask())
    except ModelError as err:
        if err.kind.passes:
            raise Later(f"{err.message}; nothing was judged") from err
        raise ConfigError(f"{err.message}; see model.base_urls, model.name and SCOUT_MODEL__API_KEY") from err
