"""Bounds on a process that takes bytes from outside apart: its memory, what it may write, and what it is told of us."""

from __future__ import annotations

import os

_TOLD = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "LANG",
    "LC_ALL",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
)
"""What an interpreter needs to start; whatever else is in our environment may be a secret."""


def limit_memory(megabytes: int) -> None:
    """Bound the address space of this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


def confine(megabytes: int) -> None:
    """Bound this process for good, where the system can: its memory, and no byte into any file, a core dump included."""
    limit_memory(megabytes)
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bare_environment() -> dict[str, str]:
    """An environment for such a process: no key, no password, no proxy of ours is in it."""
    return {name: os.environ[name] for name in _TOLD if name in os.environ}
