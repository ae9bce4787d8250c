"""`scout metrics`: health and figures for machines that watch."""

from __future__ import annotations

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import say
from scout.cli.shared import settings


@click.command(
    cls=Command, example="scout metrics\nscout metrics --port 9465 --address 127.0.0.1\nscout metrics --print"
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=9465, show_default=True, help="The port; 0 takes a free one."
)
@click.option("--address", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--print", "once", is_flag=True, help="Print the figures once instead, for a textfile collector.")
def metrics(port: int, address: str, once: bool) -> None:
    """Serve /healthz and /metrics until Ctrl-C.

    For Prometheus and whatever restarts services. Nobody is asked who they are, and nobody is named in what is told: beyond this
    machine, listen only where a firewall or a container's network keeps others out.
    """
    from scout.metrics.serve import server

    found = settings()
    if once:
        from prometheus_client import CollectorRegistry, generate_latest

        from scout.metrics.collect import ScoutCollector

        registry = CollectorRegistry(auto_describe=False)
        registry.register(ScoutCollector(found))
        click.echo(generate_latest(registry).decode(), nl=False)
        return
    try:
        serving = server(found, address=address, port=port)
    except OSError as err:
        raise Missing(f"{address}:{port} cannot be listened on: {err.strerror}; choose another --port") from err
    with serving:
        say(f"http://{address}:{serving.server_port}/metrics and /healthz; Ctrl-C ends it.")
        serving.serve_forever()
