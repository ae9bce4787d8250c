"""One run at a time, one worker at a time, over all processes that share a data directory."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from scout.config import ConfigError, Settings
from scout.store import StoreError


class Locked(Exception):
    """Another process is at it; the message names the lock."""


@contextmanager
def held(settings: Settings, name: str) -> Iterator[Path]:
    """Hold the lock `name` (`run`, `worker`) of this data directory.

    Raises:
        Locked: another process holds it. A lock whose holder died is free: the operating system lets go of it.
        ConfigError: nothing can be written in that directory.
        StoreError: its disk is full.
    """
    path = settings.data_dir / f"{name}.lock"
    lock = FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Locked(
            f"another scout {name} is under way in {settings.data_dir}; try again when it has finished"
        ) from None
    except OSError as err:
        raise unusable(settings, err) from err
    try:
        yield path
    finally:
        lock.release()


def unusable(settings: Settings, err: OSError) -> ConfigError | StoreError:
    """What to tell of a data directory in which nothing can be made."""
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"{settings.data_dir}: the disk is full; free some space, nothing was lost")
    reason = err.strerror or type(err).__name__
    return ConfigError(
        f"data_dir: {settings.data_dir} cannot be used ({reason}); check who owns it, or set SCOUT_DATA_DIR to another folder"
    )
