"""Read feeds in other processes, each with a limit on its memory and its time, so that no feed can take this one down.

What is read and how is `parse`'s. The processes start with the first feed and import little more than feedparser.
"""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import BrokenExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from types import TracebackType
from typing import Self

from pebble import ProcessExpired, ProcessPool

from scout.config import Net
from scout.items import OutcomeKind
from scout.net.errors import FetchError
from scout.sources import parse as worker
from scout.sources.parsed import MAX_ENTRIES, ParsedFeed, Unreadable

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
"""Never a plain fork: this process has threads, whose locks a fork would copy as they happen to stand."""


class ParserPool:
    """Thread-safe; lazily started; a context manager that stops its processes."""

    def __init__(self, net: Net, *, workers: int = 2) -> None:
        self._net = net
        self._workers = workers
        self._pool: ProcessPool | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Have the processes running before the first feed comes."""
        feed = b"<rss version='2.0'><channel><title>warm</title></channel></rss>"
        pool = self._running()
        for future in [pool.schedule(worker.parse, args=(feed, "", "")) for _ in range(2 * self._workers)]:
            future.result()

    def parse(self, data: bytes, content_type: str, url: str, *, limit: int = MAX_ENTRIES) -> ParsedFeed:
        """The feed in `data`, at most `limit` of its entries.

        Raises:
            FetchError: UNREADABLE, TOO_SLOW or TOO_LARGE; ERROR where the processes themselves fail.
        """
        for attempt in (1, 2):
            pool = self._running()
            try:
                return self._result(pool, data, content_type, url, limit)
            except BrokenExecutor as err:  # somebody ended an idle process
                self._drop(pool)
                if attempt == 2:
                    raise FetchError(OutcomeKind.ERROR, f"the processes that read feeds do not stay up: {err}") from err
        raise AssertionError("unreachable")

    def close(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool:
            _stop(pool)

    def _result(self, pool: ProcessPool, data: bytes, content_type: str, url: str, limit: int) -> ParsedFeed:
        net = self._net
        future = pool.schedule(
            worker.parse, args=(data, content_type, url), kwargs={"limit": limit}, timeout=net.parse_seconds
        )
        try:
            found = future.result()
        except Unreadable as err:
            raise FetchError(OutcomeKind.UNREADABLE, str(err)) from err
        except (TimeoutError, FutureTimeout) as err:
            message = f"reading it took longer than {net.parse_seconds:g} s (net.parse_seconds)"
            raise FetchError(OutcomeKind.TOO_SLOW, message) from err
        except (MemoryError, ProcessExpired) as err:
            message = f"reading it needs more than {net.parse_megabytes} MB (net.parse_megabytes)"
            raise FetchError(OutcomeKind.TOO_LARGE, message) from err
        except BrokenExecutor:
            raise
        except RecursionError as err:
            raise FetchError(OutcomeKind.UNREADABLE, "nested too deeply to be read") from err
        except Exception as err:
            message = f"the reader stumbled over it: {type(err).__name__}: {str(err)[:200]}"
            raise FetchError(OutcomeKind.UNREADABLE, message) from err
        assert isinstance(found, ParsedFeed)
        return found

    def _running(self) -> ProcessPool:
        with self._lock:
            if self._pool is None:
                context = multiprocessing.get_context(_METHOD)
                if _METHOD == "forkserver":
                    context.set_forkserver_preload([worker.__name__])
                self._pool = ProcessPool(
                    max_workers=self._workers,
                    context=context,
                    initializer=limit_memory,
                    initargs=(self._net.parse_megabytes,),
                )
            return self._pool

    def _drop(self, pool: ProcessPool) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        _stop(pool)


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def limit_memory(megabytes: int) -> None:
    """Bound the address space of this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
