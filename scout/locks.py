"""One run at a time, one worker at a time, over all processes that share a data directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from scout.config import Settings


class Locked(Exception):
    """Another process is at it; the message names the lock."""


@contextmanager
def held(settings: Settings, name: str) -> Iterator[Path]:
    """Hold the lock `name` (`run`, `worker`) of this data directory.

    Raises:
        Locked: another process holds it. A lock whose holder died is free: the operating system lets go of it.
    """
    path = settings.data_dir / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Locked(
            f"another scout {name} is under way in {settings.data_dir}; try again when it has finished"
        ) from None
    try:
        yield path
    finally:
        lock.release()
