"""`scout dashboard` and `scout work`: two processes that start, and end, together."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from cli_help import scout

from scout.cli import serve
from scout.clock import now
from scout.config import load
from scout.config.access import Access
from scout.exit_codes import Exit
from scout.locks import Locked, held
from scout.store import Store
from scout.store.jobs import JobState


def until(true: Callable[[], object], *, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[psutil.Popen, int]]:
    """A dashboard that has said where it is."""
    port = free_port()
    with (tmp_path / "err").open("w") as err:
        process = psutil.Popen(
            [sys.executable, "-m", "scout", "dashboard", "--port", str(port), "--no-browser"],
            stdout=subprocess.PIPE, stderr=err, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    family: list[psutil.Process] = []
    try:
        said = process.stdout.readline()
        assert re.search(rf"http://127\.0\.0\.1:{port}\b", said), said + (tmp_path / "err").read_text()
        until(worker_runs)
        family = process.children(recursive=True)
        yield process, port
    finally:
        for one in [process, *family]:
            if one.is_running():
                one.kill()
        process.wait()


def worker_runs() -> bool:
    try:
        with held(load(), "worker"):
            return False
    except Locked:
        return True


def answers(port: int) -> bool:
    try:
        return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).read() == b"ok")
    except OSError:
        return False


def test_it_serves_does_what_pages_ask_and_ends_when_told(served: tuple[psutil.Popen, int]) -> None:
    process, port = served
    assert answers(port)
    settings = load()
    with Store(settings.database) as store:
        job = store.jobs.ask("import-opml", {"text": "no list"}, now())
        until(lambda: (row := store.jobs.get(job)) and row.state is JobState.FAILED)
    family = process.children(recursive=True)
    assert len(family) >= 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) == 0
    assert not any(child.is_running() for child in family)
    assert not answers(port)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends Streamlit when its parent is killed")
def test_when_it_is_killed_nothing_of_it_stays(served: tuple[psutil.Popen, int]) -> None:
    process, port = served
    family = process.children(recursive=True)
    process.kill()
    process.wait()
    until(lambda: not any(child.is_running() for child in family))
    assert not answers(port)
    assert not worker_runs()


def test_a_port_that_is_taken_is_said_so_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = scout("dashboard", "--port", str(taken.getsockname()[1]), "--no-browser")
    assert result.code == Exit.LATER
    assert "--port" in result.err


def test_an_address_that_is_not_ours_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in (
        ("LOGIN", "proxy"),
        ("READERS", '["*"]'),
        ("PROXIES", '["10.0.0.1"]'),
        ("HOSTS", '["a.example"]'),
    ):
        monkeypatch.setenv(f"SCOUT_ACCESS__{key}", value)
    assert "cannot listen on 192.0.2.1" in scout("dashboard", "--address", "192.0.2.1", "--no-browser").err


def test_streamlit_is_started_careful(tmp_path: Path) -> None:
    words = serve._streamlit(tmp_path / "app.py", serve.Place("127.0.0.1", 8501), Access())
    for option in (
        "--server.address=127.0.0.1",
        "--server.headless=true",
        "--server.enableXsrfProtection=true",
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=none",
        "--server.enableAgentApi=false",
        "--server.allowedHosts=127.0.0.1",
    ):
        assert option in words


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
    ],
)
def test_the_address_that_is_printed_can_be_opened(address: str, url: str) -> None:
    assert serve.Place(address, 80).url == url


def test_a_worker_that_dies_is_started_anew() -> None:
    worker = serve.Worker([sys.executable, "-c", "raise SystemExit(1)"], restart_seconds=0)
    worker.keep()
    assert worker.process is not None
    first = worker.process.pid
    worker.process.wait()
    worker.keep()
    assert worker.process.pid != first
    worker.end()


def test_where_another_worker_serves_this_data_none_is_started_again() -> None:
    worker = serve.Worker([sys.executable, "-c", "raise SystemExit(75)"], restart_seconds=0)
    worker.keep()
    assert worker.process is not None
    first = worker.process.pid
    worker.process.wait()
    worker.keep()
    worker.keep()
    assert worker.process.pid == first


def test_work_once_does_what_waits() -> None:
    settings = load()
    assert "No job waits" in scout("work", "--once").out
    with Store(settings.database) as store:
        store.jobs.ask("import-opml", {"text": "no list"}, now())
    assert "1 done." in scout("work", "--once").out
    with held(settings, "worker"):
        assert scout("work", "--once").code == Exit.LATER
