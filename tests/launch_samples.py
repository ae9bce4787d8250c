"""A small program that behaves as vLLM does from outside, well or badly, and ways to start it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import textwrap
from pathlib import Path

from scout.serving import launch, warden
from scout.serving.command import Command
from scout.serving.startup import Stage

PROGRAM = textwrap.dedent("""
    import http.server, os, signal, subprocess, sys
    print("INFO Starting to load model x", flush=True)
    print("key:", os.environ.get("VLLM_API_KEY", "none"), os.environ.get("MARK"), flush=True)
    how, port = sys.argv[1], int(sys.argv[2])
    if how == "fails":
        print("torch.OutOfMemoryError: CUDA out of memory.", flush=True)
        sys.exit(3)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how in ("deaf", "loads"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    class H(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if how == "dies" and self.path != "/health":
                print("torch.OutOfMemoryError: CUDA out of memory.", flush=True)
                os._exit(1)
            self.send_response(200); self.end_headers()
        def log_message(self, *a): pass
    if how in ("engine", "loads"):
        engine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("engine", engine.pid, flush=True)
    if how in ("silent", "loads"):
        while True:
            signal.pause()
    http.server.HTTPServer(("127.0.0.1", port), H).serve_forever()
""")


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def program(tmp_path: Path, how: str, port: int | None = None) -> Command:
    (tmp_path / "program.py").write_text(PROGRAM)
    root = f"http://127.0.0.1:{port or free_port()}"
    argv = (sys.executable, str(tmp_path / "program.py"), how, root.rsplit(":", 1)[1])
    return Command(argv, {"MARK": "marked"}, f"{root}/v1", root)


def gone(pid: int) -> bool:
    return not warden.started(pid)


def engine_of(server_log: str) -> int:
    return int(server_log.split("engine ")[1].split()[0])


def ended_within(seconds: float, *pids: int) -> bool:
    """Whether all of them end; one that has is fine."""
    for pid in pids:
        try:
            ending = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if not select.select([ending], [], [], seconds)[0]:
            return False
    return True


def serving(tmp_path: Path, how: str) -> subprocess.Popen[str]:
    """`scout serve`, with the program in vLLM's place."""
    (tmp_path / "program.py").write_text(PROGRAM)
    port = free_port()
    stand_in = tmp_path / "python"
    stand_in.write_text(f"#!/bin/sh\nexec {sys.executable} {tmp_path}/program.py {how} {port}\n")
    stand_in.chmod(0o755)
    line = [sys.executable, "-m", "scout", "serve", "x/y", "--python", str(stand_in), "--port", str(port)]
    env = {**os.environ, "SCOUT_DATA_DIR": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def loading(process: subprocess.Popen[str], folder: Path) -> tuple[int, int]:
    """Wait until the server that it starts is loading: the server and its engine."""
    assert process.stdout is not None
    for text in process.stdout:
        if str(Stage.LOADING) in text:
            break
    log = folder / launch.LOG_NAME
    while "engine " not in log.read_text():
        assert process.poll() is None
    return json.loads((folder / launch.RECORD_NAME).read_text())["pid"], engine_of(log.read_text())
