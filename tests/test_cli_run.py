"""`scout run` and its stages as commands, in the replayed world and without any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from cli_help import scout
from conftest import World

from scout.config import load
from scout.exit_codes import Exit
from scout.items import Aspect
from scout.store import Store

SCHEMAS = Path(__file__).resolve().parents[1] / "docs" / "schemas"
DAY = "2025-12-01"


@pytest.fixture
def day_one(world: World, tmp_path: Path, setenv: Callable[[dict[str, str]], None]) -> World:
    setenv(world.env(DAY, tmp_path / "data"))
    return world


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every source at an address where nobody answers."""
    for name in ("ARXIV__RSS_URL", "ARXIV__API_URL", "ARXIV__SITE_URL", "HUGGINGFACE__URL"):
        monkeypatch.setenv(f"SCOUT_{name}", "http://127.0.0.1:9")
    monkeypatch.setenv("SCOUT_SOURCES__DEFAULTS", "0")
    monkeypatch.setenv("SCOUT_NET__ALLOW_LOOPBACK", "1")


def said(err: str) -> list[str]:
    """The lines on stderr but the one about the file that is not there."""
    return [line for line in err.splitlines() if "SCOUT_CONFIG" not in line]


@pytest.mark.usefixtures("offline")
def test_offline_is_one_line_and_75() -> None:
    result = scout("run")
    assert result.code == Exit.LATER
    [line] = said(result.err)
    assert "try again later" in line
    assert "sources" in line


@pytest.mark.usefixtures("offline")
def test_offline_the_report_is_json_all_the_same() -> None:
    result = scout("run", "--json")
    assert result.code == Exit.LATER
    assert result.json["exit_code"] == Exit.LATER
    assert len(result.json["ingest"]["failed"]) == 3


def test_without_a_source_a_run_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ARXIV__ENABLED", "HUGGINGFACE__ENABLED", "SOURCES__DEFAULTS"):
        monkeypatch.setenv(f"SCOUT_{name}", "0")
    result = scout("run")
    assert result.code == 0, result.err
    assert "scout sources" in result.out


@pytest.mark.world
@pytest.mark.usefixtures("day_one")
def test_a_day_from_the_command_line() -> None:
    first = scout("run")
    assert first.code == 0, first.err
    assert "new items" in first.out
    assert "scout dashboard" in first.out
    again = scout("run", "--json")
    assert (again.code, again.json["ingest"]["new"], again.json["ingest"]["failed"]) == (0, 0, [])

    day = scout("digest", "--format", "json").json
    jsonschema.validate(day, json.loads((SCHEMAS / "digest.schema.json").read_text()))
    assert day["date"] == DAY
    entries = [entry for subject in day["subjects"] for entry in subject["items"]]
    assert entries
    assert scout("digest", "--date", DAY, "--format", "json").json == day, "once made it stays as it is"
    for face, begins in (("md", "#"), ("html", "<!"), ("atom", "<?xml")):
        assert scout("digest", "--format", face).out.lstrip().lower().startswith(begins)

    id = entries[0]["id"]
    assert scout("feedback", id, "up").code == 0
    with Store(load().database) as store:
        assert store.feedback.current("me", [id])[id][Aspect.THUMB].value == "up"
    known = scout("show", id, "--json").json
    assert known["decision"]["lane"] == entries[0]["lane"]
    assert known["digests"][0]["date"] == DAY
    card = scout("show", id).out
    assert "in the digest of" in card

    for command, schema in ((["stats"], "stats"), (["items"], "items"), (["sources", "list"], "sources")):
        value = scout(*command, "--json").json
        jsonschema.validate(value, json.loads((SCHEMAS / f"{schema}.schema.json").read_text()))
    assert scout("triage", "--json").json[0]["decided"] == 0

    runs = {
        line["run"] for line in map(json.loads, load().log_file.read_text().splitlines()) if line["event"] == "polled"
    }
    assert len(runs) == 2
    assert None not in runs


@pytest.mark.world
@pytest.mark.usefixtures("day_one")
def test_the_stages_one_by_one_are_a_run() -> None:
    assert scout("ingest", "--json").json["new"] > 0
    assert scout("ingest", "--due", "--json").json["sources"] == 0, "nothing is due so soon"
    decided = scout("triage", "--reader", "me", "--json").json
    assert decided[0]["decided"] > 0
    assert scout("triage", "--reader", "nobody").code == 1
    digest = scout("digest", "--format", "json").json
    assert digest["subjects"]
    assert scout("digest", "--reader", "nobody").code == 1


@pytest.mark.world
@pytest.mark.usefixtures("day_one")
def test_a_day_without_a_digest_names_those_there_are() -> None:
    scout("run")
    result = scout("digest", "--date", "2024-01-01")
    assert result.code == 1
    assert said(result.err) == [f"Error: no digest of 2024-01-01 for me; there is one of {DAY}"]


@pytest.mark.world
@pytest.mark.usefixtures("day_one")
def test_a_run_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys\nfrom scout.cli import main\nsys.argv = ['scout', 'run', '--json']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=os.environ, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    unneeded = {"torch", "streamlit", "vllm", "ray", "transformers", "sklearn", "altair", "dashboard", "evals", "rl"}
    assert not loaded & unneeded


@pytest.mark.world
def test_one_bad_source_never_fails_a_run(day_one: World) -> None:
    scout("sources", "add", "--no-check", "http://127.0.0.1:9/dead.xml", "--title", "dead")
    scout("sources", "add", "--no-check", f"{day_one.url}/hostile/", "--title", "hostile")
    result = scout("run")
    assert result.code == 0, result.err
    assert "dead failed, unreachable" in result.out
    assert "hostile failed" in result.out
