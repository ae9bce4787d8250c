"""What errors become: exit codes, one line that says what to do, and a log where the rest is."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from cli_help import fill, scout

from scout.cli.app import app
from scout.config import load
from scout.exit_codes import Exit
from scout.locks import held


def python(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make `scout stats` raise."""

    def install(err: BaseException) -> None:
        def stats(ctx: object) -> None:
            raise err

        monkeypatch.setattr("scout.store.Store.stats", stats)

    return install


@pytest.mark.parametrize(
    "command", [["run"], ["items"], ["stats"], ["sources", "list"], ["schedule"], ["doctor"], ["work", "--once"]]
)
def test_a_broken_configuration_is_78_and_names_the_key(command: list[str]) -> None:
    Path(os.environ["SCOUT_CONFIG"]).write_text("[digest]\nper_subject = 0\n")
    result = scout(*command)
    assert result.code == Exit.CONFIG
    assert "digest.per_subject" in result.out + result.err
    assert "Traceback" not in result.err


def test_a_half_written_file_is_78() -> None:
    Path(os.environ["SCOUT_CONFIG"]).write_text('[digest]\ntimezone = "Eur')
    result = scout("stats")
    assert (result.code, "not valid TOML" in result.err) == (Exit.CONFIG, True)


def test_a_file_named_and_not_there_is_one_line_of_warning() -> None:
    fill()
    result = scout("stats")
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert os.environ["SCOUT_CONFIG"] in result.err


@pytest.mark.parametrize("command", [["run"], ["ingest"], ["triage"]])
def test_a_run_beside_a_run_is_75(command: list[str]) -> None:
    fill()
    with held(load(), "run"):
        result = scout(*command)
    assert result.code == Exit.LATER
    assert "another scout run" in result.err


def test_a_locked_database_is_75_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    fill()
    monkeypatch.setattr(
        "scout.store.Store.__init__.__kwdefaults__", {"create": True, "read_only": False, "busy_seconds": 0.05}
    )
    other = sqlite3.connect(load().database)
    other.execute("BEGIN IMMEDIATE")
    try:
        result = scout("feedback", "2511.21735", "up")
    finally:
        other.close()
    assert result.code == Exit.LATER
    assert "another process is writing" in result.err


def test_a_database_that_is_none_is_75_and_left_alone() -> None:
    database = load().database
    database.parent.mkdir(parents=True)
    database.write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    before = database.read_bytes()
    result = scout("stats")
    assert result.code == Exit.LATER
    assert str(database) in result.err
    assert database.read_bytes() == before


def test_a_database_of_a_newer_scout_is_left_alone() -> None:
    fill()
    with sqlite3.connect(load().database) as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('scout', 'm9999_x', '')")
    result = scout("stats")
    assert result.code == Exit.LATER
    assert "newer scout" in result.err


def test_a_data_folder_that_is_a_file_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "file"))
    result = scout("sources", "list")
    assert result.code == Exit.CONFIG
    assert "SCOUT_DATA_DIR" in result.err


def test_a_bug_is_1_and_its_traceback_is_in_the_log(broken: Callable[[BaseException], None]) -> None:
    fill()
    broken(ZeroDivisionError("by\nzero\x1b[2J"))
    result = scout("stats")
    assert result.code == Exit.BUG
    said = result.err.splitlines()[-1]
    assert "ZeroDivisionError" in said
    assert str(load().log_file) in said
    assert "\x1b" not in result.err
    assert "Traceback" not in result.err
    last = json.loads(load().log_file.read_text().splitlines()[-1])
    assert "ZeroDivisionError" in last["traceback"]


def test_ctrl_c_is_130_and_one_line(broken: Callable[[BaseException], None]) -> None:
    fill()
    broken(KeyboardInterrupt())
    result = scout("stats")
    assert result.code == 130
    assert "stopped" in result.err


def test_output_that_nobody_reads_is_no_error() -> None:
    fill()
    command = f"{sys.executable} -m scout items --json --limit 50 | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.returncode == 0


def test_a_terminal_without_unicode_still_shows_the_rest() -> None:
    fill()
    done = python("-m", "scout", "items", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    assert "Agents that ?-plan" in done.stdout


def test_help_needs_no_configuration_and_loads_nothing_heavy() -> None:
    Path(os.environ["SCOUT_CONFIG"]).write_text("broken [")
    code = (
        "import sys\nfrom scout.cli import main\nsys.argv = ['scout', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('LOADED', *sorted(name for name in sys.modules if '.' not in name))"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert not loaded & {
        "pydantic",
        "sqlite_utils",
        "numpy",
        "scipy",
        "httpx",
        "rich",
        "huggingface_hub",
        "streamlit",
        "arxiv",
    }


def test_every_command_answers_help_in_a_folder_nobody_may_write(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    for name, command in app.commands.items():
        assert isinstance(command, click.Command)
        assert scout(name, "--help").code == 0
