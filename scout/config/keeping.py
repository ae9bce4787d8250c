"""The settings of `[keeping]`: what is kept for how long, and when a backup is made without being asked for."""

from __future__ import annotations

from pydantic import Field

from scout.config.types import Section


class Keeping(Section):
    backup_days: int = Field(7, ge=0)
    """A successful run makes a backup when the newest automatic one is older than this; 0 makes none."""
    backups: int = Field(3, ge=1)
    """How many automatic backups are kept."""
    backup_folder: str = ""
    """Where backups go; empty for `backups` in the data folder. Another disk is better."""
    details_days: int = Field(180, ge=0)
    """Of items that came longer ago and were never shown or spoken of, what can be made again is let go; 0 keeps it all."""
