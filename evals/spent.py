"""How long a run took so far, over all of its parts: one that was stopped and gone on with has several, one of them killed perhaps.

A part writes down when it begins, and its seconds when it ends. Where it could write no end, its last answer was the end.
"""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from evals.journal import FILE_NAME
from scout.clock import now

SPENT = "seconds.txt"
"""A line a part: its seconds, or `begun` and the moment while it goes on."""
BEGUN = "begun "


class Clock:
    """Times one part of a run. Make it before the run's journal is opened, which may mend the file that it looks at."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / SPENT
        self.before = _parts(folder)
        self._write([*self.before, f"{BEGUN}{now().isoformat()}"])
        self._started = time.perf_counter()

    def stop(self) -> float:
        """Write down what this part took; the seconds of all of them."""
        parts = [*self.before, f"{time.perf_counter() - self._started:.3f}"]
        self._write(parts)
        return sum(map(float, parts))

    def _write(self, lines: list[str]) -> None:
        half = self.path.with_suffix(".part")
        half.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        half.replace(self.path)


def _parts(folder: Path) -> list[str]:
    """Seconds of the parts before; of one that was killed, until its last answer."""
    path, answers = folder / SPENT, folder / FILE_NAME
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    last = answers.stat().st_mtime if answers.exists() else 0.0
    return [
        f"{max(0.0, last - datetime.fromisoformat(line.removeprefix(BEGUN)).timestamp()):.3f}"
        if line.startswith(BEGUN)
        else line
        for line in lines
    ]
