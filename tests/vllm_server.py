"""A real vLLM on the CPU for the tests marked `vllm`: one server for all of them, started as `scout serve` starts it.

`.ci/vllm-env` makes what it needs. Run them with `pytest -m vllm`, without -n: two workers would start two servers.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from scout.config import Model
from scout.serving import install
from scout.serving.client import ModelClient, Patience
from scout.serving.command import Command, ServeOptions, command
from scout.serving.families import family
from scout.serving.launch import Server
from scout.serving.warmup import warm

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-vllm" / "bin" / "python"
CHECKPOINT = ROOT / ".cache" / "smollm2"
KEY = "sk-for-tests"
NAME = "smollm2"
UP_SECONDS = 420.0


class Vllm:
    """The server, as tests see it: ask it, kill it, start it again."""

    def __init__(self, line: Command, folder: Path) -> None:
        self.line, self.folder = line, folder
        self.settings = Model(base_urls=(line.url,), api_key=KEY, timeout_seconds=240)
        self.server = self._start()

    @property
    def url(self) -> str:
        return self.line.url

    def _start(self) -> Server:
        server = Server.start(self.line, self.folder, model=NAME, key=KEY)
        try:
            server.wait(UP_SECONDS)
        except BaseException:
            server.stop()
            raise
        if "pooling" not in self.line.argv:
            warm(self.settings, self.line.url)
        return server

    def start_again(self) -> None:
        self.server.stop()
        self.server = self._start()

    def run(self, do: Callable[[ModelClient], Awaitable[T]], **changes: object) -> T:
        """What `do` gives with a client of this server, tried once."""

        async def inside() -> T:
            chosen = self.settings.model_copy(update=changes)
            async with ModelClient(chosen, patience=Patience(attempts=1)) as client:
                return await do(client)

        return asyncio.run(inside())


def why_not() -> str:
    """What is missing for a real server, or nothing."""
    if not PYTHON.exists():
        return "no environment with vLLM (.ci/vllm-env makes it)"
    if not (CHECKPOINT / "model.safetensors").exists():
        return "no SmolLM2 checkpoint (.ci/vllm-env makes it)"
    if "PYTEST_XDIST_WORKER" in os.environ:
        return "one server is enough: run `pytest -m vllm` without -n"
    return ""


def serving(
    folder: Path, *, extra: Sequence[str] = (), length: int = 4096, memory: float = 1, pooling: str = ""
) -> Iterator[Vllm]:  # fmt: skip
    """A server as `scout serve` starts it, with `extra` arguments, and its end; for vectors where `pooling` says how."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    options = ServeOptions(
        model=str(CHECKPOINT), port=port, python=str(PYTHON), served_name=NAME, cpu=True, cores=install.cores(),
        preload=install.preloads(PYTHON), max_length=length, memory=memory, offline=True,
        pooling=pooling,
    )  # fmt: skip
    line = command(options, family("SmolLM2-135M-Instruct"))
    running = Vllm(replace(line, argv=(*line.argv, *extra)), folder)
    try:
        yield running
    finally:
        running.server.stop()


def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vllm]:
    if reason := why_not():
        pytest.skip(reason)
    yield from serving(tmp_path_factory.mktemp("vllm"))
