"""`scout eval triage`: how good the ranking is on real picks, beside what others do. The measuring is `evals.triage`'s."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, on_terminal, say, table
from scout.cli.shared import as_json, settings

if TYPE_CHECKING:
    from evals.triage import Setting
    from evals.triage_report import Report, Row

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
HEAD = ("policy", "AUC", "average precision", "P@10", "recall@20", "ECE", "slope", "Brier skill", "seconds")
AGAINST = ("policy", "AUC", "average precision", "P@10", "recall@20")
BAR = 30

papers_option = click.option(
    "--papers", "papers_file", type=FILE, required=True, help="Papers by day, a JSON object a line; may be gzipped."
)
train_until = click.option(
    "--train-until", type=DAY, metavar="DAY", required=True, help="The first test day; what is before it is known."
)
test_until = click.option(
    "--test-until", type=DAY, metavar="DAY", help="The day after the last test day; the end of the file unless given."
)
"""What `scout eval routing` asks for as well."""


@click.command(
    cls=Command,
    example="scout eval triage --papers papers.jsonl.gz --picks picks.json --pick ada --train-until 2025-11-01\n"
    "scout eval triage --papers papers.jsonl.gz --picks picks.json --pick ada --train-until 2025-11-01 --labels 50 --json",
)
@papers_option
@click.option("--picks", "picks_file", type=FILE, required=True, help="Who picked which: a JSON object of names.")
@click.option("--pick", "picks", multiple=True, required=True, metavar="NAME", help="Whose picks; may be given again.")
@train_until
@test_until
@click.option(
    "--policy", "policies", multiple=True, metavar="P",
    help="A recipe or a peer; may be given again. The first is the one measured, the first peer is who it is compared with. "
    "Unless given: the default recipe and every peer.",
)  # fmt: skip
@click.option("--labels", type=click.IntRange(min=0), help="So many thumbs, half of them up, drawn by chance.")
@click.option("--as-shown", is_flag=True, help="Thumbs only on what a digest showed, a day at a time.")
@click.option(
    "--every", type=click.IntRange(min=1), default=1, show_default=True, help="With --as-shown: fit every so many days."
)
@click.option(
    "--draws", type=click.IntRange(min=1, max=100), default=5, show_default=True, help="How often labels are drawn."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is drawn.")
@click.option(
    "--predictions", type=click.Path(dir_okay=False, path_type=Path), help="Write what the first policy said here."
)
@as_json
def triage(
    papers_file: Path, picks_file: Path, picks: tuple[str, ...], train_until: datetime, test_until: datetime | None,
    policies: tuple[str, ...], labels: int | None, as_shown: bool, every: int, draws: int, seed: int,
    predictions: Path | None, json_: bool,
) -> None:  # fmt: skip
    """Measure the ranking on real picks.

    Learns from the papers before a day, with the picks of one reader as thumbs, and ranks every paper since. docs/measure.md
    says what the figures mean.
    """
    from evals.triage import Setting

    if test_until is not None and test_until <= train_until:
        raise click.BadParameter("must be after --train-until", param_hint="--test-until")
    if predictions is not None and len(picks) > 1:
        raise click.UsageError("--predictions takes one --pick")
    named = _policies(policies)
    asked = [
        Setting(
            pick=pick, train_until=train_until.date(), test_until=test_until.date() if test_until else None,
            policies=named, labels=labels, as_shown=as_shown, every=every, draws=draws, seed=seed,
        )
        for pick in dict.fromkeys(picks)
    ]  # fmt: skip
    reports = _measured(papers_file, picks_file, asked)
    if predictions is not None:
        lines = [json.dumps(each.to_dict(), allow_nan=False) + "\n" for each in reports[0].predictions]
        predictions.write_text("".join(lines), encoding="utf-8")
    keep(reports)
    if json_:
        emit_json({"measure": "triage", "readers": [report.to_dict() for report in reports]})
        return
    for report in reports:
        show(report)


def _policies(named: Sequence[str]) -> tuple[str, ...]:
    """What to rank by: as named, else the default recipe and whichever peers can be asked here."""
    from evals.peers import PEERS, available
    from scout.triage.recipes import DEFAULT, RECIPES

    if named:
        if unknown := [name for name in named if name not in RECIPES and name not in PEERS]:
            known = ", ".join([*RECIPES, *PEERS])
            raise click.BadParameter(f"there is no {unknown[0]!r}; known are {known}", param_hint="--policy")
        return tuple(dict.fromkeys(named))
    there, away = available()
    if away:
        complain(f"{', '.join(away)} need scikit-learn and are left out; `pip install 'scout[evals]'` brings it")
    return (DEFAULT, *there)


def _measured(papers_file: Path, picks_file: Path, asked: Sequence[Setting]) -> list[Report]:
    from evals.papers import BadData, read_papers, read_picks
    from evals.peers import NoExtra, Shelf
    from evals.triage import run
    from scout.cli.console import progress

    try:
        papers, picks = read_papers(papers_file), read_picks(picks_file)
    except BadData as err:
        raise Missing(str(err)) from err
    for setting in asked:
        if setting.pick not in picks:
            raise Missing(
                f"{picks_file.name} has no picks of {setting.pick!r}; it has those of {', '.join(sorted(picks))}"
            )
    shelf = Shelf()
    try:
        with progress() as bars:
            return [run(papers, picks[setting.pick], setting, shelf=shelf, progress=bars) for setting in asked]
    except (ValueError, NoExtra) as err:
        raise Missing(str(err)) from err


def keep(reports: Sequence[Report]) -> None:
    """Add the figures to the database, where there is one: the dashboard draws them over time."""
    from scout.clock import now
    from scout.store import Store

    found = settings()
    if not found.database.exists():
        return
    at = now()
    with Store(found.database) as store, store.writing():
        for report in reports:
            for row in report.rows:
                figures = {name: figure.value for name, figure in row.figures.items() if figure.value is not None}
                about = {**report.asked, "measure": "triage", "test_papers": report.counted.test_papers}
                store.measures.add(
                    kind="triage", name=report.pick, recipe=row.name, at=at, figures=figures, about=about
                )


def show(report: Report) -> None:
    """The report for a person."""
    counted = report.counted
    if on_terminal():
        say(
            f"{report.pick}: {counted.thumbs} thumbs ({counted.thumbs_up} up) before {report.asked['train_until']}, "
            f"{counted.test_picks} picks among {counted.test_papers} papers of {counted.test_days} days since"
        )
    table(HEAD, [[row.name, *_cells(row)] for row in report.rows], give_way="policy")
    compared = [row for row in report.rows if row.name != report.baseline]
    if on_terminal() and compared:
        say(f"\nMore than {report.baseline}, with intervals of 95% by day:")
        table(AGAINST, [[row.name, *_differences(row)] for row in compared], give_way="policy")
    if on_terminal():
        for line in (*_lanes(report.rows[0]), *plot(report.rows[0]), *report.notes):
            say(line)
    else:
        for note in report.notes:
            complain(note)


def _cells(row: Row) -> list[str]:
    from evals.triage_report import FIGURES

    cells = {name: _number(row.figures[name].value) if name in row.figures else "–" for name in FIGURES}
    slope = _number(row.reliability.slope) if row.reliability else "–"
    return [
        cells["auc"], cells["average_precision"], cells["p_at_10"], cells["recall_at_20"], cells["ece"], slope,
        cells["brier_skill"], f"{row.seconds:.1f}",
    ]  # fmt: skip


def _differences(row: Row) -> list[str]:
    told = []
    for name in ("auc", "average_precision", "p_at_10", "recall_at_20"):
        figure = row.figures[name]
        if figure.above is None or figure.above_interval is None:
            told.append("–")
        else:
            low, high = figure.above_interval
            told.append(f"{figure.above:+.3f} ({low:+.3f} to {high:+.3f})")
    return told


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _lanes(row: Row) -> list[str]:
    if row.lanes is None:
        return []
    told = [
        f"{lane}: {share.papers:.0f} papers"
        + (f", {share.picks / share.papers:.1%} of them picks" if share.papers else "")
        for lane, share in row.lanes.items()
    ]
    abstained, right = (("–" if value is None else f"{value:.1%}") for value in (row.abstained, row.right))
    return [
        "",
        f"Lanes of {row.name}: {'; '.join(told)}.",
        f"It abstains (unsure) on {abstained} of the papers; {right} of the others are rightly read or rightly skipped.",
    ]


def plot(row: Row) -> list[str]:
    """The reliability plot in characters: a bar for what was found, a mark where it was foreseen."""
    if row.reliability is None or not row.reliability.bins:
        return []
    most = max(max(each.foreseen, each.found) for each in row.reliability.bins) or 1.0
    lines = ["", f"Reliability of {row.name}: ten bins of papers; █ what was picked, │ what was foreseen"]
    for each in row.reliability.bins:
        bar = list(("█" * round(BAR * each.found / most)).ljust(BAR + 1))
        bar[min(BAR, round(BAR * each.foreseen / most))] = "│"
        lines.append(
            f"{each.papers:>6} papers  {each.foreseen:6.1%} foreseen  {each.found:6.1%} picked  {''.join(bar)}"
        )
    return [*lines, ""]
