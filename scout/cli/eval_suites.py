"""`scout eval selfcheck|import`: can the questions be believed, and questions from sets that lie on disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import emit_json, on_terminal, say, table
from scout.cli.shared import as_json, settings, typed
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from evals.core import Suite
    from evals.selfcheck import Checked
    from scout.config import Settings

HEAD = ("suite", "state", "cases", "families", "levels", "judged", "why")
FORMATS = ("gsm8k", "bbeh", "xstest", "ifeval", "bfcl")


@click.command(cls=Command, example="scout eval selfcheck\nscout eval selfcheck logic code --json")
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@click.option("--quick", is_flag=True, help="Fewer cases, as before a run.")
@as_json
@click.pass_context
def selfcheck(ctx: click.Context, suites: tuple[str, ...], quick: bool, json_: bool) -> None:
    """Check whether the questions can be believed.

    Right answers must score 1, and empty ones, "I don't know", another question's answer and an agent that does nothing
    about 0; no answer may trip a verifier; the same seed must give the same text. All suites unless some are named; a suite
    that fails is refused by `scout eval run`, and the exit code is 1. docs/evals.md tells more.
    """
    checked = _checked(_named(settings(), suites), quick=quick)
    if json_:
        emit_json([each.to_dict() for each in checked])
    else:
        table(HEAD, [_cells(each) for each in checked], give_way="why")
    ctx.exit(Exit.BUG if any(each.faults for each in checked) else Exit.DONE)


def _named(found: Settings, names: tuple[str, ...]) -> list[Suite]:
    from evals.suites import installed

    known = installed(found.data_dir / "evals")
    if missing := [name for name in names if name not in known]:
        raise Missing(f"no suite {typed(missing[0])!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(known.values())


def _checked(suites: list[Suite], *, quick: bool) -> list[Checked]:
    from evals.selfcheck import check
    from scout.cli.console import progress

    done = []
    with progress() as bars:
        for suite in suites:
            bars.stage(suite.name, None if quick else suite.items)
            done.append(check(suite, quick=quick, progress=bars))
        bars.done()
    return done


def _cells(each: Checked) -> list[str]:
    why = each.unavailable or "; ".join(each.faults)
    if each.left_out and not why:
        why = f"{len(each.left_out)} generators do not pass and are not asked: {', '.join(each.left_out)}"
    levels = " ".join(f"{level}:{count}" for level, count in each.levels.items())
    return [each.suite, each.state, str(each.cases), str(len(each.families)), levels, str(each.verdicts), why]


@click.command(
    cls=Command, name="import",
    example="scout eval import gsm8k test.jsonl\nscout eval import bfcl BFCL_v3_simple.json --answers possible_answer/BFCL_v3_simple.json",
)  # fmt: skip
@click.argument("format_", metavar="FORMAT", type=click.Choice(FORMATS))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", metavar="NAME", default="", help="What the suite is called; the format's name unless given.")
@click.option(
    "--answers", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="BFCL's answers, where they are not beside it."
)  # fmt: skip
@as_json
def import_(format_: str, file: Path, name: str, answers: Path | None, json_: bool) -> None:
    """Make a suite of a public set on disk.

    FORMAT is gsm8k, bbeh, xstest, ifeval or bfcl; FILE is as its makers publish it, gzipped or not. Nothing is downloaded.
    The set is checked before its first run like any suite.
    """
    from evals import importers
    from evals.suites import SUITES
    from evals.suites.fun import NAME as FUN

    wanted = typed(name) or format_
    if wanted in (*SUITES, FUN, "all") or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,60}", wanted):
        raise click.UsageError(f"--name {wanted!r} is taken, or no name; use small letters, digits, dots and dashes")
    try:
        done = importers.bring(format_, file, settings().data_dir / "evals" / "imported", name=wanted, answers=answers)
    except importers.Unreadable as err:
        raise Missing(str(err)) from err
    if json_:
        emit_json({"suite": wanted, "items": done.items, "left_out": done.left_out})
        return
    left = f"; {done.left_out} ask for what cannot be checked here and were left out" if done.left_out else ""
    say(f"{wanted}: {done.items} items{left}.")
    if on_terminal():
        say(f"`scout eval selfcheck {wanted}` checks it, `scout eval run {wanted}` asks it.")
