"""`scout schedule`: print what makes the machine run scout every day."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import click

from scout.cli.examples import Command
from scout.cli.shared import settings

PASSED_ON = ("SCOUT_CONFIG", "SCOUT_DATA_DIR")


def executable() -> tuple[str, ...]:
    """How to start this very scout, by absolute path."""
    beside = Path(sys.executable).parent / "scout"  # not resolved: a virtual environment's python is a link
    return (str(beside.absolute()),) if beside.exists() else (str(Path(sys.executable).absolute()), "-m", "scout")


@click.command(cls=Command, example="scout schedule --systemd\nscout schedule --cron --at 06:30")
@click.option(
    "--systemd", "manner", flag_value="systemd", default="systemd", help="A systemd service and timer (default)."
)
@click.option("--cron", "manner", flag_value="cron", help="A line for a crontab.")
@click.option(
    "--at", type=click.DateTime(["%H:%M"]), default="06:30", metavar="HH:MM", help="When; 06:30 unless given."
)
def schedule(manner: str, at: datetime) -> None:
    """Print what makes a run happen daily.

    Nothing is installed: the text says where it goes. The systemd timer counts in the digest's time zone and makes up for a
    day on which the machine was off.
    """
    from scout import scheduling

    found = settings()
    unset = [name for name in sorted(os.environ) if name.startswith("SCOUT_") and name not in PASSED_ON]
    plan = scheduling.Plan(
        command=(*executable(), "run"),
        environment={
            "SCOUT_CONFIG": str((found.config or Path("scout.toml")).absolute()),
            "SCOUT_DATA_DIR": str(found.data_dir.absolute()),
        },
        at=at.time(),
        timezone=found.digest.timezone,
        unset=[name for name in unset if name != "SCOUT_TODAY"],
    )
    click.echo(scheduling.cron(plan) if manner == "cron" else scheduling.systemd(plan), nl=False)
