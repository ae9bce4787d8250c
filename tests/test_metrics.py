"""What Prometheus scrapes is true, names nobody, and is there when the database is not; /healthz says whether runs happen."""

from __future__ import annotations

import json
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cli_help import scout
from dashboard_store import DAYS, HOSTILE_TITLE, fill
from prometheus_client.parser import text_string_to_metric_families

from scout import clock
from scout.config import load
from scout.metrics.serve import server
from scout.store import Store

Set = Callable[[dict[str, str]], None]


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("metrics") / "scout.db"
    fill(path).close()
    return path


@pytest.fixture
def filled(three_days: Path, tmp_path: Path, setenv: Set) -> Path:
    setenv({"SCOUT_TODAY": DAYS[2].isoformat()})
    (tmp_path / "data").mkdir()
    return Path(shutil.copy(three_days, tmp_path / "data" / "scout.db"))


@pytest.fixture
def url() -> Iterator[str]:
    with server(load(), address="127.0.0.1", port=0) as serving:
        threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def asked(url: str, method: str = "GET") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as err:
        return err.code, err.read().decode()


def samples(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def run(days_ago: float, code: int) -> None:
    settings = load()
    with Store(settings.database) as store:
        at = clock.now() - timedelta(days=days_ago)
        id = store.runs.start("run", at)
        store.runs.finish(id, at + timedelta(seconds=90), exit_code=code,
                          stages=[{"name": "triage ada", "seconds": 2.0}, {"name": "triage me", "seconds": 3.0}])  # fmt: skip


def test_a_scrape_tells_what_is_stored(filled: Path, url: str) -> None:
    run(0.1, 0)
    status, text = asked(f"{url}/metrics")
    assert status == 200
    found = samples(text)
    with Store(filled, read_only=True) as store:
        stats = store.stats()
        assert found["scout_items"][()] == stats["items"]["total"] > 10
        assert {what[0]: n for what, n in found["scout_feedback_total"].items()} == {
            what.strip(): n for what, n in stats["feedback"].items()
        }
        states = {state[0]: n for state, n in found["scout_sources"].items() if n}
        assert states == stats["sources"]
        assert {lane[0]: n for lane, n in found["scout_decisions"].items()} == stats["decisions"]
    assert found["scout_up"][()] == 1
    assert found["scout_run_seconds"][()] == 90
    assert found["scout_run_stage_seconds"] == {("triage",): 5.0}
    assert found["scout_runs_total"][("0", "run")] >= 1
    assert found["scout_run_success_timestamp_seconds"] == found["scout_run_timestamp_seconds"]


def test_nobody_and_nothing_is_named(filled: Path, url: str) -> None:
    run(0.1, 0)
    text = asked(f"{url}/metrics")[1]
    with Store(filled, read_only=True) as store:
        private = [row.name for row in store.readers.all() if len(row.name) > 2] + [
            row.url for row in store.sources.all()
        ]
    assert [word for word in [*private, "ada", HOSTILE_TITLE, str(filled)] if word in text] == []


def test_without_a_database_it_is_down_and_says_so(url: str) -> None:
    assert samples(asked(f"{url}/metrics")[1])["scout_up"][()] == 0
    assert asked(f"{url}/healthz") == (503, '{"ok": false, "why": "no database"}\n')


@pytest.mark.parametrize(
    ("days_ago", "code", "status", "why"),
    [
        (0.1, 0, 200, "ok"),
        (0.1, 75, 200, "ok"),
        (3, 0, 503, "no run for two days"),
        (0.1, 1, 503, "the last run failed"),
    ],
    ids=["fine", "later", "stale", "failed"],
)
def test_health_is_whether_runs_happen(
    filled: Path, url: str, days_ago: float, code: int, status: int, why: str
) -> None:
    with Store(filled) as store:
        store.db.execute("DELETE FROM runs")
    run(days_ago, code)
    got, text = asked(f"{url}/healthz")
    assert (got, json.loads(text)["why"]) == (status, why)


def test_nothing_else_is_answered_and_nothing_is_taken(filled: Path, url: str) -> None:
    assert asked(f"{url}/")[0] == 404
    assert asked(f"{url}/metrics", "POST")[0] == 405


def test_the_command_prints_the_same_once(filled: Path) -> None:
    assert samples(scout("metrics", "--print").out)["scout_items"][()] > 10
