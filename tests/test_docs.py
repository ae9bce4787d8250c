"""What is promised in words: every command has help with an example and its place in README.md, every setting is real."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from scout.cli.app import app
from scout.config import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LISTING = {"run", "ingest", "triage", "show", "items", "search", "stats", "doctor", "sources list", "sources check"} | {
    "model check",
    "eval injection",
    "eval triage",
    "eval routing",
    "eval summaries",
}


def commands(group: click.Group = app, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield prefix + name, command
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")


COMMANDS = dict(commands())


def examples_of(command: click.Command) -> list[str]:
    return [line for line in str(getattr(command, "example", "")).splitlines() if line]


def test_the_commands_are_those_that_were_promised() -> None:
    promised = (
        "init run ingest triage digest sources show items search feedback stats dashboard schedule doctor".split()
    )
    assert set(promised) <= set(app.commands)
    sources = app.commands["sources"]
    assert isinstance(sources, click.Group)
    assert {"list", "add", "remove", "import", "export", "check", "pause", "resume"} <= set(sources.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_a_command_does_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(app, [*name.split(), "--help"])
    assert shown.exit_code == 0
    assert (COMMANDS[name].help or "").strip(), f"scout {name} has no help"
    examples = examples_of(COMMANDS[name])
    assert any(f"scout {name}" in example for example in examples), f"the help of scout {name} has no example of it"
    for example in examples:
        assert example in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_first_line_of_help_is_not_cut_in_the_list(name: str) -> None:
    assert not COMMANDS[name].get_short_help_str(48).endswith("...")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name: str) -> None:
    silent = [o.opts for o in COMMANDS[name].params if isinstance(o, click.Option) and not o.help]
    assert silent == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_a_command_line_that_parses(name: str) -> None:
    for example in examples_of(COMMANDS[name]):
        first = re.split(r"\s[|>]+|\s&&", example)[0]
        words = shlex.split(first)
        assert words[0] == "scout"
        given = " ".join(words[1:])
        assert any(given == known or given.startswith(f"{known} ") for known in COMMANDS), example
        used = next(known for known in sorted(COMMANDS, key=len, reverse=True) if f"{given} ".startswith(f"{known} "))
        options = {word for word in words if word.startswith("--")}
        assert options <= {opt for p in COMMANDS[used].params for opt in p.opts}, example


@pytest.mark.parametrize("name", [name for name in COMMANDS if not isinstance(COMMANDS[name], click.Group)])
def test_the_readme_has_a_place_for_each_command(name: str) -> None:
    table = README.partition("## Commands")[2].partition("\n## ")[0]
    assert f"`scout {name}`" in table


@pytest.mark.parametrize("name", sorted(LISTING))
def test_what_lists_has_json(name: str) -> None:
    assert any("--json" in option.opts for option in COMMANDS[name].params)


def settings_of(section: type[BaseModel], prefix: str = "SCOUT_") -> Iterator[str]:
    for name, field in section.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from settings_of(type(default), f"{prefix}{name.upper()}__")
        else:
            yield prefix + name.upper()


def test_the_readme_names_only_settings_that_exist() -> None:
    named = set(re.findall(r"`(SCOUT_[A-Z_]+)`", README))
    assert named - set(settings_of(Settings)) == set()
    assert len(named) > 15


def test_the_readme_links_only_to_files_that_exist() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
