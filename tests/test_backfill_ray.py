"""The same rows from a real Ray cluster on this machine as from one process, though a worker of it is killed in the middle.

Two machines of a core each, as Ray sees them. Where Ray is not installed these tests skip.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from backfill_samples import READER, asking, judge, named, old, record, rows, run, write
from cli_help import scout
from scripted_server import ScriptedServer

# Read when Ray is loaded: no statistics, a busy machine, and loopback only (see scout/backfill/ray_engine.py).
os.environ |= {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_raylet_start_wait_time_s": "120",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
pytest.importorskip("ray", reason='Ray is not installed (pip install "scout[ray]")')

from scout.backfill import local, ray_engine
from scout.backfill.chunks import Selection, Tally, chunks
from scout.backfill.folder import DECISIONS
from scout.backfill.judge import Judge
from scout.config import ConfigError
from scout.config import load as load_settings
from scout.store import Store
from scout.triage.recipes import Fitted

SIZE = 200
MARK = "SCOUT_TEST_BACKFILL"
"""In the environment of a process and of what it starts: other tests may have a cluster at the same time."""
NOW = datetime(2025, 12, 2, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Its address."""
    from ray.cluster_utils import Cluster

    alone: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 << 20, "node_ip_address": "127.0.0.1"}
    made = Cluster(initialize_head=True, head_node_args={**alone, "include_dashboard": False})
    made.add_node(**alone)
    yield made.address
    made.shutdown()


@pytest.fixture(scope="module")
def connected(cluster: str) -> Iterator[str]:
    """The same, with this process a part of it: the workers of one test serve the next."""
    import ray

    ray.init(address=cluster, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    yield cluster
    ray.shutdown()


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("papers") / "papers.jsonl.gz", (record(old(n)) for n in range(3000)))


@pytest.fixture(scope="module")
def expected(papers: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What one process makes of them."""
    folder = tmp_path_factory.mktemp("local")
    run(folder, local.engine(1), papers, size=SIZE)
    return (folder / DECISIONS).read_bytes()


def test_a_cluster_of_two_gives_the_rows_of_one_process(
    cluster: str, papers: Path, expected: bytes, tmp_path: Path
) -> None:
    report = run(tmp_path, ray_engine.engine(None, cluster), papers, size=SIZE)
    assert (report.decided, report.is_done) == (3000, True)
    assert (tmp_path / DECISIONS).read_bytes() == expected


def test_with_a_worker_killed_amid_its_chunk_the_rows_are_the_same(
    connected: str, papers: Path, expected: bytes, tmp_path: Path
) -> None:
    engine, dead = ray_engine.engine(None, connected), tmp_path / "dead"

    class Deadly(Judge):
        """Ends the first process that judges by it."""

        def policy(self) -> Fitted:
            with suppress(FileExistsError):
                dead.touch(exist_ok=False)
                os.kill(os.getpid(), signal.SIGKILL)
            return Judge.policy(self)

    def disturbed(todo: Any, judge: Judge) -> Any:
        return engine(todo, Deadly(judge.reader, judge.recipe, judge.version, judge.weights))

    report = run(tmp_path / "out", disturbed, papers, size=SIZE)
    assert dead.exists()
    assert (report.decided, report.is_done) == (3000, True)
    assert (tmp_path / "out" / DECISIONS).read_bytes() == expected


def test_a_backfill_begun_on_one_machine_goes_on_on_many(
    connected: str, papers: Path, expected: bytes, tmp_path: Path
) -> None:
    def stopped(todo: Any, judge: Any) -> Any:
        for number, judged in enumerate(local.engine(1)(todo, judge)):
            if number == 4:
                raise KeyboardInterrupt
            yield judged

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stopped, papers, size=SIZE)
    report = run(tmp_path, ray_engine.engine(2, connected), papers, size=SIZE)
    assert (report.kept, report.decided) == (4 * SIZE, 3000 - 4 * SIZE)
    assert (tmp_path / DECISIONS).read_bytes() == expected


def test_a_model_asked_by_many_workers_gives_the_rows_that_one_gets(
    connected: str, tmp_path: Path, server: ScriptedServer
) -> None:
    papers = write(tmp_path / "papers.jsonl", (record(old(n)) for n in range(120)))
    by = asking(server.base_url)
    run(tmp_path / "ray", ray_engine.engine(None, connected), papers, by=by)
    run(tmp_path / "local", local.engine(1), papers, by=by)
    assert rows(tmp_path / "ray") == rows(tmp_path / "local")
    assert any(row["policy"].startswith("llm-1:scripted") for row in rows(tmp_path / "ray"))


def test_no_more_chunks_are_under_way_than_the_workers_have_room_for(connected: str, papers: Path) -> None:
    taken = list[int]()

    def watched() -> Any:
        for chunk in chunks(named([papers]), Selection(), Tally(), size=SIZE):
            taken.append(chunk.number)
            yield chunk

    outcomes = ray_engine.engine(1, connected)(watched(), judge())
    next(outcomes)
    assert taken == [0, 1], "one worker, two chunks: the file is read as it is needed"
    outcomes.close()


def test_without_a_cluster_the_command_starts_one_and_ends_it(papers: Path) -> None:
    with Store(load_settings().database) as store:
        store.items.add([old(n) for n in range(1, 60)], NOW)
        store.readers.ensure(READER, NOW)
    given = [str(papers), "--limit", "900", "--json"]
    alone = [sys.executable, "-m", "scout", "backfill", *given, "--engine", "ray", "--workers", "1"]
    environment = {**os.environ, MARK: str(papers)}
    done = json.loads(subprocess.run(alone, env=environment, check=True, capture_output=True).stdout)
    assert (done["decided"], done["engine"]) == (900, "ray")
    assert not any(environment_of(each).get(MARK) == str(papers) for each in raylets()), "its cluster is still there"
    again = scout("backfill", *given).json
    assert (again["decided"], again["months"]) == (0, done["months"])


def environment_of(process: psutil.Process) -> dict[str, str]:
    """Empty where it has ended."""
    try:
        return process.environ()
    except psutil.Error:
        return {}


def raylets() -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["name"]) if each.info["name"] == "raylet"]


def test_where_no_cluster_answers_it_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def refused(*args: Any, **given: Any) -> None:
        raise ConnectionError(f"nobody at {given['address']}")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refused)  # Ray itself tries for minutes
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1 .*ray start --head"):
        list(ray_engine.engine(None, "127.0.0.1:1")([], judge()))
