"""The log: one JSON object a line, in `settings.log_file`, each with the id of the run it belongs to.

Events are written through `logging` with fields: `log.info("polled", extra={"source": id, "outcome": kind})`. Several
processes write to one file at once (a run, the worker, the dashboard), each line in one go; whoever finds it too large
puts it aside under a lock, and the others notice. This module never stops the work: where the log cannot be written,
one line on stderr says so.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path

MAX_BYTES = 5_000_000
KEEP = 3
"""Older files kept: log.jsonl.1 (the newest of them) to log.jsonl.3."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_current: list[str] = []
_lock = threading.Lock()


@contextmanager
def running(run: str) -> Iterator[None]:
    """Lines written meanwhile, by any thread of this process, carry this run's id."""
    with _lock:
        _current.append(run)
    try:
        yield
    finally:
        with _lock:
            _current.remove(run)


class JsonLines(logging.Formatter):
    """A record as one line: when, level, logger, event, run, then the record's own fields, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            "run": _current[-1] if _current else None,
            "pid": record.process,
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


class SharedFileHandler(WatchedFileHandler):
    """Appends to a file that others append to and put aside as well."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> None:
        super().__init__(path, encoding="utf-8", delay=True)  # nothing is made on disk before there is something to say
        self.path, self.max_bytes, self.keep = path, max_bytes, keep
        self.complained = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._size() >= self.max_bytes:
                self._put_aside()
            super().emit(record)
        except OSError:
            self.handleError(record)

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0  # not begun yet, or another process put it aside this very moment

    def _put_aside(self) -> None:
        from filelock import FileLock, Timeout

        try:
            with FileLock(f"{self.path}.lock", timeout=0):
                if self._size() < self.max_bytes:
                    return  # someone else just did it
                for number in range(self.keep - 1, 0, -1):
                    older = Path(f"{self.path}.{number}")
                    if older.exists():
                        older.replace(f"{self.path}.{number + 1}")
                os.replace(self.path, f"{self.path}.1")
        except Timeout:
            return  # someone else is doing it

    def handleError(self, record: logging.LogRecord) -> None:
        if not self.complained:
            self.complained = True
            print(f"scout: the log {self.path} cannot be written: {sys.exc_info()[1]}", file=sys.stderr)


def start(path: Path, *, level: int = logging.INFO) -> None:
    """Send what this process logs to `path`, and nothing to the terminal. A second call with the same path changes nothing."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, SharedFileHandler):
            if handler.path == path:
                return
            root.removeHandler(handler)
            handler.close()
    handler = SharedFileHandler(path)
    handler.setFormatter(JsonLines())
    root.addHandler(handler)
    root.setLevel(logging.WARNING)  # of the libraries
    logging.getLogger("scout").setLevel(level)
    logging.captureWarnings(True)


def current_file() -> Path | None:
    """Where this process logs; None before `start`."""
    return next((h.path for h in logging.getLogger().handlers if isinstance(h, SharedFileHandler)), None)


def tail(path: Path, *, run: str | None = None, limit: int = 200) -> list[dict[str, object]]:
    """The newest lines, oldest first; of one run where given. A line that is no JSON object is passed over."""
    found: list[dict[str, object]] = []
    for file in (path, Path(f"{path}.1")):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in reversed(text.splitlines()):
            if len(found) == limit:
                break
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and (run is None or entry.get("run") == run):
                found.append(entry)
    return found[::-1]
