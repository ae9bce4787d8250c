"""The engine of one machine: here in this process, or in several of its own. `judged` does the work."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import connection, get_context, parent_process

from scout.backfill.chunks import Chunk
from scout.backfill.engine import AHEAD, Engine, EngineStopped
from scout.backfill.judge import Judge, Judged, judged


def engine(workers: int) -> Engine:
    """With one worker no process is started."""
    if workers == 1:
        return lambda chunks, judge: (judged(chunk, judge) for chunk in chunks)
    return lambda chunks, judge: _in_processes(chunks, judge, workers)


def _in_processes(chunks: Iterable[Chunk], judge: Judge, workers: int) -> Generator[Judged, None, None]:
    # Started anew, not forked: a fork would copy locks of our threads as they stand.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (judge,))
    queue, running = iter(chunks), set[Future[Judged]]()
    try:
        while True:
            running |= {pool.submit(_judged, chunk) for chunk in islice(queue, AHEAD * workers - len(running))}
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                yield each.result()
    except BrokenProcessPool as err:
        said = "a worker process ended (killed, or out of memory?); what was decided is kept: run it again, with fewer --workers"
        raise EngineStopped(said) from err
    finally:
        pool.shutdown(cancel_futures=True)


_judge: Judge


def _start(judge: Judge) -> None:
    global _judge
    _judge = judge
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _judged(chunk: Chunk) -> Judged:
    return judged(chunk, _judge)
