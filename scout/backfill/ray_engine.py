"""The engine of many machines: every chunk a Ray task. The one file that imports Ray, and only when it is used.

Chunks go out from here and rows come back here, so that workers need no disk in common: two chunks a worker are under way,
and the judge is sent once to each machine. A task whose worker or machine dies is given to another one by Ray; `judged` gives
the same rows wherever it runs.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable
from itertools import islice
from typing import Any

from scout.backfill.chunks import Chunk
from scout.backfill.engine import AHEAD, Engine, EngineStopped
from scout.backfill.judge import Judge, Judged, judged
from scout.config import ConfigError

RETRIES = 5
"""How often Ray gives a chunk to another worker before it is the chunk that is suspected."""
OBJECT_BYTES = 512 << 20
"""Shared memory of a cluster that is started here; what is under way at once is a small part of it."""
_LOOK = 10.0
"""Seconds after which the number of cores is looked at again: a cluster grows and shrinks."""


def engine(workers: int | None, address: str | None) -> Engine:
    """On the cluster at `address` (or at RAY_ADDRESS), else on one that is started on this machine and ended again.

    Args:
        workers: cores to be used at the most; None for all there are.

    Raises:
        ConfigError: Ray is missing; when it is used, no cluster is at that address.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    ray = _ray(alone=address is None)
    return lambda chunks, judge: _on_cluster(ray, chunks, judge, workers, address)


def _on_cluster(
    ray: Any, chunks: Iterable[Chunk], judge: Judge, workers: int | None, address: str | None
) -> Generator[Judged, None, None]:
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, workers, address)
    try:
        sent = ray.put(judge)
        task = ray.remote(judged).options(num_cpus=1, max_retries=RETRIES)
        queue, running = iter(chunks), dict[Any, int]()
        while True:
            room = AHEAD * _cores(ray, workers) - len(running)
            running |= {task.remote(chunk, sent): chunk.number for chunk in islice(queue, max(0, room))}
            if not running:
                return
            done, _ = ray.wait(list(running), num_returns=1, timeout=_LOOK)
            for each in done:
                yield _result(ray, each, running.pop(each))
    finally:
        if ours:
            ray.shutdown()


def _connect(ray: Any, workers: int | None, address: str | None) -> None:
    """
    Raises:
        ConfigError: no cluster is there.
        EngineStopped: none starts.
    """
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address:
        try:
            ray.init(address=address, **quiet)
        except (ConnectionError, ValueError) as err:
            said = f"no Ray cluster answers at {address} ({err}); `ray start --head` starts one and prints its address"
            raise ConfigError(said) from err
        return
    try:
        ray.init(
            address="local", num_cpus=workers or os.cpu_count(), include_dashboard=False, object_store_memory=OBJECT_BYTES, **quiet
        )  # fmt: skip
    except Exception as err:  # Ray raises bare ones
        raise EngineStopped(f"Ray does not start on this machine ({err}); try again, or --engine local") from err


def _cores(ray: Any, workers: int | None) -> int:
    """How many tasks the cluster does at once now; one where none is left, since machines may come back."""
    there = max(1, int(ray.cluster_resources().get("CPU", 1)))
    return min(workers, there) if workers else there


def _result(ray: Any, reference: Any, number: int) -> Judged:
    try:
        found = ray.get(reference)
    except ray.exceptions.RayTaskError as err:
        raise err.as_instanceof_cause() from err  # a bug of ours, as where no worker is between
    except ray.exceptions.RayError as err:
        said = f"chunk {number} ended {RETRIES + 1} workers, or the cluster is gone ({type(err).__name__}); what was decided is kept"
        raise EngineStopped(f"{said}: run it again") from err
    assert isinstance(found, Judged)
    return found


def _ray(*, alone: bool) -> Any:
    """Ray, told before it is loaded what it takes from the environment only.

    It sends nobody statistics and has patience with a busy machine; `alone`, it listens on loopback, for whoever reaches it
    may run what they like. What keeps it there is named after the systems on which Ray does so by itself.
    """
    told = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": "120"}
    for name, value in (told | ({"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"} if alone else {})).items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise ConfigError('--engine ray needs Ray: pip install "scout[ray]"; --engine local needs nothing') from None
    return ray
