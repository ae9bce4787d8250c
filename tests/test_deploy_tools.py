"""What deploy/ holds, as its own programs read it: systemd, Caddy and Prometheus. Each test skips where its program is absent."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cli_help import scout
from dashboard_app import filled

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


def told(program: str, *words: str, stdin: str = "") -> str:
    """What the program prints, which must find nothing wrong."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run([found, *words], input=stdin, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for unit in (DEPLOY / "systemd").iterdir():
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/scout/bin/scout", shutil.which("true") or ""))
    said = told("systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir())))
    assert [line for line in said.splitlines() if "scout" in line] == []


@pytest.mark.parametrize("unit", ["scout", "scout-dashboard", "scout-metrics"])
def test_systemd_calls_their_exposure_small(unit: str) -> None:
    said = told(
        "systemd-analyze", "security", "--offline=true", "--threshold=20", str(DEPLOY / f"systemd/{unit}.service")
    )
    assert "Overall exposure level" in said


def handlers(routes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What Caddy does with a request, in its order, routes within routes laid flat."""
    found: list[dict[str, Any]] = []
    for handler in [each for route in routes for each in route.get("handle", [])]:
        found.append(handler)
        found += handlers(handler.get("routes", []))
        found += handlers(
            [route for answer in handler.get("handle_response", []) for route in answer.get("routes", [])]
        )
    return found


def test_caddy_drops_a_browsers_header_before_it_asks_who_it_is_and_hands_the_answer_on_last() -> None:
    said = told("caddy", "adapt", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile"))
    servers = json.loads(said[said.index('{"apps') :].splitlines()[0])["apps"]["http"]["servers"].values()
    steps = [
        "drop" if "X-Forwarded-User" in each.get("request", {}).get("delete", [])
        else "set" if "X-Forwarded-User" in each.get("request", {}).get("set", {})
        else each["upstreams"][0]["dial"]
        for server in servers
        for each in handlers(server["routes"])
        if each["handler"] in ("headers", "reverse_proxy")
    ]  # fmt: skip
    assert steps[-4:] == ["drop", "oauth2-proxy:4180", "set", "dashboard:8501"]


def test_prometheus_finds_nothing_wrong_with_the_metrics_and_the_boards_questions(tmp_path: Path) -> None:
    told("promtool", "--version")
    filled()
    told("promtool", "check", "metrics", stdin=scout("metrics", "--print").out)
    board = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = "".join(f"  - {{record: 'q:{n}', expr: {json.dumps(expr)}}}\n" for n, expr in enumerate(asked))
    (tmp_path / "rules.yml").write_text(f"groups:\n- name: board\n  rules:\n{rules}")
    assert f"{len(asked)} rules found" in told("promtool", "check", "rules", str(tmp_path / "rules.yml"))
