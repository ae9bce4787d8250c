"""`scout dashboard` and `scout work`: the pages in a browser, and the worker that does what they ask for.

Two processes are started and ended together: Streamlit, which serves the pages, and the worker. `scout dashboard` itself
only waits, hands signals on, and starts a worker anew that died.
"""

from __future__ import annotations

import click

from scout.cli.examples import Command
from scout.cli.output import say
from scout.cli.shared import settings
from scout.exit_codes import Exit


@click.command(cls=Command, example="scout dashboard\nscout dashboard --port 8600 --no-browser")
@click.option("--port", type=click.IntRange(1, 65535), help="The port; the setting dashboard.port unless given.")
@click.option("--address", help="The address to listen on; the setting dashboard.address unless given.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.pass_context
def dashboard(ctx: click.Context, port: int | None, address: str | None, no_browser: bool) -> None:
    """Serve the dashboard until Ctrl-C.

    It listens on this machine alone, where whoever opens it reads and writes as you: reach it from elsewhere through
    ssh -L. On a network it starts only where the settings ask for a login (docs/security.md).
    """
    from scout.cli import serve

    found = settings()
    place = serve.Place(address or found.dashboard.address, port or found.dashboard.port)
    ctx.exit(serve.serve(place, found.access, browser=not no_browser))


@click.command(cls=Command, example="scout work --once")
@click.option("--once", is_flag=True, help="Do what waits, then end.")
@click.option("--with-parent", is_flag=True, help="End when standard input does: how the dashboard keeps its worker.")
@click.pass_context
def work(ctx: click.Context, once: bool, with_parent: bool) -> None:
    """Do the jobs that pages asked for.

    One after the other. `scout dashboard` starts one by itself; start one by hand where Streamlit is run by other means.
    """
    from scout import jobs
    from scout.cli.policy_judging import after_run
    from scout.cli.serve import stopper

    found = settings(warn=not with_parent)  # the dashboard has said it
    done = jobs.work(found, once=once, stop=stopper(with_parent=with_parent), after_run=after_run)
    if once:
        say(f"{done} done." if done else "No job waits.")
    ctx.exit(Exit.DONE)
