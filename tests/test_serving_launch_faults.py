"""A server that hears nothing, is killed, dies or runs out of memory, or whose starter is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from launch_samples import ended_within, engine_of, loading, program, serving

from scout.serving import launch, warden
from scout.serving.launch import LaunchError, Server
from scout.serving.startup import advice


def test_a_signal_ends_a_server_that_hears_nothing_while_it_loads(tmp_path: Path) -> None:
    process = serving(tmp_path, "loads")
    server, engine = loading(process, tmp_path / "data")
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=launch.END_EARLY_SECONDS + 60)
    assert process.returncode == 0
    assert "Ending it" in said
    assert ended_within(60, server, engine)


def test_a_server_that_loads_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    process = serving(tmp_path, "engine")
    server, engine = loading(process, tmp_path / "data")
    process.kill()
    process.communicate()
    assert ended_within(60, server, engine), "it outlives who started it"


def test_one_that_hears_nothing_is_made_to_end_with_its_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warden, "GRACE_SECONDS", 0.2)
    line = program(tmp_path, "loads").argv
    deaf = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert deaf.stdout is not None
    engine = engine_of("".join(deaf.stdout.readline() for _ in range(3)))
    warden.end(deaf.pid, warden.started(deaf.pid))
    assert deaf.wait(60) == -signal.SIGKILL
    deaf.stdout.close()
    assert ended_within(60, engine)


def test_the_warden_leaves_another_process_of_the_same_number_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warden, "GRACE_SECONDS", 0.0)
    other = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    try:
        warden.end(other.pid, "1")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_server_that_the_system_kills_says_that_memory_may_be_short(tmp_path: Path) -> None:
    with (
        Server.start(program(tmp_path, "killed"), tmp_path / "data", model="x") as server,
        pytest.raises(LaunchError, match="want of memory: lower --memory, --max-length"),
    ):
        server.wait(60)


def test_a_server_that_dies_while_it_serves_shows_its_last_words_and_what_to_lower(tmp_path: Path) -> None:
    process = serving(tmp_path, "dies")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "vLLM ended by itself with status 1" in err
    assert "CUDA out of memory" in err
    assert "lower --max-length" in err


@pytest.mark.parametrize(
    "log",
    [
        "RuntimeError: Engine core initialization failed. Failed core proc(s): {'EngineCore': -9}",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory",
        "OSError: [Errno 12] Cannot allocate memory",
        "ValueError: Available memory on node 0 (1.2/23.4 GiB) is less than desired CPU memory utilization (0.92)",
    ],
    ids=["engine-killed", "allocator", "errno", "taken-by-others"],
)
def test_each_way_of_running_out_of_memory_says_what_to_lower(log: str) -> None:
    assert "lower --memory" in advice(log)
