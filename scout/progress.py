"""How long work tells how far it is. The command line draws it; everything else is silent."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins, of `total` steps where that is known."""

    def step(self, label: str = "") -> None:
        """One step of the stage is done."""

    def done(self) -> None:
        """The last stage is done."""


class _Silent:
    def stage(self, name: str, total: int | None = None) -> None:
        return None

    def step(self, label: str = "") -> None:
        return None

    def done(self) -> None:
        return None


SILENT: Progress = _Silent()
