"""`scout digest`: a day's digest in one of its faces; today's is made if it is not there yet."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import clean, complain, on_terminal
from scout.cli.shared import open_store, reader_name, reader_option, settings

if TYPE_CHECKING:
    from scout.config import Settings
    from scout.digest.model import Digest
    from scout.store import Store

LISTED = 10
"""How many days are named to someone who asked for one without a digest."""


@click.command(
    cls=Command,
    example="scout digest\nscout digest --date 2025-12-02 --format html > digest.html\nscout digest --reader ada --format json",
)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="The digest of this day; today's unless given.")
@click.option(
    "--format",
    "face",
    type=click.Choice(["md", "html", "json", "atom"]),
    default="md",
    show_default=True,
    help="Its face.",
)
@reader_option
def digest(day: datetime | None, face: str, reader: str | None) -> None:
    """Print a day's digest.

    Today's is made from what is decided so far if it is not there yet; once it holds items it stays as it is.
    """
    from scout.digest.faces import render

    found = settings()
    with open_store(found) as store:
        name = _reader(store, found, reader)
        made = _digest(store, found, name, day.date() if day else None)
        if made.is_empty:
            _point_to_earlier(store, name, made.date)
    text = render(made, face)
    if face == "md" and on_terminal():
        _draw(text)
    else:
        click.echo(text, nl=not text.endswith("\n"))


def _reader(store: Store, found: Settings, given: str | None) -> str:
    from scout.pipeline import readers

    name, names = reader_name(found, given), readers(store, found)
    if name not in names:
        raise Missing(f"no reader {name!r}; there are {', '.join(names)}")
    return name


def _digest(store: Store, found: Settings, reader: str, day: date | None) -> Digest:
    from scout import pipeline
    from scout.clock import today
    from scout.digest.build import find
    from scout.locks import held

    wanted = day or today(found)
    made = find(store, reader=reader, day=wanted)
    if wanted == today(found) and (made is None or made.is_empty):
        with held(found, "run"):
            pipeline.digest(store, found, reader)
        made = find(store, reader=reader, day=wanted)
    if made is None:
        raise Missing(f"no digest of {wanted} for {reader}; {_those_there(store.digests.dates(reader))}")
    return made


def _those_there(days: list[date]) -> str:
    if not days:
        return "there is none yet: `scout run` makes the first"
    more = f" and {len(days) - LISTED} older ones" if len(days) > LISTED else ""
    return f"there is one of {', '.join(str(day) for day in days[:LISTED])}{more}"


def _point_to_earlier(store: Store, reader: str, day: date) -> None:
    from scout.digest.build import find

    for earlier in store.digests.dates(reader)[:LISTED]:
        made = find(store, reader=reader, day=earlier) if earlier != day else None
        if made is not None and not made.is_empty:
            complain(f"nothing for {day} yet; the newest digest with something in it: scout digest --date {earlier}")
            return


def _draw(text: str) -> None:
    """Markdown on a terminal: headings, lists and emphasis drawn; addresses written out, nothing else obeyed."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(clean(text), hyperlinks=False))
