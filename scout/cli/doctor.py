"""`scout doctor`: is everything as it must be, and what to do where it is not."""

from __future__ import annotations

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import emit_json, say
from scout.cli.shared import as_json
from scout.exit_codes import Exit

MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


@click.command(cls=Command, example="scout doctor\nscout doctor --net --json")
@click.option(
    "--net", is_flag=True, help="Also ask whether arXiv, the Hub, your mailbox and your model servers answer."
)
@as_json
@click.pass_context
def doctor(ctx: click.Context, net: bool, json_: bool) -> None:
    """Check the setup; say what to do.

    The configuration, the database, the disk and the sources are looked at. Nothing is changed. Exit status: 0 where
    nothing fails, 78 where the configuration does, 1 otherwise.
    """
    from scout.cli.checkup import checkup
    from scout.cli.finding import Level

    findings = list(checkup(net=net))
    if not findings:
        raise Missing("nothing was checked")
    if json_:
        emit_json([{"check": f.check, "level": f.level, "message": f.message, "todo": f.todo} for f in findings])
    else:
        for finding in findings:
            say(f"{MARKS[finding.level]}  {finding.check}: {finding.message}")
            if finding.todo:
                say(f"      {finding.todo}")
    failed = {finding.check for finding in findings if finding.level is Level.FAIL}
    ctx.exit(Exit.CONFIG if "configuration" in failed else Exit.BUG if failed else Exit.DONE)
