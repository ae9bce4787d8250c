"""Who is told how a run goes, step by step: the store, a file, nobody. `rl.train` calls it; it keeps nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rl.monitor import Alarm, Step


class Recorder(Protocol):
    def step(self, step: Step) -> None:
        """A step is done; its samples hold what each answer was worth, by part."""

    def kept(self, steps: int, folder: Path) -> None:
        """A checkpoint of the state after so many steps lies in `folder`."""

    def alarms(self, raised: Sequence[Alarm]) -> None:
        """What ends the run."""

    def stopping(self) -> bool:
        """Asked after every step: whether to keep a checkpoint and end now, as on SIGTERM."""


class _Nobody:
    def step(self, step: Step) -> None:
        return None

    def kept(self, steps: int, folder: Path) -> None:
        return None

    def alarms(self, raised: Sequence[Alarm]) -> None:
        return None

    def stopping(self) -> bool:
        return False


NOBODY: Recorder = _Nobody()
