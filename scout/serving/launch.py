"""Start vLLM, wait until it answers, end it: the one place where its process is known.

A server is a process group of its own, which ends with whoever started it (`warden` sees to that), and is written down in a
small file beside its log. What that file says of a server that was killed is found out and cleared away, leftover engine
processes with it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from scout.serving import warden
from scout.serving.command import ADDRESS, KEY_VARIABLE, Command
from scout.serving.startup import KILLED, Stage, advice, stage_of
from scout.serving.warden import end_group, started

LOG_NAME = "model-server.log"
RECORD_NAME = "model-server.json"
END_SECONDS = 20.0
"""How long a server may take to end when asked, before it is made to."""
END_EARLY_SECONDS = 3.0
"""The same for one that has not answered yet: it has nothing to finish, and while it loads it often hears nothing."""
TAIL_LINES = 25


class LaunchError(Exception):
    """A server that could not be started. The message says why, as far as its log tells, and what to do."""


class Taken(LaunchError):
    """Another process listens there."""


@dataclass(frozen=True, slots=True)
class Record:
    """A server that was started: its process (also its group), when that began by the kernel's count, and what it serves."""

    pid: int
    started: str
    url: str
    model: str


class Server:
    """A vLLM of ours. `with Server.start(...) as server: server.wait(...)` ends it in every case."""

    def __init__(
        self, process: subprocess.Popen[bytes], watch: subprocess.Popen[str], command: Command, folder: Path
    ) -> None:
        self.process, self.command, self.folder = process, command, folder
        self.log = folder / LOG_NAME
        self._watch = watch
        self._has_answered = False

    @classmethod
    def start(cls, command: Command, folder: Path, *, model: str, key: str = "") -> Self:
        """Start it, its words going to the log in `folder`.

        Raises:
            Taken: somebody listens on its port.
            LaunchError: its program is not there.
        """
        folder.mkdir(parents=True, exist_ok=True)
        clear_stale(folder)
        _check_free(command, folder)
        env = {**os.environ, **command.env, "PYTHONUNBUFFERED": "1"}
        env.pop(KEY_VARIABLE, None)
        if key:
            env[KEY_VARIABLE] = key
        watch = _watch()
        with open(folder / LOG_NAME, "wb") as log:
            try:
                process = subprocess.Popen(
                    command.argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    start_new_session=True,
                )  # fmt: skip
            except OSError as err:
                _dismiss(watch)
                raise LaunchError(f"{command.argv[0]} cannot be run: {err.strerror}") from err
        record = Record(process.pid, started(process.pid), command.url, model)
        _tell(watch, record)
        (folder / RECORD_NAME).write_text(json.dumps(asdict(record)), encoding="utf-8")
        return cls(process, watch, command, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def healthy(self) -> bool:
        """Whether it answers."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.command.root}/health", timeout=2.0, trust_env=False).status_code == 200
        return False

    def wait(
        self, seconds: float, *, on_stage: Callable[[Stage], None] = lambda stage: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> bool:  # fmt: skip
        """Wait until it answers, telling each stage that its log shows; False where `stopped` became true first.

        Raises:
            LaunchError: it ended, or has not answered in time; the message holds the end of its log.
        """
        deadline = time.monotonic() + seconds
        shown: Stage | None = None
        while not stopped():
            answers = self._has_answered = self.healthy()
            if (now := stage_of(self.tail(200))) and now != shown:
                shown = now
                on_stage(now)
            if answers:
                return True
            if not self.alive:
                raise LaunchError(self.why(f"vLLM ended with status {self.process.returncode} before it answered"))
            if time.monotonic() > deadline:
                raise LaunchError(self.why(f"vLLM has not answered within {seconds:.0f} s"))
            time.sleep(0.25)
        return False

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The end of its log."""
        with suppress(OSError), open(self.log, "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 400 * lines))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-lines:])
        return ""

    def why(self, what: str) -> str:
        hint = advice(self.tail(400)) or (KILLED if self.process.poll() == -signal.SIGKILL else "")
        return f"{what}{f'. {hint}' if hint else ''}. The end of {self.log}:\n{self.tail()}"

    def stop(self) -> None:
        """End it and all its processes, kindly first."""
        if self.alive:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(END_SECONDS if self._has_answered else END_EARLY_SECONDS)
        end_group(self.process.pid)
        self.process.wait()
        _dismiss(self._watch)
        (self.folder / RECORD_NAME).unlink(missing_ok=True)


def running(folder: Path) -> Record | None:
    """The server written down in `folder`, if it still runs."""
    record = _record(folder)
    return record if record is not None and record.started == started(record.pid) != "" else None


def clear_stale(folder: Path) -> bool:
    """Forget a server that was killed, and end what is left of its processes; True where there was one."""
    record = _record(folder)
    if record is None or running(folder) is not None:
        return False
    if not started(record.pid):  # a process of that number today would be another's, and its group too
        end_group(record.pid)
    (folder / RECORD_NAME).unlink(missing_ok=True)
    return True


def _record(folder: Path) -> Record | None:
    try:
        return Record(**json.loads((folder / RECORD_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _watch() -> subprocess.Popen[str]:
    """The process that ends the server when we are gone; started before it, so that it need only be told which."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(warden.__file__)], stdin=subprocess.PIPE, text=True, bufsize=1
    )


def _tell(watch: subprocess.Popen[str], record: Record) -> None:
    if watch.stdin is not None:
        with suppress(OSError):
            watch.stdin.write(f"{record.pid} {record.started}\n")


def _dismiss(watch: subprocess.Popen[str]) -> None:
    """It finds the server gone and ends."""
    if watch.stdin is not None:
        with suppress(OSError):
            watch.stdin.close()
    watch.wait()


def _check_free(command: Command, folder: Path) -> None:
    port = int(command.root.rsplit(":", 1)[1])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as err:
            ours = running(folder)
            known = f"it is {ours.model}, started by scout (process {ours.pid})" if ours else "it is not one of ours"
            raise Taken(
                f"something listens on {ADDRESS}, port {port}, already: {known}. Choose another --port"
            ) from err
