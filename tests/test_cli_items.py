"""`scout items`, `search`, `show`, `stats`: what is stored, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from cli_help import PAPER, POST, fill, scout
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCHEMAS = Path(__file__).resolve().parents[1] / "docs" / "schemas"


def fits(value: object, name: str) -> None:
    jsonschema.validate(value, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))


@pytest.mark.parametrize("command", [["items"], ["search", "x"], ["show", "x"], ["stats"], ["digest"], ["triage"]])
def test_before_the_first_run_a_command_says_what_to_do_and_makes_nothing(command: list[str], tmp_path: Path) -> None:
    result = scout(*command)
    assert result.code == 1
    assert "scout run" in result.err
    assert not (tmp_path / "data").exists()


def test_items_json_has_the_public_shape() -> None:
    fill()
    listed = scout("items", "--json").json
    fits(listed, "items")
    assert [item["id"] for item in listed] == [POST.id, PAPER.id], "the newest arrival comes first"
    assert listed[1]["published"] == "2025-12-01T20:00:00Z"
    assert listed[0]["published"] is None


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--source", "arxiv"], [PAPER.id]),
        (["--kind", "post"], [POST.id]),
        (["--since", "2025-12-01", "--kind", "paper"], [PAPER.id]),
        (["--since", "2025-12-02", "--kind", "paper"], []),
        (["--limit", "1"], [POST.id]),
    ],
)
def test_items_are_filtered(options: list[str], ids: list[str]) -> None:
    fill()
    assert [item["id"] for item in scout("items", "--json", *options).json] == ids


def test_a_date_that_is_none_is_a_usage_error() -> None:
    assert scout("items", "--since", "yesterday").code == 2


def test_titles_from_outside_cannot_steer_a_terminal() -> None:
    fill()
    for result in (scout("items"), scout("items", "--json"), scout("show", POST.id), scout("show", POST.id, "--json")):
        assert result.code == 0
        assert "\x1b" not in result.out
        assert "\u202e" not in result.out
        assert "quantization" in result.out


def test_tex_is_readable_in_a_list_and_untouched_in_json() -> None:
    fill()
    assert "Agents that α-plan" in scout("items").out
    assert scout("items", "--source", "arxiv", "--json").json[0]["title"] == PAPER.title


def test_search_finds_by_title_text_and_author() -> None:
    fill()
    for words in (["agents"], ["plan", "with", "tools"], ["lovelace"], ["Borel"], ['"plan with tools"']):
        found = scout("search", "--json", *words).json
        fits(found, "items")
        assert [item["id"] for item in found] == [PAPER.id], words
    assert scout("search", "--json", '"tools with plan"').json == []


def test_search_that_finds_nothing_says_so() -> None:
    fill()
    result = scout("search", "zebra")
    assert (result.code, result.out) == (0, "Nothing is found for 'zebra'.\n")


@pytest.mark.parametrize(
    "words",
    [
        '"',
        "'",
        '""',
        "AND",
        "OR NOT",
        "NEAR(",
        "a*",
        "*",
        "title:x",
        "(",
        ")",
        "-x",
        "^x",
        "{a b}",
        "🦙",
        "\udcff",
        "%_",
        ";",
        ",",
    ],
)
def test_search_takes_any_text_as_words(words: str) -> None:
    fill()
    for options in ([], ["--json"]):
        result = scout("search", *options, "--", words)
        assert result.code == 0, result.err


@given(words=st.text(min_size=1, max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_at_all_is_an_error_to_search(words: str) -> None:
    fill()
    assert scout("search", "--json", "--", words).code == 0


@pytest.mark.parametrize(
    "ref", [PAPER.id, "2511.21735", "2511.21735v3", "https://arxiv.org/pdf/2511.21735v1", "doi:10.1000/x", "10.1000/x"]
)
def test_show_knows_an_item_by_any_of_its_names(ref: str) -> None:
    fill()
    known = scout("show", ref, "--json").json
    assert known["id"] == PAPER.id
    assert known["summary"]["points"] == [{"text": "It works well.", "cites": [2]}]


def test_show_reads_like_a_card() -> None:
    fill()
    card = scout("show", "2511.21735").out
    for part in (
        "Agents that α-plan",
        "Ada Lovelace, Émile Borel",
        "12 pages",
        "In short",
        "[2]",
        "We plan with tools.",
    ):
        assert part in card


@pytest.mark.parametrize("ref", ["arxiv:9999.99999", "no such thing", "", "'; DROP TABLE items; --"])
def test_an_item_that_is_not_there_is_named_and_where_to_look(ref: str) -> None:
    fill()
    result = scout("show", "--", ref)
    assert result.code == 1
    assert "scout search" in result.err
    assert "Traceback" not in result.err


def test_stats_json_has_the_public_shape() -> None:
    fill()
    figures = scout("stats", "--json").json
    fits(figures, "stats")
    assert figures["items"] == {"total": 2, "kind": {"paper": 1, "post": 1}, "source": {"arxiv": 1, "example": 1}}
    assert figures["database_bytes"] > 0


def test_stats_for_people_counts_the_same() -> None:
    fill()
    shown = scout("stats").out
    assert "total: 2" in shown
    assert "database:" in shown
