"""`scout init`: write a commented scout.toml."""

from __future__ import annotations

from pathlib import Path

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import say


@click.command(cls=Command, example="scout init\nscout init ./scout.toml")
@click.argument("path", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that is there; it is kept beside the new one as .bak.")
def init(path: Path | None, force: bool) -> None:
    """Write a commented scout.toml.

    Every setting is in it at its default, so that you change only what you want to. Without PATH it is written where scout
    looks for it.
    """
    from scout.config import config_path
    from scout.config.file import Exists, write, write_template

    target = path or config_path()
    if force and target.exists():
        write(target.with_name(target.name + ".bak"), target.read_text(encoding="utf-8", errors="replace"))
    try:
        write_template(target, replace=force)
    except Exists as err:
        raise Missing(f"{err}; --force replaces it, and keeps the old one as {target.name}.bak") from err
    say(f"Wrote {target}")
    if target.resolve() != config_path().resolve():
        say(f"scout does not look there by itself: set SCOUT_CONFIG={target.resolve()}")
