"""The command line: a file a group of commands. The one place that knows everything, and imports it only when asked.

Nothing heavier than click is imported before a command runs, so that `scout --help` is there at once and `scout run` on a
small machine never loads what only other commands need.
"""

from __future__ import annotations


def main() -> None:
    """The `scout` executable."""
    from scout.cli.app import app

    app(prog_name="scout")
