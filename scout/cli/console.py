"""Progress bars on a terminal; nothing anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scout.cli.output import line
from scout.progress import SILENT, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


@contextmanager
def progress(*, wanted: bool = True) -> Iterator[Progress]:
    """Bars on stderr where that is a terminal, one a stage; else silence."""
    if not (wanted and sys.stderr.isatty()):
        yield SILENT
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<20}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[label]}", markup=False),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield Drawn(bars)


class Drawn:
    """`scout.progress.Progress`, as bars. Steps may come from any thread."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.task: TaskID | None = None

    def stage(self, name: str, total: int | None = None) -> None:
        self.done()
        self.task = self.bars.add_task(line(name), total=total, label="")

    def step(self, label: str = "") -> None:
        if self.task is not None:
            self.bars.update(self.task, advance=1, label=line(label)[:40])

    def done(self) -> None:
        if self.task is None:
            return
        task = self.bars.tasks[-1]
        self.bars.update(
            self.task, total=task.total or task.completed, completed=task.total or task.completed, label=""
        )
        self.task = None
