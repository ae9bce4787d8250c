"""Ends a server whose starter is gone, however that ended; and what names a process, for `launch` too. Standard library alone.

As a program it reads a process, and when that began, from its input, and waits for the input to end. The kernel ends it with
its starter, killed or not, at any time of the server's start. A server that still runs by then is asked to end, and then made
to, with all processes of its group: many a server hears nothing while it loads.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 10.0
_HAS_PROC = Path("/proc/self/stat").exists()


def started(pid: int) -> str:
    """When a process began, by the kernel's count: with its number it names it for good. Empty where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        if _HAS_PROC:
            return ""
        with suppress(OSError):
            os.kill(pid, 0)
            return "there"
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def end_group(group: int) -> None:
    """Kill what is left of a process group. Its number is nobody else's as long as one of it lives."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def main() -> None:
    os.setsid()  # Ctrl-C at a terminal is the starter's to handle
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    told = sys.stdin.readline().split()
    while sys.stdin.readline():
        pass
    if len(told) == 2:
        end(int(told[0]), told[1])


def end(pid: int, began: str) -> None:
    """End the process and its group, unless the number is another's by now."""
    if started(pid) == began:
        with suppress(OSError):
            os.kill(pid, signal.SIGTERM)
    ends = time.monotonic() + GRACE_SECONDS
    while started(pid) == began and time.monotonic() < ends:
        time.sleep(0.1)
    if started(pid) in (began, ""):
        end_group(pid)


if __name__ == "__main__":
    main()
