"""SIGTERM while training: noted at once, acted on between phases, so that no update is ever half made."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rl.distributed import world

T = TypeVar("T")


class Stopping(Exception):
    """The run is to end now; what the step has done so far is thrown away, and done again when it is resumed."""


class Stop:
    """Whether the run is to end: the process was asked to, or whoever records it wishes so."""

    def __init__(self, wished: Callable[[], bool] = lambda: False) -> None:
        self._noted, self._wished = False, wished
        self._alone = world().size == 1

    def note(self) -> None:
        self._noted = True

    @property
    def asked(self) -> bool:
        return self._noted or self._wished()

    def look(self) -> None:
        """Several processes end together, after a step; so this is for one that is alone.

        Raises:
            Stopping: it is to end.
        """
        if self._alone and self.asked:
            raise Stopping

    def passing(self, value: T) -> T:
        """`value`, after a look."""
        self.look()
        return value


@contextmanager
def terminable(wished: Callable[[], bool] = lambda: False) -> Iterator[Stop]:
    """Notes SIGTERM instead of dying of it. Where someone handles it already, or in another thread than the main one, only
    `wished` counts."""
    stop = Stop(wished)
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield stop
        return

    def note(*_: Any) -> None:
        stop.note()

    signal.signal(signal.SIGTERM, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
