"""`scout eval routing`: how often a paper comes under its primary category. The measuring is `evals.routing`'s."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scout.cli.errors import Missing
from scout.cli.eval_triage import papers_option, test_until, train_until
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, on_terminal, say, table
from scout.cli.shared import as_json, settings

if TYPE_CHECKING:
    from evals.figures import Figure
    from evals.routing import Report, Setting

HEAD = ("policy", "accuracy", "more than the first peer", "macro-F1", "seconds")


@click.command(cls=Command, example="scout eval routing --papers papers.jsonl.gz --train-until 2025-11-01")
@papers_option
@train_until
@test_until
@click.option(
    "--policy", "policies", multiple=True, metavar="P",
    help="A recipe or a peer (tfidf-logistic, tfidf-svm, majority); may be given again. The first peer is who others are "
    "compared with. Unless given: the default recipe and every peer.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of the intervals' draws.")
@click.option(
    "--predictions", type=click.Path(dir_okay=False, path_type=Path), help="Write what the first policy said here."
)
@as_json
def routing(
    papers_file: Path, train_until: datetime, test_until: datetime | None, policies: tuple[str, ...], seed: int,
    predictions: Path | None, json_: bool,
) -> None:  # fmt: skip
    """Measure routing by primary category.

    Each category is a subject that is only named; every paper before a day is a correction, every paper since is routed.
    No router sees categories. docs/measure.md says what the figures mean.
    """
    from evals.routing import Setting

    if test_until is not None and test_until <= train_until:
        raise click.BadParameter("must be after --train-until", param_hint="--test-until")
    report = _measured(
        papers_file,
        Setting(
            train_until=train_until.date(), test_until=test_until.date() if test_until else None,
            policies=_policies(policies), seed=seed,
        ),
    )  # fmt: skip
    if predictions is not None:
        predictions.write_text("".join(json.dumps(each) + "\n" for each in report.predictions), encoding="utf-8")
    _keep(report)
    if json_:
        emit_json(report.to_dict())
        return
    if on_terminal():
        say(f"{report.test_papers} papers routed after {report.train_papers}; compared with {report.setting.baseline}")
    rows = [
        [row.name, _value(row.accuracy), _more(row.accuracy), _value(row.macro_f1), f"{row.seconds:.1f}"]
        for row in report.rows
    ]
    table(HEAD, rows, give_way="policy")


def _policies(named: tuple[str, ...]) -> tuple[str, ...]:
    from evals.peers import PEERS, available
    from evals.routing import ROUTERS
    from scout.triage.recipes import DEFAULT, RECIPES

    if unknown := [name for name in named if name not in RECIPES and name not in ROUTERS]:
        known = ", ".join([*RECIPES, *ROUTERS])
        raise click.BadParameter(f"there is no {unknown[0]!r}; known are {known}", param_hint="--policy")
    if named:
        return tuple(dict.fromkeys(named))
    _, away = available([name for name in ROUTERS if name in PEERS])
    if away:
        complain(f"{', '.join(away)} need scikit-learn and are left out; `pip install 'scout[evals]'` brings it")
    return (DEFAULT, *(name for name in ROUTERS if name not in away))


def _measured(papers_file: Path, setting: Setting) -> Report:
    from evals.papers import BadData, read_papers
    from evals.peers import NoExtra
    from evals.routing import run
    from scout.cli.console import progress

    try:
        with progress() as bars:
            return run(read_papers(papers_file), setting, progress=bars)
    except (BadData, ValueError, NoExtra) as err:
        raise Missing(str(err)) from err


def _keep(report: Report) -> None:
    """Add the figures to the database, where there is one."""
    from scout.clock import now
    from scout.store import Store

    found = settings()
    if not found.database.exists():
        return
    about = {"train_until": report.setting.train_until.isoformat(), "test_papers": report.test_papers}
    with Store(found.database) as store, store.writing():
        for row in report.rows:
            figures = {"accuracy": row.accuracy.value, "macro_f1": row.macro_f1.value}
            store.measures.add(
                kind="routing", name="primary category", recipe=row.name, at=now(), figures=figures, about=about
            )


def _value(figure: Figure) -> str:
    return "–" if figure.value is None else f"{figure.value:.3f}"


def _more(figure: Figure) -> str:
    if figure.above is None or figure.above_interval is None:
        return "–"
    return f"{figure.above:+.3f} ({figure.above_interval.low:+.3f} to {figure.above_interval.high:+.3f})"
