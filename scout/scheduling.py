"""The texts that make a machine run scout every day: a systemd service with its timer, or a crontab line.

Pure: what to run and when go in, texts come out. Installing them is left to whoever reads them.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run each day, and when."""

    command: tuple[str, ...]
    """The executable, by its absolute path, and its arguments."""
    environment: Mapping[str, str]
    """What the command must find in its environment."""
    at: time
    timezone: str
    unset: Sequence[str] = ()
    """Names of SCOUT_* variables that are set now and will not be there then."""


def systemd(plan: Plan) -> str:
    """A service and a timer of the user's own, in one text with where each goes."""
    lines = [
        "# Save the first part as   ~/.config/systemd/user/scout.service",
        "# and the second part as   ~/.config/systemd/user/scout.timer, then",
        "#     systemctl --user daemon-reload && systemctl --user enable --now scout.timer",
        "#     loginctl enable-linger      (so that it runs while you are logged out)",
        *_unset(plan),
        "",
        "# ---- scout.service",
        "[Unit]",
        "Description=scout: the daily run",
        "Wants=network-online.target",
        "After=network-online.target",
        "StartLimitIntervalSec=6h",
        "StartLimitBurst=8",
        "",
        "[Service]",
        "Type=oneshot",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in sorted(plan.environment.items())),
        "ExecStart=" + " ".join(_quoted(word).replace("$", "$$") for word in plan.command),
        "# 75 means try later: the network was away, or another run was busy. 1, 2 and 78 need a person.",
        "Restart=on-failure",
        "RestartSec=15min",
        "RestartPreventExitStatus=1 2 78",
        "Nice=10",
        "",
        "# ---- scout.timer",
        "[Unit]",
        "Description=scout every day",
        "",
        "[Timer]",
        f"OnCalendar=*-*-* {plan.at:%H:%M}:00 {plan.timezone}",
        "# A day on which the machine slept is made up for when it wakes.",
        "Persistent=true",
        "RandomizedDelaySec=5min",
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
    ]
    return "\n".join(lines)


def cron(plan: Plan) -> str:
    """A crontab line, with where it goes."""
    words = [f"{name}={shlex.quote(value)}" for name, value in sorted(plan.environment.items())]
    command = " ".join([*words, *(shlex.quote(word) for word in plan.command)])
    lines = [
        "# Add this line with `crontab -e`. Cron counts the hours in the machine's own time zone, and skips a day on which",
        "# the machine is off; a run that found the network away (exit 75) is tried again the next day only.",
        "# The systemd timer does better on both: scout schedule --systemd",
        *_unset(plan),
        f"{plan.at.minute} {plan.at.hour} * * * {command.replace('%', chr(92) + '%')} >/dev/null",
        "",
    ]
    return "\n".join(lines)


def _unset(plan: Plan) -> list[str]:
    if not plan.unset:
        return []
    return [
        f"# Set in your shell now, and not there when this runs: {', '.join(plan.unset)}. Put them into scout.toml."
    ]


def _quoted(word: str) -> str:
    """A word as systemd reads it back: `%` begins a specifier there, quotes and backslashes are escapes."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n")
    plain = all(character.isalnum() or character in "/._-+=:,@%" for character in escaped)
    return escaped if plain else f'"{escaped}"'
