"""`scout init` and `scout schedule`: what they write and print."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import time
from pathlib import Path

import pytest
from cli_help import scout

from scout import scheduling
from scout.config import Settings, load


def test_init_writes_where_scout_looks() -> None:
    result = scout("init")
    assert (result.code, result.out) == (0, f"Wrote {os.environ['SCOUT_CONFIG']}\n")
    assert load() == Settings(config=Path(os.environ["SCOUT_CONFIG"]))


def test_init_does_not_replace_a_file_unless_forced_and_then_keeps_the_old_one() -> None:
    path = Path(os.environ["SCOUT_CONFIG"])
    path.write_text('reader = "ada"\n')
    refused = scout("init")
    assert (refused.code, "--force" in refused.err) == (1, True)
    assert path.read_text() == 'reader = "ada"\n'
    assert scout("init", "--force").code == 0
    assert load().reader == "me"
    assert path.with_name("scout.toml.bak").read_text() == 'reader = "ada"\n'


def test_init_elsewhere_says_how_to_make_scout_look_there(tmp_path: Path) -> None:
    result = scout("init", str(tmp_path / "new" / "mine.toml"))
    assert result.code == 0
    assert f"SCOUT_CONFIG={tmp_path / 'new' / 'mine.toml'}" in result.out


def test_init_where_nothing_may_be_written_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = scout("init", str(tmp_path / "file" / "scout.toml"))
    assert result.code == 78
    assert str(tmp_path / "file" / "scout.toml") in result.err


def plan(**changed: object) -> scheduling.Plan:
    values: dict[str, object] = {
        "command": ("/opt/my scout/100%/scout", "run"),
        "environment": {"SCOUT_DATA_DIR": '/data/it\'s "mine"', "SCOUT_CONFIG": "/etc/scout.toml"},
        "at": time(6, 5),
        "timezone": "Europe/Paris",
    }
    return scheduling.Plan(**{**values, **changed})  # type: ignore[arg-type]


def units(text: str, folder: Path) -> tuple[Path, Path]:
    """The two parts of the text, saved as it says."""
    _, service, timer = (
        text.partition("# ---- scout.service")[0],
        *text.partition("# ---- scout.service")[2].split("# ---- scout.timer"),
    )
    paths = folder / "scout.service", folder / "scout.timer"
    for path, part in zip(paths, (service, timer), strict=True):
        path.write_text(part.lstrip("\n"))
    return paths


def test_the_units_hold_what_was_planned() -> None:
    text = scheduling.systemd(plan())
    assert "OnCalendar=*-*-* 06:05:00 Europe/Paris" in text
    assert "Persistent=true" in text
    assert 'ExecStart="/opt/my scout/100%%/scout" run' in text
    assert r'Environment="SCOUT_DATA_DIR=/data/it' in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    command = (str(Path(sys.executable).absolute()), "-m", "scout", "run")
    service, timer = units(scheduling.systemd(plan(command=command)), tmp_path)
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(service), str(timer)], capture_output=True, text=True, timeout=30, check=False
    )
    complaints = [line for line in checked.stderr.splitlines() if str(tmp_path) in line or "scout." in line]
    assert complaints == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_knows_the_time() -> None:
    done = subprocess.run(
        ["systemd-analyze", "calendar", "*-*-* 06:05:00 Europe/Paris"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_crontab_line_runs_what_was_planned(tmp_path: Path) -> None:
    script = tmp_path / "my scout's 100%"
    script.write_text('#!/bin/sh\necho "$1 $SCOUT_DATA_DIR" > "$OUT"\n')
    script.chmod(0o755)
    text = scheduling.cron(plan(command=(str(script), "run")))
    line = next(line for line in text.splitlines() if not line.startswith("#"))
    minute, hour, *_, command = line.split(maxsplit=5)
    assert (minute, hour) == ("5", "6")
    out = tmp_path / "out"
    subprocess.run(["/bin/sh", "-c", command.replace("\\%", "%")], env={"OUT": str(out)}, timeout=30, check=True)
    assert out.read_text() == 'run /data/it\'s "mine"\n'
    assert "%" not in command.replace("\\%", ""), "cron would end the command at a bare percent sign"


def test_schedule_prints_absolute_paths_and_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCOUT_DATA_DIR", "relative/data")
    monkeypatch.setenv("SCOUT_ARXIV__FIRST_DAYS", "2")
    for manner in ("--systemd", "--cron"):
        result = scout("schedule", manner, "--at", "07:45")
        assert result.code == 0
        assert str(tmp_path / "relative" / "data") in result.out
        assert "SCOUT_ARXIV__FIRST_DAYS" in result.out
        assert str(Path(sys.executable).parent) in result.out
    assert "07:45:00 UTC" in scout("schedule", "--at", "07:45").out


def test_schedule_takes_no_hour_that_is_none() -> None:
    assert scout("schedule", "--at", "25:00").code == 2
