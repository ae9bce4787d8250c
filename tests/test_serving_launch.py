"""Starting, waiting for and ending a server that behaves. What goes wrong is `test_serving_launch_faults`'s."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from launch_samples import engine_of, free_port, gone, program, serving

from scout.serving import launch
from scout.serving.command import Command
from scout.serving.launch import LaunchError, Server, Taken
from scout.serving.startup import Stage, advice, stage_of


def test_a_server_is_waited_for_and_ended(tmp_path: Path) -> None:
    stages: list[Stage] = []
    with Server.start(program(tmp_path, "well"), tmp_path / "data", model="x", key="sk-secret") as server:
        assert server.wait(60, on_stage=stages.append)
        record = launch.running(tmp_path / "data")
        assert record is not None
        assert (record.model, record.pid) == ("x", server.process.pid)
        assert "key: sk-secret marked" in server.tail()
        command_line = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        assert b"sk-secret" not in command_line
    assert Stage.LOADING in stages
    assert gone(server.process.pid)
    assert launch.running(tmp_path / "data") is None


def test_a_start_that_fails_says_why_and_what_to_do(tmp_path: Path) -> None:
    with (
        Server.start(program(tmp_path, "fails"), tmp_path / "data", model="x") as server,
        pytest.raises(LaunchError, match="status 3") as caught,
    ):
        server.wait(60)
    assert "CUDA out of memory" in str(caught.value)
    assert "--max-length" in str(caught.value)


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with (
        Server.start(program(tmp_path, "silent"), tmp_path / "data", model="x") as server,
        pytest.raises(LaunchError, match="has not answered within"),
    ):
        server.wait(0.3)
    assert gone(server.process.pid)


def test_waiting_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with Server.start(program(tmp_path, "silent"), tmp_path / "data", model="x") as server:
        assert server.wait(60, stopped=lambda: True) is False


def test_a_server_that_will_not_end_is_made_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "END_SECONDS", 0.2)
    with Server.start(program(tmp_path, "deaf"), tmp_path / "data", model="x") as server:
        server.wait(60)
    assert gone(server.process.pid)


def test_a_port_that_is_taken_is_told_with_whose_it_is(tmp_path: Path) -> None:
    port = free_port()
    with Server.start(program(tmp_path, "well", port), tmp_path / "data", model="first") as server:
        server.wait(60)
        with pytest.raises(Taken, match="first"):
            Server.start(program(tmp_path, "well", port), tmp_path / "data", model="second")
        with pytest.raises(Taken, match="not one of ours"):
            Server.start(program(tmp_path, "well", port), tmp_path / "elsewhere", model="second")


def test_what_a_killed_server_leaves_behind_is_cleared_away(tmp_path: Path) -> None:
    server = Server.start(program(tmp_path, "engine"), tmp_path / "data", model="x")
    server.wait(60)
    engine = engine_of(server.tail())
    server.process.kill()
    server.process.wait()
    assert not gone(engine)
    ending = os.pidfd_open(engine)
    assert launch.running(tmp_path / "data") is None
    assert launch.clear_stale(tmp_path / "data")
    assert select.select([ending], [], [], 60)[0], "the engine process lives on"
    assert not launch.clear_stale(tmp_path / "data")


def test_another_process_of_the_same_number_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    try:
        record = {"pid": other.pid, "started": "1", "url": "http://127.0.0.1:1/v1", "model": "x"}
        (tmp_path / launch.RECORD_NAME).write_text(json.dumps(record))
        assert launch.running(tmp_path) is None
        assert launch.clear_stale(tmp_path)
        assert other.poll() is None
    finally:
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / launch.RECORD_NAME).write_text(text)
    assert launch.running(tmp_path) is None


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    missing = Command((str(tmp_path / "none"),), {}, "http://127.0.0.1:1/v1", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(LaunchError, match="cannot be run"):
        Server.start(missing, tmp_path / "data", model="x")


def test_stages_and_advice_are_read_off_the_log() -> None:
    assert stage_of("") is None
    assert stage_of("INFO hello") == Stage.STARTING
    assert stage_of("Loading weights took 3 s\nCPU KV cache size: 46,592 tokens") == Stage.CACHE
    assert stage_of("INFO: Started server process [1]") == Stage.SERVING
    assert "--no-fp32-head" in advice("ValueError: head_dtype is not supported")
    assert "--python" in advice("ModuleNotFoundError: No module named 'vllm'")
    assert advice("all is well") == ""


# The command line


def test_serve_prints_the_command_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from cli_help import scout

    monkeypatch.setenv("SCOUT_MODEL__API_KEY", "sk-secret")
    shown = scout("serve", "Qwen/Qwen3-8B", "--print", "--port", "8123", "--python", "/opt/python")
    assert shown.code == 0
    assert "/opt/python -m vllm.entrypoints.openai.api_server" in shown.out
    assert "--reasoning-parser qwen3" in shown.out
    assert "sk-secret" not in shown.out
    assert 'VLLM_API_KEY="$SCOUT_MODEL__API_KEY"' in shown.out


def test_serve_asks_for_a_model_and_takes_the_one_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from cli_help import scout

    assert scout("serve", "--print").code == 2
    monkeypatch.setenv("SCOUT_MODEL__NAME", "openai/gpt-oss-20b")
    assert "--reasoning-parser openai_gptoss" in scout("serve", "--print").out


def test_serve_tells_a_server_that_cannot_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cli_help import scout

    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'vllm'\"\nexit 1\n")
    broken.chmod(0o755)
    found = scout("serve", "x/y", "--python", str(broken), "--port", str(free_port()))
    assert found.code == 1
    assert "No module named 'vllm'" in found.err
    assert "give the interpreter that has it" in found.err


def test_a_signal_ends_the_server_and_the_command_cleanly(tmp_path: Path) -> None:
    process = serving(tmp_path, "well")
    assert process.stdout is not None
    said = ""
    for text in process.stdout:
        said += text
        if "It answers at" in text:
            break
    record = json.loads((tmp_path / "data" / launch.RECORD_NAME).read_text())
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert record["url"] in said
    assert "Ending it" in rest
    assert gone(record["pid"])
