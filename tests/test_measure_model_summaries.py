"""`scout eval summaries --by model` against a scripted server: what it counts as grounded, and what it falls back on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_help import scout
from enrich_samples import honest
from scripted_server import Request, ScriptedServer, Turn, serving, status

pytest.importorskip("rouge_score")

TEXT = ["We study agents that plan.", "They halve the cost of search.", "Planning ahead is what helps."]


@pytest.fixture
def server(setenv: Callable[[dict[str, str]], None]) -> Iterator[ScriptedServer]:
    with serving() as running:
        setenv({"SCOUT_MODEL__BASE_URLS": json.dumps([running.base_url])})
        yield running


@pytest.fixture
def data(tmp_path: Path) -> str:
    record = {
        "paper_id": "one",
        "title": "Agents that plan",
        "source": TEXT,
        "target": ["Agents that plan halve the cost of search."],
    }
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(record | {"paper_id": id}) + "\n" for id in ("one", "two")))
    return str(tmp_path / "data.jsonl")


def measured(data: str, *more: str):
    return scout("eval", "summaries", "--data", data, "--by", "model", "--json", *more)


def test_an_honest_model_is_grounded_throughout(server: ScriptedServer, data: str, tmp_path: Path) -> None:
    server.script = lambda request: Turn(honest(request))
    done = measured(data, "--predictions", str(tmp_path / "out.jsonl"))
    assert done.code == 0, done.err
    assert (done.json["rows"][0]["by"], done.json["rows"][0]["grounded"]) == ("scripted", 1)
    assert done.json["outcomes"] == {"summarized": 2}
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(line["id"], line["summary"]) for line in lines] == [(id, TEXT[0]) for id in ("one", "two")]


def test_what_it_makes_up_is_counted_and_not_shown(server: ScriptedServer, data: str, tmp_path: Path) -> None:
    def inventive(request: Request) -> Turn:
        told = json.loads(honest(request) or "{}")
        told["points"][0]["text"] = "They cut costs by 97% on ImageNet."
        told["tldr"] = "We beat GPT-9 by 40 points."
        return Turn(json.dumps(told))

    server.script = inventive
    done = measured(data, "--predictions", str(tmp_path / "out.jsonl"))
    assert done.code == 0, done.err
    assert done.json["rows"][0]["grounded"] < 1
    assert "GPT-9" not in (tmp_path / "out.jsonl").read_text()


def test_where_it_writes_nothing_usable_the_extractive_summary_stands(server: ScriptedServer, data: str) -> None:
    server.script = lambda request: Turn("no JSON at all")
    done = measured(data)
    assert done.code == 0, done.err
    assert done.json["outcomes"] == {"unreadable": 2}
    assert done.json["rows"][0]["grounded"] is None
    assert done.json["rows"][0]["rouge1"]["value"] > 0


@pytest.mark.parametrize(("code", "exit_code"), [(401, 78), (503, 75)], ids=["refused", "busy"])
def test_an_endpoint_that_takes_no_request_ends_it(
    server: ScriptedServer, data: str, setenv: Callable[[dict[str, str]], None], code: int, exit_code: int
) -> None:
    setenv({"SCOUT_MODEL__NAME": "scripted"})
    server.fails(status(code), times=None)
    done = measured(data)
    assert (done.code, done.out) == (exit_code, "")
