"""SIGTERM while training: noted at once, acted on between phases, so that no update is ever half made."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Stopping(Exception):
    """The run is to end now; what the step has done so far is thrown away, and done again when it is resumed."""


class Stop:
    """Whether the process was asked to end."""

    asked = False

    def look(self) -> None:
        """
        Raises:
            Stopping: it was.
        """
        if self.asked:
            raise Stopping


@contextmanager
def terminable() -> Iterator[Stop]:
    """Notes SIGTERM instead of dying of it. Where someone handles it already, or in another thread than the main one, nothing."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield stop
        return

    def note(*_: Any) -> None:
        stop.asked = True

    signal.signal(signal.SIGTERM, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
