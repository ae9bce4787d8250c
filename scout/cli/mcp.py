"""`scout mcp`: the archive for a researcher's own assistant."""

from __future__ import annotations

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.shared import open_store, settings


@click.command(cls=Command, example="scout mcp")
def mcp() -> None:
    """Serve the archive to an assistant.

    Speaks the Model Context Protocol on standard input and output, so an assistant's own program starts it: tools to search,
    and to read items, briefs and verdicts on releases; thumbs only with `mcp.thumbs = true`. See docs/mcp.md.
    """
    found = settings()
    open_store(found).close()  # says what to do where there is nothing yet, and brings an older database up to date
    try:
        from scout.assistant.server import server
    except ModuleNotFoundError as err:
        if (err.name or "").split(".")[0] != "mcp":
            raise
        raise Missing("this needs the extra mcp: pip install 'scout[mcp]'") from err
    server(found).run("stdio")
