"""`scout harvest`: arXiv's records in bulk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from scout.cli.console import progress
from scout.cli.errors import Later, Missing
from scout.cli.examples import Command
from scout.cli.output import emit_json, line, say
from scout.cli.shared import as_json, open_store, settings

if TYPE_CHECKING:
    from scout.net.errors import FetchError
    from scout.store.harvests import Harvest

DAY = click.DateTime(["%Y-%m-%d"])
SET = r"[A-Za-z0-9_.!~*'()-]+(:[A-Za-z0-9_.!~*'()-]+)*"


@click.command(
    cls=Command, example="scout harvest --from 2025-11-01 --until 2025-11-30 --set cs\nscout harvest --from 2025-12-01"
)
@click.option("--from", "first", type=DAY, metavar="DAY", required=True, help="The first day on which records changed.")
@click.option("--until", "last", type=DAY, metavar="DAY", help="The last one; yesterday unless given.")
@click.option(
    "--set", "set_name", default="", metavar="NAME", help="One of arXiv's sets, such as cs, math, physics:hep-th."
)
@as_json
def harvest(first: datetime, last: datetime | None, set_name: str, json_: bool) -> None:
    """Take in arXiv's records in bulk.

    By OAI-PMH, a page each three seconds, as arXiv asks of everybody. The days are those on which a record came or changed. Papers
    come in as old news: search and `scout show` find them, no digest takes them up. Interrupted, the same command goes on where
    it was.
    """
    import re

    from scout import clock
    from scout.harvest import harvest as read
    from scout.locks import held
    from scout.net.errors import FetchError
    from scout.sources.tools import open_tools

    begin, latest = first.date(), last.date() if last else clock.now().date() - timedelta(days=1)
    if begin > latest:
        raise click.UsageError(f"--from {begin} is after --until {latest}")
    if set_name and not re.fullmatch(SET, set_name):
        raise click.UsageError(f"{line(set_name)!r} is no name of a set, such as cs or physics:hep-th")
    found = settings()
    with (
        held(found, "harvest"),
        open_store(found, create=True) as store,
        open_tools(found) as tools,
        progress() as bars,
    ):
        begun = (
            None if last else store.harvests.last_day(set_name, begin)
        )  # what was begun on another day is ended first
        try:
            done = read(store, tools, first=begin, last=begun or latest, set_name=set_name, progress=bars)
        except FetchError as err:
            raise _ended(err) from err
    if json_:
        emit_json(facts(done))
        return
    told = [f"{done.new:,} new", f"{done.updated:,} updated"]
    told += [f"{done.deleted:,} deleted at arXiv (what is stored of them stays)"] if done.deleted else []
    told += [f"{done.left_out:,} without an arXiv id or a title left out"] if done.left_out else []
    say(f"{done.records:,} records of {done.first} to {done.last}: {', '.join(told)}.")


def _ended(err: FetchError) -> click.ClickException:
    from scout.items import OutcomeKind

    if err.kind in (OutcomeKind.UNREADABLE, OutcomeKind.REFUSED, OutcomeKind.TOO_LARGE):
        return Missing(err.message)
    return Later(f"{err.message}. What was read is kept; the same command goes on there")


def facts(done: Harvest) -> dict[str, Any]:
    """A harvest in the public shape of `harvest --json` (docs/schemas/harvest.schema.json)."""
    return {
        "set": done.set_name, "from": done.first, "until": done.last, "records": done.records, "new": done.new,
        "updated": done.updated, "deleted": done.deleted, "left_out": done.left_out, "pages": done.pages,
    }  # fmt: skip
