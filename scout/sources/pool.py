"""Read feeds, mails and pages of arXiv's records in other processes, each with a limit on its memory and its time, so that none
can take this one down.

A process is this interpreter running `worker`, started anew: a fork would copy the locks of our threads as they happen to
stand, and multiprocessing's other ways import the whole main program again. What is read and how is `parse`'s, `letters`' and
`oai`'s.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Self

from scout.config import Net
from scout.items import OutcomeKind
from scout.memory import bare_environment
from scout.net.errors import FetchError
from scout.sources import letters, oai
from scout.sources.letters import Letter
from scout.sources.parsed import MAX_ENTRIES, ParsedFeed, from_dict

_START_SECONDS = 30.0


class ParserPool:
    """Thread-safe; processes start as they are needed, at most `workers`; a context manager that ends them."""

    def __init__(self, net: Net, *, workers: int = 2) -> None:
        self._net = net
        self._all: list[_Worker] = []
        self._lock = threading.Lock()
        # The last one returned is taken first: one feed at a time needs one process.
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Have all processes running before the first feed comes."""
        taken = [self._idle.get() for _ in range(self._idle.qsize())]
        for worker in taken:
            self._idle.put(worker if worker and worker.is_alive() else self._start())

    def parse(self, data: bytes, content_type: str, url: str, *, limit: int = MAX_ENTRIES) -> ParsedFeed:
        """The feed in `data`, which came from `url`: at most `limit` of its entries.

        Raises:
            FetchError: UNREADABLE, TOO_SLOW or TOO_LARGE; ERROR where the processes themselves do not run.
        """
        told = {"content_type": content_type, "url": url, "limit": limit}
        return from_dict(self._read("feed", data, told))

    def letter(self, data: bytes) -> Letter:
        """The mail in `data`.

        Raises:
            FetchError: as `parse`.
        """
        return letters.from_dict(self._read("letter", data, {}))

    def records(self, data: bytes) -> oai.Page:
        """The page of arXiv's records in `data`.

        Raises:
            FetchError: as `parse`.
        """
        return oai.from_dict(self._read("records", data, {}))

    def _read(self, kind: str, data: bytes, told: dict[str, Any]) -> dict[str, Any]:
        """What a process made of `data`. Raises as `parse`."""
        request = {"kind": kind, "size": len(data), **told}
        worker = self._idle.get()
        try:
            if worker is None or not worker.is_alive():
                worker = self._start()
            reply = worker.ask(request, data, self._net.parse_seconds)
        finally:
            self._idle.put(worker)
        if reply is None:
            if worker.ran_out_of_time:
                message = f"reading it took longer than {self._net.parse_seconds:g} s (net.parse_seconds)"
                raise FetchError(OutcomeKind.TOO_SLOW, message)
            reply = {"too_large": True}  # nothing else ends a process in the middle of its reading
        if "too_large" in reply:
            message = f"reading it needs more than {self._net.parse_megabytes} MB (net.parse_megabytes)"
            raise FetchError(OutcomeKind.TOO_LARGE, message)
        if "unreadable" in reply:
            raise FetchError(OutcomeKind.UNREADABLE, str(reply["unreadable"]))
        return dict(reply["read"])

    def close(self) -> None:
        with self._lock:
            workers, self._all = self._all, []
        for worker in workers:
            worker.stop()

    def _start(self) -> _Worker:
        worker = _Worker(self._net.parse_megabytes)
        with self._lock:
            self._all = [old for old in self._all if old.is_alive()] + [worker]
        return worker


class _Worker:
    """One process. Used by one thread at a time."""

    def __init__(self, megabytes: int) -> None:
        """Start it and wait until it is ready.

        Raises:
            FetchError: ERROR if it does not start.
        """
        self.ran_out_of_time = False
        command = [sys.executable, "-m", "scout.sources.worker", str(megabytes)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=bare_environment(),
            )
        except OSError as err:
            raise FetchError(OutcomeKind.ERROR, f"the process that reads feeds does not start: {err}") from err
        if self._exchange(b"", _START_SECONDS) is None:
            message = f"the process that reads feeds does not start; to see why: {' '.join(command)} </dev/null"
            raise FetchError(OutcomeKind.ERROR, message)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], data: bytes, seconds: float) -> dict[str, Any] | None:
        """The reply, or None if the process ended over it: in `seconds`, or by itself."""
        return self._exchange(json.dumps(request).encode() + b"\n" + data, seconds)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # what was still to be written has nobody to read it
                continue

    def _exchange(self, words: bytes, seconds: float) -> dict[str, Any] | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        clock = threading.Timer(seconds, self._time_is_up)
        clock.daemon = True
        clock.start()
        try:
            if words:
                self._process.stdin.write(words)
                self._process.stdin.flush()
            line = self._process.stdout.readline()
            reply = json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError):
            reply = None
        finally:
            clock.cancel()
        if not isinstance(reply, dict):
            self.stop()
            return None
        return reply

    def _time_is_up(self) -> None:
        self.ran_out_of_time = True
        self._process.kill()
