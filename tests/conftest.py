"""What tests share: settings in a temporary folder, and the replayed world where it is at hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# These machines are shared: how long an example takes says nothing about the code.
hypothesis.settings.register_profile("scout", deadline=None)
hypothesis.settings.load_profile("scout")

pytest_plugins = ("reading_fixtures", "product_fixtures")

SERVE = Path(__file__).resolve().parents[2] / "shared" / "world" / "serve.py"


@dataclass
class World:
    """A replay of the outside world on loopback."""

    url: str

    def go(self, day: str) -> None:
        urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/_world/date/{day}", method="POST"), timeout=60
        ).read()

    def log(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/_world/log", timeout=60) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found

    def env(self, day: str, data: Path) -> dict[str, str]:
        """The environment in which scout lives in this world on that day, its own default blogs left out."""
        return {
            "SCOUT_DATA_DIR": str(data),
            "SCOUT_CONFIG": str(data / "scout.toml"),
            "SCOUT_ARXIV__RSS_URL": f"{self.url}/arxiv/rss",
            "SCOUT_ARXIV__API_URL": f"{self.url}/arxiv/api/query",
            "SCOUT_ARXIV__SITE_URL": f"{self.url}/arxiv",
            "SCOUT_HUGGINGFACE__URL": f"{self.url}/hf",
            "SCOUT_GITHUB__URL": f"{self.url}/github",
            "SCOUT_SOURCES__DEFAULTS": "0",
            "SCOUT_NET__ALLOW_LOOPBACK": "1",
            "SCOUT_NET__DEADLINE_SECONDS": "120",  # a source that is late because this machine is busy is no news
            "SCOUT_NET__PARSE_SECONDS": "120",
            "SCOUT_TODAY": day,
        }


def start_world(*args: str) -> tuple[subprocess.Popen[str], World]:
    process = subprocess.Popen([sys.executable, str(SERVE), *args], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, World(process.stdout.readline().strip())


@pytest.fixture
def world() -> Iterator[World]:
    """A world of its own for one test, on 2025-12-01; skips where the replay is not beside the checkout."""
    if not SERVE.exists():
        pytest.skip("the replayed world is not beside this checkout (../shared/world/serve.py)")
    process, running = start_world("--date", "2025-12-01", "--papers-per-day", "80")
    try:
        yield running
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests see no scout.toml and no SCOUT_* of whoever runs them."""
    for name in [name for name in os.environ if name.startswith("SCOUT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SCOUT_CONFIG", str(tmp_path / "scout.toml"))
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def _main_stays_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit's AppTest makes a page `__main__` and leaves it there, and processes that later tests spawn would run it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def setenv(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    def apply(values: dict[str, str]) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return apply


@pytest.fixture(scope="session")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real vLLM (`vllm_server.Vllm`), one for all tests; skips with a reason where there is none."""
    import vllm_server

    yield from vllm_server.fixture(tmp_path_factory)
