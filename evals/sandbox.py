"""Runs a Python program that nobody trusts: no network, a read-only root without the reader's files, little of everything.

Linux namespaces do it (`sandbox_init`); where the machine offers none, nothing is run. What is not defended against: a hole
in the kernel itself. Judging what the program printed is the caller's: it may print anything.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

INIT = Path(__file__).with_name("sandbox_init.py")
SHOWN = ("/usr", "/bin", "/lib", "/lib64", "/lib32")
"""Of the machine, read-only, with Python's own folder. Nobody's files lie there."""
REFUSED = 126
FIRST_UID = 2_000_000


class NoIsolation(RuntimeError):
    """This machine offers no namespaces to us; nothing was run."""


class End(StrEnum):
    DONE = "done"
    FAILED = "failed"
    TOO_SLOW = "too slow"
    TOO_MUCH = "prints too much"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    seconds: float = 5.0
    """By the clock; computing time is limited to the next whole second."""
    memory: int = 512 << 20
    """Bytes of address space, of each process."""
    processes: int = 8
    disk: int = 8 << 20
    """Bytes in /tmp, the only place that can be written."""
    output: int = 256 << 10


@dataclass(frozen=True, slots=True)
class Ran:
    end: End
    out: str
    err: str
    code: int


def run(program: str, files: Mapping[str, str] | None = None, *, limits: Limits | None = None) -> Ran:
    """Runs a program, with files beside it in /box, and waits for its end or for a limit. Never raises for what it does.

    Raises:
        NoIsolation: it was not run.
    """
    limits = limits or Limits()
    folder = Path(tempfile.mkdtemp(prefix="scout-sandbox-"))
    try:
        (folder / "root").mkdir()
        config = {
            "shown": [*SHOWN, *_python()], "files": {**(files or {}), "program.py": program}, "disk": limits.disk,
            "memory": limits.memory, "cpu": int(limits.seconds) + 1, "processes": limits.processes,
            "uid": FIRST_UID + int.from_bytes(os.urandom(3), "big"),
            "command": [os.path.realpath(sys.executable), "-I", "-B", "-S", "/box/program.py"],
        }  # fmt: skip
        text = json.dumps(config).encode("utf-8", "replace")
        (folder / "config.json").write_bytes(text)
        ran = _watched([sys.executable, "-I", "-S", str(INIT), str(folder)], limits)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if ran.code == REFUSED and ran.err.startswith("sandbox: "):
        raise NoIsolation(ran.err.removeprefix("sandbox: ").strip()[:200])
    return ran


def _python() -> list[str]:
    """Python's own folder, where it is not among the machine's. A virtual environment's packages are not shown."""
    prefix = os.path.realpath(sys.base_prefix)
    return [] if prefix.startswith("/usr/") or prefix == "/usr" else [prefix]


def _watched(command: list[str], limits: Limits) -> Ran:
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={}, start_new_session=True
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stderr is not None
    kept = {child.stdout.fileno(): b"", child.stderr.fileno(): b""}
    out, err = list(kept)
    waiting, deadline, end = set(kept), time.monotonic() + limits.seconds, End.DONE
    while waiting:
        left = deadline - time.monotonic()
        ready = select.select(waiting, [], [], max(0.0, left))[0] if left > 0 else []
        if not ready:
            end = End.TOO_SLOW
            break
        for pipe in ready:
            more = os.read(pipe, 65_536)
            kept[pipe] += more
            if not more:
                waiting.discard(pipe)
        if max(map(len, kept.values())) > limits.output:
            end = End.TOO_MUCH
            break
    if end is End.DONE:
        try:
            child.wait(max(0.05, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            end = End.TOO_SLOW
    _kill(child)
    if end is End.DONE and child.returncode:
        end = End.FAILED
    told = [kept[pipe][: limits.output].decode("utf-8", "replace") for pipe in (out, err)]
    return Ran(end, told[0], told[1], child.returncode)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Ends the sandbox and all in it: its processes end with their first one, which ends with its parent."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe:
            pipe.close()


@lru_cache
def unavailable() -> str:
    """Why nothing can be run here; empty where a small program was."""
    if not sys.platform.startswith("linux"):
        return "runs code only where Linux namespaces isolate it; nothing is run without"
    try:
        ran = run("print(6 * 7)", limits=Limits(seconds=30))
    except NoIsolation as err:
        return (
            f"this machine offers no isolation for code ({err}); allow unprivileged user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1) or run it in a container that does"
        )
    return "" if ran.out == "42\n" else f"the sandbox did not run a small program ({ran.end}: {ran.err.strip()[-120:]})"
