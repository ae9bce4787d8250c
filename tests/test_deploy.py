"""What deploy/ holds can be used: units and compose parse, each scout command in them exists, each metric on the board is told."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from scout.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir())


def parses(words: list[str]) -> None:
    """The command and its options exist."""
    command = app.commands[words[0]]
    with click.Context(command) as ctx:
        command.parse_args(ctx, words[1:])


def unit(name: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string((DEPLOY / "systemd" / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_a_service_runs_a_command_that_exists_and_may_write_to_one_folder(name: str) -> None:
    service = unit(name)["Service"]
    executable, *words = shlex.split(service["ExecStart"])
    assert executable.endswith("/scout")
    parses(words)
    assert (service["ProtectSystem"], service["NoNewPrivileges"], service["CapabilityBoundingSet"]) == (
        "strict",
        "yes",
        "",
    )


def test_the_timer_makes_up_for_missed_days() -> None:
    assert unit("scout.timer")["Timer"]["Persistent"] == "true"


def test_the_crontab_runs_commands_that_exist() -> None:
    lines = [line for line in (DEPLOY / "crontab").read_text().splitlines() if re.match(r"[\d*]", line)]
    assert len(lines) == 2
    for line in lines:
        parses(shlex.split(line.split(None, 5)[5].partition(">")[0])[1:])


def test_compose_has_its_services_and_their_commands_exist() -> None:
    found = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert {"scheduler", "dashboard", "metrics", "vllm", "proxy"} <= set(found["services"])
    for name in ("dashboard", "metrics"):
        parses(found["services"][name]["command"])
        assert "ports" not in found["services"][name]  # the proxy alone is reached from outside
        assert found["services"][name]["read_only"] is True
    assert "scout run" in found["services"]["scheduler"]["entrypoint"][2]
    assert (DEPLOY / "Containerfile").exists()


def test_compose_runs_whatever_the_proxy_hands_on_to_and_pins_what_is_not_built_here() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    named = re.findall(r"(?:reverse_proxy|forward_auth) ([\w-]+):(\d+)", (DEPLOY / "Caddyfile").read_text())
    assert {name for name, _ in named} == {"dashboard", "oauth2-proxy"}
    assert all(port in services[name]["expose"] for name, port in named)
    images = [each["image"] for each in services.values() if "build" not in each]
    assert all(re.search(r":v?\d", image) for image in images), images


def test_each_thing_that_the_image_copies_is_there() -> None:
    for line in (DEPLOY / "Containerfile").read_text().splitlines():
        if line.startswith("COPY "):
            assert [name for name in line.split()[1:-1] if not (ROOT / name).exists()] == []


def test_the_proxy_drops_the_header_that_it_sets() -> None:
    text = (DEPLOY / "Caddyfile").read_text()
    route = text.index("\n\t\troute {")  # outside of one, Caddy has an order of its own, and would drop it last
    assert route < text.index("request_header -X-Forwarded-User")
    assert text.index("request_header -X-Forwarded-User") < text.index(
        "copy_headers X-Auth-Request-Email>X-Forwarded-User"
    )


def test_each_metric_on_the_board_is_one_that_is_told() -> None:
    board = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    named = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"scout_\w+", target["expr"])
    }
    source = (ROOT / "scout" / "metrics" / "collect.py").read_text(encoding="utf-8")
    told = {
        name + ("_total" if kind == "CounterMetricFamily" else "")
        for kind, name in re.findall(r'(\w+)\(\s*"(scout_\w+)"', source)
    }
    assert len(named) > 10
    assert named - told == set()
