"""A backfill from beginning to end: what of the plan is not done yet goes through the engine into the folder.

look at the inputs                         (they make the plan's key)
in the folder: the judge it began with, or the one that serves now
for each chunk that is not in the folder:  engine → rows → a file
when the last one is there:                one file of all
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from scout.backfill.chunks import Chunk, Record, Tally, chunks
from scout.backfill.engine import Engine
from scout.backfill.folder import Folder, Plan
from scout.backfill.judge import Judge, Trouble
from scout.config import Model
from scout.progress import SILENT, Progress

log = logging.getLogger("scout")


@dataclass(slots=True)
class Report:
    judge: Judge
    tally: Tally = field(default_factory=Tally)
    """What was met in the inputs; whole where `is_done`."""
    decided: int = 0
    """Papers that were decided on now."""
    kept: int = 0
    """Papers of chunks that were there already."""
    unrated: int = 0
    trouble: Trouble | None = None
    is_done: bool = False


def backfill(
    plan: Plan, folder: Folder, records: Iterable[tuple[str, Record]], chosen: Callable[[], Judge], engine: Engine, *,
    endpoint: Model, fresh: bool = False, progress: Progress = SILENT,
) -> Report:  # fmt: skip
    """Decide on what is not decided yet. The caller holds the folder.

    Args:
        chosen: gives what decides, where nothing was begun.
        endpoint: how a model is asked now, should one have been asked when this was begun.

    Raises:
        OtherPlan: the folder holds another backfill, and `fresh` is off.
        BadPapers: an input cannot be read to its end.
        EngineStopped: workers ended; what they had finished is kept.
        BadBlob: another version of scout began it.
    """
    judge = None if fresh else folder.began(plan, endpoint)
    if judge is None:
        judge = chosen()
        folder.begin(plan, judge)
    judge.policy()  # where it cannot be read back, that is told before any worker is started
    report = Report(judge)
    most = min(plan.records, plan.selection.limit or plan.records)
    progress.stage(f"backfill for {plan.reader}", -(-most // plan.size))
    there = folder.done()
    # A finished backfill has one file instead of its chunks; its records are read for what there is to tell of them.
    todo = _todo(chunks(records, plan.selection, report.tally, size=plan.size), there, folder.is_done, report, progress)
    with closing(engine(todo, judge)) as outcomes:
        for judged in outcomes:
            if judged.trouble:
                report.trouble = judged.trouble
                log.warning(
                    "backfill stopped", extra={"outcome": str(judged.trouble.fault), "error": judged.trouble.message}
                )
                return report
            folder.keep(judged.number, judged.rows)
            report.decided += judged.papers
            report.unrated += judged.unrated
            progress.step()
    if not folder.is_done and report.tally.papers:
        folder.finish(report.tally.chunks)
    report.is_done = True
    log.info("backfill done", extra={"folder": str(folder.path), "decided": report.decided, "kept": report.kept})
    return report


def _todo(
    all_chunks: Iterator[Chunk], there: set[int], everything: bool, report: Report, progress: Progress
) -> Iterator[Chunk]:
    for chunk in all_chunks:
        if everything or chunk.number in there:
            report.kept += len(chunk.items)
            progress.step()
        else:
            yield chunk
