"""A secret comes from the environment or a file, and is nowhere to be seen: not in logs, errors, JSON, pages or other processes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cli_help import scout
from dashboard_app import filled, opened, shown
from dashboard_store import DAYS
from pydantic import SecretStr

from scout import clock, logs
from scout.config import ConfigError, Model, Settings, load
from scout.config.file import template
from scout.config.secrets import variables
from scout.memory import bare_environment
from scout.serving.connection import Connection
from scout.serving.endpoints import Endpoint
from scout.serving.errors import ModelError

CANARY = "sk-canary-77f0c1d2e3"
VARIABLE = "SCOUT_MODEL__API_KEY"


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{CANARY}\n")
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(path))
    monkeypatch.setenv("SCOUT_MODEL__BASE_URLS", '["http://127.0.0.1:9/v1"]')
    monkeypatch.setenv("SCOUT_TODAY", DAYS[2].isoformat())
    return path


def everything_written() -> Iterator[tuple[Path, bytes]]:
    folder = Path(os.environ["SCOUT_DATA_DIR"])
    yield from ((path, path.read_bytes()) for path in folder.rglob("*") if path.is_file())


# --- from a file


def test_every_secret_there_is_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = list(variables(Settings))
    assert VARIABLE in names
    for name in names:
        path = tmp_path / name
        path.write_text(f"  {name}-secret\n")
        monkeypatch.setenv(f"{name}_FILE", str(path))
    found = load()
    for name in names:
        value: object = found
        for part in name.removeprefix("SCOUT_").lower().split("__"):
            value = getattr(value, part)
        assert isinstance(value, SecretStr)
        assert value.get_secret_value() == f"{name}-secret"


@pytest.mark.parametrize("what", ["missing", "empty", "folder", "binary", "twice"])
def test_a_file_that_holds_no_secret_is_named_and_not_shown(
    what: str, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if what == "missing":
        key.unlink()
    elif what == "folder":
        key.unlink()
        key.mkdir()
    elif what == "twice":
        monkeypatch.setenv(VARIABLE, CANARY)
    else:
        key.write_bytes(b" \n" if what == "empty" else CANARY.encode() + b"\xff\xfe")
    with pytest.raises(ConfigError, match=VARIABLE) as caught:
        load()
    assert CANARY not in str(caught.value)


# --- nowhere to be seen


def test_settings_that_are_printed_hide_it(key: Path) -> None:
    found = load()
    assert found.model.api_key.get_secret_value() == CANARY
    for said in (
        repr(found),
        str(found.model),
        found.model_dump_json(),
        json.dumps(found.model_dump(), default=str),
        template(),
    ):
        assert CANARY not in said


@pytest.mark.parametrize(
    "line", [f'api_key = ["{CANARY}"]', f'base_urls = ["http://u:{CANARY}@h/v1"]', f'base_urls = ["ftp://u:{CANARY}@h"]'],
    ids=["a list", "in an address", "in another address"],
)  # fmt: skip
def test_a_mistake_beside_it_does_not_repeat_it(line: str) -> None:
    Path(os.environ["SCOUT_CONFIG"]).write_text(f"[model]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        load()
    assert CANARY not in str(caught.value)
    result = scout("doctor", "--json")
    assert CANARY not in result.out + result.err


COMMANDS = (
    ("doctor",), ("doctor", "--json"), ("stats", "--json"), ("items", "--json"), ("sources", "list", "--json"),
    ("search", "agents", "--json"),
    ("policy", "list"), ("model", "check", "--json"), ("init", "--force"), ("schedule", "--cron"), ("no-such-command",),
)  # fmt: skip


def test_no_command_prints_or_writes_it(key: Path) -> None:
    filled()
    for words in COMMANDS:
        result = scout(*words)
        assert CANARY not in result.out + result.err, words
    assert [path for path, data in everything_written() if CANARY.encode() in data] == []


def test_a_bug_that_is_logged_with_its_traceback_does_not_hold_it(key: Path) -> None:
    settings = load()
    logs.start(settings.log_file)
    try:
        raise RuntimeError(f"settings were {settings.model!r}")
    except RuntimeError as err:
        logs.logging.getLogger("scout").error("bug", exc_info=err, extra={"settings": settings})
    said = settings.log_file.read_text()
    assert "settings were" in said
    assert CANARY not in said


def test_a_server_that_repeats_the_key_it_refuses_is_not_repeated(key: Path) -> None:
    def refuses(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error": {"message": f"no such key: {request.headers['authorization']}"}})

    async def asked() -> str:
        connection = Connection(Model(base_urls=("http://h/v1",), api_key=SecretStr(CANARY)), clock.now)
        connection._http = httpx.AsyncClient(transport=httpx.MockTransport(refuses))
        try:
            with pytest.raises(ModelError) as caught:
                await connection.ask(Endpoint("http://h/v1"), "POST", "http://h/v1/chat/completions", b"{}")
        finally:
            await connection.close()
        return str(caught.value)

    said = asyncio.run(asked())
    assert "no such key: Bearer …" in said
    assert CANARY not in said


@pytest.mark.parametrize("page", ["models", "policy", "runs"])
def test_no_page_shows_it(page: str, key: Path) -> None:
    filled()
    assert CANARY not in shown(opened(page))


def test_a_process_that_reads_what_came_from_outside_is_told_no_secret(
    key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, CANARY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    monkeypatch.setenv("HTTPS_PROXY", f"http://u:{CANARY}@proxy")
    assert CANARY not in str(bare_environment())
    assert "PATH" in bare_environment()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are Linux's")
def test_such_a_process_cannot_write_a_file_or_take_more_memory_than_it_is_given(tmp_path: Path) -> None:
    target = tmp_path / "written"
    code = f"""
from scout.memory import confine
confine(400)
try:
    with open({str(target)!r}, "w") as file:
        file.write("x")
    print("wrote")
except OSError:
    print("no file")
try:
    bytearray(600 << 20)
    print("took it")
except MemoryError:
    print("no memory")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=bare_environment(), check=False
    )
    assert done.stdout.split("\n")[:2] == ["no file", "no memory"]
    assert not target.exists() or not target.stat().st_size
