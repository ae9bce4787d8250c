"""`scout backfill`: years of papers, decided on by the policy that serves a reader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scout.cli.backfill_words import facts, tell
from scout.cli.console import progress
from scout.cli.errors import Later, Missing
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json
from scout.cli.shared import as_json, existing_reader, open_store, reader_option, settings, typed
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from scout.backfill.chunks import Record, Selection
    from scout.backfill.engine import Engine
    from scout.backfill.folder import Folder, Plan
    from scout.backfill.run import Report
    from scout.config import Settings
    from scout.items import ItemId
    from scout.progress import Progress
    from scout.store import Store

DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    cls=Command,
    example="scout backfill papers.jsonl.gz --since 2024-01-01 --before 2025-01-01\n"
    "scout backfill papers.jsonl.gz --limit 2000 --json\n"
    "scout backfill arxiv.parquet --category cs.LG --engine ray --add\n"
    "scout backfill --undecided --reader ada --add",
)
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--undecided", is_flag=True, help="Also what is stored and was never decided on for the reader.")
@click.option("--since", type=DAY, help="Only papers that appeared on this day or later.")
@click.option("--before", type=DAY, help="Only papers that appeared before this day.")
@click.option(
    "--category", "categories", multiple=True, metavar="NAME", help="Only papers of this category; may be given again."
)
@click.option("--limit", type=click.IntRange(1), help="Only the first so many of them.")
@click.option("--model", "by_model", is_flag=True, help="Put what would not be skipped to the served model too.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="This machine, or many by Ray.",
)
@click.option(
    "--workers", type=click.IntRange(1), help="Processes, or cores of the cluster; all there are unless given."
)
@click.option(
    "--address", metavar="HOST:PORT", help="The Ray cluster; RAY_ADDRESS unless given, else one is started here."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its files go; in the data folder unless given.",
)
@click.option("--fresh", is_flag=True, help="Decide anew what is decided there already.")
@click.option("--add", is_flag=True, help="Put what is for reading or unsure into the database, as old news.")
@click.option(
    "--top", type=click.IntRange(0), default=10, show_default=True, help="How many papers of each month are shown."
)
@reader_option
@as_json
@click.pass_context
def backfill(
    ctx: click.Context, files: tuple[Path, ...], undecided: bool, since: datetime | None, before: datetime | None,
    categories: tuple[str, ...], limit: int | None, by_model: bool, engine: str, workers: int | None, address: str | None,
    out: Path | None, fresh: bool, add: bool, top: int, reader: str | None, json_: bool,
) -> None:  # fmt: skip
    """Decide on years of papers at once.

    By the policy that serves the reader; the best of each month is shown. FILES are JSON lines (gzipped or not) as arXiv's
    metadata has them, or Parquet such as `scout archive` writes. What is decided stands in a folder, a JSON line a paper.
    Stopped or killed, the same command goes on where it was; done, it decides nothing twice.
    """
    from scout.backfill.chunks import Selection
    from scout.backfill.folder import Folder

    if not (files or undecided):
        raise click.UsageError("give FILES of papers, or --undecided")
    if address and engine != "ray":
        raise click.UsageError("--address goes with --engine ray")
    found = settings()
    if by_model and not found.model.base_urls:
        raise click.UsageError("--model needs a served model: set model.base_urls (`scout serve` starts one)")
    selection = Selection(since and since.date(), before and before.date(), tuple(map(typed, categories)), limit)
    with open_store(found) as store, _explained(), progress() as bars:
        name = existing_reader(store, found, reader)
        inputs = _Inputs(store, name, files, undecided=undecided)
        plan = inputs.plan(selection, by_model=by_model)
        folder = Folder(out or found.data_dir / "backfill" / f"{inputs.stem}-{plan.key}")
        with folder.held():
            chosen = _engine(engine, workers, address, plan)
            report = _run(store, found, plan, folder, inputs, chosen, fresh=fresh, bars=bars)
            if not report.trouble:
                _check(plan, report)
            added = _add(store, plan, folder, inputs, bars) if add and report.is_done else None
            told = facts(store, plan, folder, report, added, engine=engine, top=top)
    if json_:
        emit_json(told)
    else:
        tell(told)
    if report.trouble:
        from scout.serving.errors import ModelFault

        complain(f"the model cannot be used: {report.trouble.message}; what was decided is kept, run it again to go on")
        ctx.exit(Exit.CONFIG if report.trouble.fault in (ModelFault.REFUSED, ModelFault.NO_MODEL) else Exit.LATER)


class _Inputs:
    """The files and stored items of one backfill; read as often as need be."""

    def __init__(self, store: Store, reader: str, files: tuple[Path, ...], *, undecided: bool) -> None:
        from scout.backfill import preparing

        self.store, self.reader, self.files = store, reader, files
        self.ids: list[ItemId] = preparing.undecided(store, reader) if undecided else []
        if undecided and not self.ids and not files:
            raise Missing(f"nothing that is stored is undecided for {reader}; what is newest is decided by `scout run`")
        self.stem = "".join(c if c.isalnum() else "-" for c in (files[0].name.split(".")[0] if files else "stored"))[
            :40
        ]

    def plan(self, selection: Selection, *, by_model: bool) -> Plan:
        from scout.backfill import preparing
        from scout.backfill.files import look
        from scout.backfill.folder import Plan

        sources = [look(path) for path in self.files] + ([preparing.stored(self.ids)] if self.ids else [])
        return Plan(self.reader, tuple(sources), selection, by_model)

    def records(self) -> Iterator[tuple[str, Record]]:
        from scout.backfill import preparing
        from scout.backfill.files import records

        for path in self.files:
            yield from ((f"{path.name}, line {number}", record) for number, record in records(path))
        yield from ((item.id, item) for item in preparing.items(self.store, self.ids))


def _engine(name: str, workers: int | None, address: str | None, plan: Plan) -> Engine:
    """Every core but for a few papers; a model is waited for, not computed here: one process asks for many at once."""
    from scout.backfill import local, ray_engine

    if name == "ray":
        return ray_engine.engine(workers, address)
    most = min(plan.records, plan.selection.limit or plan.records)
    few = 1 if plan.by_model else min(os.cpu_count() or 1, -(-most // (2 * plan.size)))
    return local.engine(workers or max(1, few))


def _run(
    store: Store, found: Settings, plan: Plan, folder: Folder, inputs: _Inputs, engine: Engine, *, fresh: bool, bars: Progress
) -> Report:  # fmt: skip
    from scout import adapters
    from scout.backfill.preparing import judge_of
    from scout.backfill.run import backfill as run

    return run(
        plan, folder, inputs.records(), lambda: judge_of(store, found, plan.reader, by_model=plan.by_model), engine,
        endpoint=adapters.asked(store, found, plan.reader), fresh=fresh, progress=bars,
    )  # fmt: skip


def _check(plan: Plan, report: Report) -> None:
    tally = report.tally
    if tally.papers:
        return
    if tally.bad:
        where, says = tally.faults[0]
        raise Missing(f"none of the {tally.bad:,} records of {plan.names} is a paper; {where}: {says}")
    raise Missing(f"{plan.names}: no paper like that; {tally.left_out:,} others are in it")


def _add(store: Store, plan: Plan, folder: Folder, inputs: _Inputs, bars: Progress) -> dict[str, int]:
    from scout.backfill.adding import add, wanted
    from scout.backfill.chunks import Tally, chunks

    rows = wanted(folder.rows(), set(inputs.ids))
    items = (item for chunk in chunks(inputs.records(), plan.selection, Tally()) for item in chunk.items)
    made = add(store, rows, items, progress=bars)
    return {"items": made.items, "decisions": made.decisions}


@contextmanager
def _explained() -> Iterator[None]:
    """What may go wrong with a backfill, as an exit code and a line that says what to do."""
    from scout.backfill.engine import EngineStopped
    from scout.backfill.files import BadPapers
    from scout.backfill.folder import OtherPlan
    from scout.backfill.preparing import NoPolicy
    from scout.serving.errors import ModelError
    from scout.triage.blob import BadBlob

    try:
        yield
    except (BadPapers, OtherPlan, NoPolicy) as err:
        raise Missing(str(err)) from err
    except BadBlob as err:
        raise Missing(f"this backfill was begun by another version of scout ({err}); --fresh begins anew") from err
    except EngineStopped as err:
        raise Later(str(err)) from err
    except ModelError as err:
        raise Later(f"the model cannot be used: {err.message}; nothing was begun, run it again later") from err
