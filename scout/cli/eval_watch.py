"""`scout eval watch`: measures tonight's releases, and what is served. What is due, and what is said, is `evals.watch`'."""

from __future__ import annotations

import asyncio

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, line, say
from scout.cli.shared import as_json, open_store, settings


@click.command(cls=Command, example="scout eval watch\nscout eval watch --json >> nights.jsonl")
@click.option(
    "--gate", type=click.Choice(["run", "kept", "skip"]), default="run", show_default=True,
    help="Check each server first, take its last check, or do without.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say which releases are due.")
@as_json
def watch(gate: str, dry_run: bool, json_: bool) -> None:
    """Measure new releases and what is served.

    Releases of eval.organizations that an [[eval.endpoint]] of scout.toml serves are measured against the model that reads
    for you; the verdict stands in the next digest. What is served is measured again, with an alarm where it dropped.
    """
    from evals import trust, watch
    from evals.run import NeedsExtra, check_installed
    from scout.cli.console import progress
    from scout.cli.eval_run import named
    from scout.clock import now
    from scout.locks import held

    found = settings()
    if dry_run:
        with open_store(found) as store:
            due = watch.due(store, found, now())
        for each, why in due:
            say(f"{line(each.id)}: {why or 'due'}")
        return
    suites = named(found, found.eval.suites, "")
    try:
        check_installed()
        with held(found, "watch"), open_store(found, create=True) as store, progress(wanted=not json_) as bars:
            night = asyncio.run(
                watch.Watch(
                    store=store, settings=found, suites=suites, now=now(), gate=trust.Gate(gate), progress=bars
                ).night()
            )
    except NeedsExtra as err:
        raise Missing(str(err)) from err
    if json_:
        emit_json(watch.facts(night))
        return
    for verdict in night.verdicts:
        say(f"{line(verdict.release_id)}: {verdict.text}")
    for release, why in night.waiting:
        say(f"{line(release)} waits: {why}")
    for alarm in night.alarms:
        complain(f"{alarm.kind}: {alarm.text}")
    if not night.verdicts and not night.waiting:
        say("No new release is due.")
