"""`scout missed`: the week's sample of what was skipped, and what one's thumbs on it say."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import emit_json, line, say
from scout.cli.shared import as_json, open_store, reader_name, reader_option, settings

if TYPE_CHECKING:
    from scout.digest.missed import MissedPage
    from scout.store import Store


@click.command(cls=Command, example="scout missed\nscout missed --week 2025-12-01 --json")
@click.option(
    "--week", type=click.DateTime(["%Y-%m-%d"]), help="The page of the week of this day; this week's unless given."
)
@reader_option
@as_json
def missed(week: datetime | None, reader: str | None, json_: bool) -> None:
    """Show what you would have missed this week.

    Thirty items drawn by chance from what was skipped, half of them near the threshold. The draw is made once a week, when
    you first look. Thumb them (`scout feedback`, or the dashboard's page), and it says what share of the skipped you wanted.
    """
    from scout import weekly
    from scout.clock import today
    from scout.pipeline import readers

    found = settings()
    with open_store(found) as store:
        name, names = reader_name(found, reader), readers(store, found)
        if name not in names:
            raise Missing(f"no reader {name!r}; there are {', '.join(names)}")
        made = _page(store, name, week.date()) if week else weekly.page(store, found, reader=name, day=today(found))
        if made is None:
            raise Missing(f"nothing was skipped for {name} in the last seven days; `scout run` decides on what is new")
        thumbs = weekly.thumbs(store, name, made)
    if json_:
        emit_json(facts(made, thumbs))
    else:
        _tell(made, thumbs)


def _page(store: Store, reader: str, day: date) -> MissedPage:
    from scout import weekly
    from scout.digest.missed import week_of

    made = weekly.find(store, reader=reader, week=week_of(day))
    if made is None:
        weeks = ", ".join(str(week) for week in store.missed.weeks(reader)[:10]) or "none yet"
        raise Missing(f"no page was drawn in the week of {week_of(day)}; there are those of {weeks}")
    return made


def facts(made: MissedPage, thumbs: dict[str, bool]) -> dict[str, Any]:
    """As `--json` prints it (docs/schemas/missed.schema.json)."""
    from evals.missed import counted, sentence, share

    counts = counted(made, thumbs)
    found = share(counts)
    return {
        **made.to_dict(),
        "thumbs": {id: "up" if up else "down" for id, up in thumbs.items()},
        "share": found and {"share": found.share, "low": found.low, "high": found.high},
        "says": sentence(counts),
    }


def _tell(made: MissedPage, thumbs: dict[str, bool]) -> None:
    from evals.missed import counted, sentence
    from scout.digest.wording import about, shown

    say(f"What you would have missed, {made.since} to {made.day}")
    say(sentence(counted(made, thumbs)))
    marks = {True: "+", False: "-", None: " "}
    for entry in made.entries:
        say(f"\n{marks[thumbs.get(entry.id)]} {line(shown(entry.title))}")
        say(f"  {line(about(entry))}")
        if entry.summary.tldr:
            say(f"  {line(shown(entry.summary.tldr))}")
        say(f"  scout feedback {line(entry.id)} up|down")
