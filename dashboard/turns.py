"""Pages are drawn one after another. Python runs one thread at a time anyway: of ten pages drawn side by side each comes as late
as the last of them, and switching between them is not free. What is small, a thumb or a job's progress, does not wait.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 2.0
"""Whoever waited so long is drawn all the same: a page that waits for the database holds nobody else up for longer."""

_turn = threading.Semaphore()


@contextmanager
def turn(patience: float = PATIENCE_SECONDS) -> Iterator[bool]:
    """Wait for the page before, then draw. What it gives is whether the wait came to its end."""
    has_it = _turn.acquire(timeout=patience)
    try:
        yield has_it
    finally:
        if has_it:
            _turn.release()
