"""Commands whose help ends with an example: `@group.command(example="scout show arxiv:2511.21735")`."""

from __future__ import annotations

from typing import Any

import click


class Command(click.Command):
    def __init__(self, *args: Any, example: str = "", **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write(self.example, formatter)
        super().format_epilog(ctx, formatter)


class Group(click.Group):
    command_class = Command

    def __init__(self, *args: Any, example: str = "", **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.example = example

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order a newcomer needs them, not of the alphabet

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write(self.example, formatter)
        super().format_epilog(ctx, formatter)


Group.group_class = Group


def _write(example: str, formatter: click.HelpFormatter) -> None:
    if example:
        lines = example.splitlines()
        with formatter.section("Example" if len(lines) == 1 else "Examples"):
            for line in lines:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
