"""`scout eval summaries`: one-line summaries against those of experts. The measuring is `evals.summaries`'."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scout.cli.errors import Later, Missing
from scout.cli.eval_triage import FILE
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, on_terminal, say, table
from scout.cli.shared import as_json, settings

if TYPE_CHECKING:
    from evals.model_summaries import Made
    from evals.summaries import Paper, Row

HEAD = ("by", "ROUGE-1", "ROUGE-2", "ROUGE-L", "words", "beyond the title", "grounded")


@click.command(
    cls=Command,
    example="scout eval summaries --data scitldr-dev.jsonl.gz\n"
    "scout eval summaries --data scitldr-dev.jsonl.gz --by model --limit 100 --json",
)
@click.option(
    "--data", type=FILE, required=True, help="Papers with experts' summaries, as SciTLDR has them; may be gzipped."
)
@click.option(
    "--by", type=click.Choice(["extractive", "model"]), default="extractive", show_default=True,
    help="Whose summaries: those made of a text's own sentences, or those of the model at model.base_urls.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="So many papers only, the first of the file.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the sentence drawn by chance.")
@click.option("--predictions", type=click.Path(dir_okay=False, path_type=Path), help="Write the summaries here.")
@as_json
def summaries(data: Path, by: str, limit: int | None, seed: int, predictions: Path | None, json_: bool) -> None:
    """Measure summaries by those of experts.

    ROUGE by the best of a paper's references, without a stemmer; beside it the share of words that the title does not have,
    and the share of sentences that the text supports. docs/measure.md says what the figures mean.
    """
    from evals.papers import BadData
    from evals.peers import NoExtra
    from evals.summaries import read, run
    from scout.cli.console import progress
    from scout.triage.summarize import extractive

    try:
        papers = read(data)[:limit]
        made = _by_model(papers) if by == "model" else None
        lines = made.summaries if made else extractive([paper.item(number) for number, paper in enumerate(papers)])
        with progress() as bars:
            report = run(
                papers,
                made.model if made else by,
                lines,
                checked=made.checked if made else None,
                seed=seed,
                progress=bars,
            )
    except (BadData, ValueError, NoExtra) as err:
        raise Missing(str(err)) from err
    if predictions is not None:
        lines_out = (json.dumps(each, ensure_ascii=False) + "\n" for each in report.predictions)
        predictions.write_text("".join(lines_out), encoding="utf-8", errors="replace")
    outcomes = dict(made.outcomes) if made else {}
    if json_:
        emit_json({**report.to_dict(), "outcomes": outcomes})
        return
    if on_terminal():
        say(f"{report.papers} papers; ROUGE F1, best reference, no stemmer")
    table(HEAD, [_cells(row) for row in report.rows], give_way="by")
    if outcomes:
        complain("the model's answers: " + ", ".join(f"{count} {name}" for name, count in outcomes.items()))


def _by_model(papers: list[Paper]) -> Made:
    from evals.model_summaries import summarize
    from scout.cli.console import progress
    from scout.config import ConfigError
    from scout.serving.client import ModelClient
    from scout.serving.errors import ModelError

    found = settings()
    if not found.model.base_urls:
        raise ConfigError("model.base_urls names no endpoint; set the address of one, such as http://127.0.0.1:8000/v1")

    async def ask() -> Made:
        with progress() as bars:
            async with ModelClient(found.model) as client:
                return await summarize(client, papers, progress=bars)

    try:
        return asyncio.run(ask())
    except ModelError as err:
        if err.kind.passes:
            raise Later(f"{err.message}; nothing was measured") from err
        raise ConfigError(f"{err.message}; see model.base_urls, model.name and SCOUT_MODEL__API_KEY") from err


def _cells(row: Row) -> list[str]:
    rouge = [f"{row.rouge[name]:.1f}" for name in ("rouge1", "rouge2", "rougeL")]
    grounded = "–" if row.grounded is None else f"{row.grounded:.1%}"
    return [row.name, *rouge, f"{row.words:.1f}", f"{row.beyond_title:.1%}", grounded]
