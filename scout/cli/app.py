"""`scout` itself: the list of its commands, and what every error of theirs becomes."""

from __future__ import annotations

import sys
from typing import Any

import click

from scout.cli import archive as archive_
from scout.cli import backfill as backfill_
from scout.cli import backup as backup_
from scout.cli import daily, dashboard, digest, doctor, feedback, items, model, serve_model, sources, stats
from scout.cli import eval as eval_
from scout.cli import harvest as harvest_
from scout.cli import import_ as import__
from scout.cli import init as init_
from scout.cli import mcp as mcp_
from scout.cli import metrics as metrics_
from scout.cli import missed as missed_
from scout.cli import notify as notify_
from scout.cli import policy as policy_
from scout.cli import research as research_
from scout.cli import rl as rl_
from scout.cli import schedule as schedule_
from scout.cli import train as train_
from scout.cli.errors import ended
from scout.cli.examples import Group


class App(Group):
    """The root of all commands; turns exceptions into exit codes and one line for a person."""

    def main(self, *args: Any, **extra: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal that cannot show a character still shows the rest
        return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with ended(ctx):
            return super().invoke(ctx)


@click.group(
    cls=App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    example="scout run && scout dashboard",
)
@click.version_option(package_name="scout", message="scout %(version)s")
def app() -> None:
    """Reads what the world published, hands you a short digest, and learns from your thumbs.

    Begin with `scout run`, then look at `scout digest` or `scout dashboard`. Settings are in scout.toml (`scout init`
    writes one) and in SCOUT_* in the environment.
    """


for command in (
    init_.init,
    daily.run,
    daily.ingest,
    daily.triage,
    harvest_.harvest,
    digest.digest,
    missed_.missed,
    notify_.notify,
    sources.sources,
    items.show,
    items.items,
    items.search,
    research_.research,
    feedback.feedback,
    import__.import_,
    stats.stats,
    backfill_.backfill,
    archive_.archive,
    backup_.backup,
    backup_.restore,
    backup_.verify,
    policy_.policy,
    dashboard.dashboard,
    dashboard.work,
    mcp_.mcp,
    serve_model.serve,
    model.model,
    eval_.eval_,
    rl_.rl,
    train_.train,
    metrics_.metrics,
    schedule_.schedule,
    doctor.doctor,
):
    app.add_command(command)
