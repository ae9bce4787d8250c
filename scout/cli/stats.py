"""`scout stats`: what is in the database, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from scout.cli.examples import Command
from scout.cli.output import emit_json, say
from scout.cli.shared import as_json, open_store, settings


@click.command(cls=Command, example="scout stats\nscout stats --json")
@as_json
def stats(json_: bool) -> None:
    """Count items, decisions, feedback and sources."""
    found = settings()
    with open_store(found) as store:
        figures = store.stats()
    if json_:
        emit_json(figures)
        return
    for name, value in figures.items():
        if name == "database_bytes":
            say(f"database: {value / 1e6:.1f} MB in {found.database}")
        elif isinstance(value, Mapping):
            _block(name, value)
        else:
            say(f"{name}: {value}")


def _block(name: str, values: Mapping[str, Any], indent: str = "") -> None:
    """A name, and what is counted under it."""
    say(f"{indent}{name}:" + ("" if values else " none"))
    for key, value in values.items():
        if isinstance(value, Mapping):
            _block(key, value, indent + "  ")
        else:
            say(f"{indent}  {key}: {value:,}" if isinstance(value, int) else f"{indent}  {key}: {value}")
