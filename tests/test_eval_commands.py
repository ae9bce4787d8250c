"""`scout eval run|list|compare|watch|export` as they are typed: what they print, refuse and hand over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import eval_store
import jsonschema
import pytest
from cli_help import scout
from eval_samples import adds_even, right, suite
from scripted_server import CLOSE, ScriptedServer, serving, status

from evals import suites, trust
from evals.core import Answer, Case, Kind, Verdict
from scout.config import load
from scout.store import Store

pytest.importorskip("inspect_ai", reason="the evals extra is not installed")

SetEnv = Callable[[dict[str, str]], None]
SCHEMAS = Path(__file__).parents[1] / "docs" / "schemas"
SCHEMA = json.loads((SCHEMAS / "eval-runs.schema.json").read_text(encoding="utf-8"))


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


COMPARED = json.loads((SCHEMAS / "eval-compare.schema.json").read_text(encoding="utf-8"))
AT = datetime(2025, 12, 1, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _sums_are_a_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "installed", lambda folder: {"sums": suite(), "broken": suite(name="broken")})
    monkeypatch.setattr(trust, "vet", lambda each: "gold scores 0" if each.name == "broken" else "")


@pytest.fixture
def server(setenv: SetEnv) -> Iterator[ScriptedServer]:
    with serving() as running:
        running.script = adds_even
        setenv({"SCOUT_MODEL__BASE_URLS": json.dumps([running.base_url])})
        yield running


@pytest.fixture
def store() -> Iterator[Store]:
    path = load().database
    path.parent.mkdir(parents=True)
    with Store(path) as opened:
        yield opened


def test_a_run_prints_its_score_and_keeps_it_for_list(server: ScriptedServer) -> None:
    done = scout("eval", "run", "sums", "--gate", "skip", "--epochs", "2", "--json")
    assert done.code == 0, done.err
    jsonschema.validate(done.json, SCHEMA)
    (found,) = done.json
    assert (found["suite"], found["model"], found["summary"]["mean"], found["done"]) == ("sums", "scripted", 0.5, True)
    assert found["label"] == "model not checked"
    listed = scout("eval", "list", "--json")
    assert [run["id"] for run in listed.json] == [found["id"]]
    jsonschema.validate(listed.json, SCHEMA)
    (line,) = scout("eval", "list").out.splitlines()
    assert line.split("\t")[1:5] == ["scripted", "sums", "12 × 2", "50.0%"]


def test_what_a_score_hides_is_told_to_people_and_to_programs(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(case: Case[str], answer: Answer) -> Verdict:
        plain = right(case, answer)
        return replace(plain, parts={"wrong sum": 1 - plain.score})

    monkeypatch.setattr(suites, "installed", lambda folder: {"sums": suite(verify=verify)})
    done = scout("eval", "run", "sums", "--gate", "skip", "--epochs", "1", "--json")
    jsonschema.validate(done.json, SCHEMA)
    found = done.json[0]["summary"]
    assert (found["parts"]["wrong sum"]["n"], found["parts"]["wrong sum"]["mean"]) == (12, 0.5)
    assert {level: each["n"] for level, each in found["levels"].items()} == {"0": 4, "1": 4, "2": 4}
    monkeypatch.setattr("scout.cli.eval_run.on_terminal", lambda: True)
    last = scout("eval", "list").out.splitlines()[-1]
    assert last.endswith("level 0 50.0% of 4, level 1 50.0% of 4, level 2 50.0% of 4; wrong sum 50.0% of 12")


def test_the_gate_is_asked_first_and_its_word_labels_the_run(server: ScriptedServer) -> None:
    done = scout("eval", "run", "sums", "--limit", "4", "--json")
    assert done.code == 0, done.err
    assert done.json[0]["label"].startswith("model failed its check")  # it adds whatever it is asked
    assert {check["name"] for check in done.json[0]["checks"]["checks"]} >= {"schema accuracy", "queries answered"}
    kept = scout("eval", "run", "sums", "--limit", "4", "--gate", "kept", "--json")
    assert kept.json[0]["label"] == done.json[0]["label"]


def test_a_suite_that_fails_its_check_is_refused_by_name_and_the_others_still_run(server: ScriptedServer) -> None:
    alone = scout("eval", "run", "broken", "--gate", "skip")
    assert (alone.code, alone.out) == (1, "")
    assert "broken fails its self-check and shows no score: gold scores 0" in alone.err
    both = scout("eval", "run", "all", "--gate", "skip", "--json")
    assert [run["suite"] for run in both.json] == ["sums"]
    assert "broken fails its self-check" in both.err


def test_an_endpoint_that_dies_ends_with_75_and_resume_goes_on(server: ScriptedServer) -> None:
    server.fails(CLOSE, times=None)
    first = scout("eval", "run", "sums", "--gate", "skip", "--limit", "4", "--json")
    assert first.code == 75  # too few in a row to take it for dead, but nothing was answered
    assert "gave no answer at all" in first.err
    assert "8 of 8 answers are missing" in first.json[0]["label"]
    server.recovers()
    server.fails(status(401), times=None)
    stopped = scout("eval", "run", "sums", "--gate", "skip", "--epochs", "1", "--json")
    assert (stopped.code, stopped.json[0]["done"]) == (75, False)
    assert "--resume" in stopped.err
    server.recovers()
    resumed = scout("eval", "run", "sums", "--gate", "skip", "--epochs", "1", "--resume", "--json")
    assert (resumed.code, resumed.json[0]["id"]) == (0, stopped.json[0]["id"])


def test_resume_asks_no_suite_again_that_finished(server: ScriptedServer) -> None:
    words = ("eval", "run", "sums", "--gate", "skip", "--resume", "--json")
    first = scout(*words)
    asked = len(server.chats)
    assert (scout(*words).json, len(server.chats)) == (first.json, asked)


def test_another_temperature_stands_behind_the_name_and_is_compared_by_it(server: ScriptedServer) -> None:
    scout("eval", "run", "sums", "--gate", "skip")
    scout("eval", "run", "sums", "--gate", "skip", "--temperature", "0.2")
    done = scout("eval", "compare", "scripted", "scripted at temperature 0.2")
    assert done.code == 0, done.err
    assert done.out.startswith("scripted: no detectable difference in arithmetic (sums)")
    assert "Asked otherwise: temperature 0.7 and 0.2" in done.out
    named = scout("eval", "run", "sums", "--gate", "skip", "--max-tokens", "8", "--as", "in eight tokens", "--json")
    assert named.json[0]["options"] == {
        "asked": 12, "max_tokens": 8, "min_tokens": 0, "temperature": 0.7, "variant": "in eight tokens",
    }  # fmt: skip


def test_ctrl_c_names_resume(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **extra: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scout.cli.eval_run.measured", interrupted)
    done = scout("eval", "run", "sums")
    assert (done.code, done.out) == (130, "")
    assert "the same command with --resume goes on" in done.err


def test_a_key_goes_to_no_other_address_than_its_own(server: ScriptedServer, setenv: SetEnv) -> None:
    setenv({"SCOUT_MODEL__API_KEY": "secret-of-the-first"})
    with serving() as other:
        scout("eval", "run", "sums", "--gate", "skip", "--limit", "2", "--base-url", other.base_url)
        assert other.chats
        assert all("authorization" not in request.headers for request in other.requests)
    scout("eval", "run", "sums", "--gate", "skip", "--limit", "2")
    assert server.chats[0].headers["authorization"] == "Bearer secret-of-the-first"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "nonsense"), "no suite 'nonsense'; there are sums, broken"),
        (("compare", "a", "b"), "there is nothing in"),
        (("export", "out", "--run", "x"), "there is nothing in"),
    ],
    ids=["suite", "compare", "export"],
)
def test_what_is_not_there_is_named(server: ScriptedServer, words: tuple[str, ...], said: str) -> None:
    done = scout("eval", *words)
    assert (done.code, done.out) == (1, "")
    assert said in done.err


def test_without_an_endpoint_it_names_the_key_and_ends_with_78() -> None:
    done = scout("eval", "run", "sums")
    assert done.code == 78
    assert "model.base_urls" in done.err


def test_compare_says_the_verdict_and_refuses_other_versions(store: Store) -> None:
    for model, version in (("lab/A", 1), ("lab/B", 1), ("lab/C", 2)):
        eval_store.run(store, model, "code", AT, n=100, epochs=2, version=version)
    done = scout("eval", "compare", "lab/A", "lab/B", "--json")
    assert done.code == 0, done.err
    jsonschema.validate(done.json, COMPARED)
    (row,) = done.json["rows"]
    assert row["difference"]["n"] == 100
    assert row["result"] in done.json["verdict"] or "no detectable difference" in done.json["verdict"]
    refused = scout("eval", "compare", "lab/A", "lab/C")
    assert refused.code == 1
    assert "version 1 of code" in refused.err


def test_export_writes_what_every_eval_ever_reads(store: Store, tmp_path: Path) -> None:
    done = eval_store.run(store, "lab/A <b>", "code", AT, n=5, epochs=2, files=load().data_dir)
    out = scout("eval", "export", str(tmp_path / "out"))
    assert out.code == 0, out.err
    file = Path(out.out.strip())
    assert file.parent == tmp_path / "out" / "code" / "lab" / "A__b_"
    value = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(value, schema("eval-export"))
    assert value["model_info"]["id"] == "lab/A <b>"
    (result,) = value["evaluation_results"]
    assert result["score_details"]["score"] == done.summary["mean"]
    assert all(isinstance(part, str) for part in result["score_details"]["details"].values())
    lines = (file.parent / value["detailed_evaluation_results"]["file_path"]).read_text(encoding="utf-8").splitlines()
    samples = [json.loads(line) for line in lines]
    for sample in samples:
        jsonschema.validate(sample, schema("eval-export-sample"))
    assert len(samples) == 10 == value["detailed_evaluation_results"]["total_rows"]
    assert {sample["evaluation_id"] for sample in samples} == {value["evaluation_id"]}
    assert {sample["output"]["raw"][0] for sample in samples} <= {f"The answer is {3 * k}." for k in range(5)} | {
        "I think it is 7. [not a link](javascript:alert(1))"
    }


def test_a_conversation_is_exported_from_its_first_word_to_its_last(store: Store, tmp_path: Path) -> None:
    eval_store.run(store, "lab/A", "agentic", AT, n=2, epochs=1, files=load().data_dir, kind=Kind.AGENTIC)
    file = Path(scout("eval", "export", str(tmp_path / "out")).out.strip())
    (lines,) = file.parent.glob("*.jsonl")
    sample = json.loads(lines.read_text(encoding="utf-8").splitlines()[0])
    jsonschema.validate(sample, schema("eval-export-sample"))
    assert [turn["role"] for turn in sample["messages"]] == ["user", "assistant"]
    place = sample["answer_attribution"][0]["turn_idx"]
    assert sample["messages"][place]["content"] == sample["answer_attribution"][0]["extracted_value"]


def test_a_run_without_a_score_is_not_exported_as_a_nought(store: Store, tmp_path: Path) -> None:
    done = eval_store.run(store, "lab/A", "code", AT, n=2, epochs=1)
    store.evals.start(replace(done, summary={**done.summary, "n": 0, "mean": None, "se": None}))
    out = scout("eval", "export", str(tmp_path / "out"))
    assert (out.code, out.out) == (0, "")
    assert "has no score" in out.err


def test_a_night_is_told_in_its_schema(server: ScriptedServer, setenv: SetEnv) -> None:
    setenv({"SCOUT_EVAL__SUITES": '["sums"]', "SCOUT_EVAL__ITEMS": "4"})
    done = scout("eval", "watch", "--gate", "skip", "--json")
    assert done.code == 0, done.err
    jsonschema.validate(done.json, schema("eval-watch"))
    assert len(done.json["runs"]) == 1


def test_watch_tells_which_releases_are_due(store: Store) -> None:
    eval_store.fill(load().data_dir, n=10, epochs=1).close()
    shown = scout("eval", "watch", "--dry-run")
    assert shown.code == 0
    assert shown.out == ""  # all are older than eval.max_age_days
