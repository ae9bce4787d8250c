"""The deployment gate: what it measures, what fails it, and that its verdict is remembered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import scripted_server as scripted
from cli_help import scout
from jsonschema import Draft202012Validator
from scripted_server import Request, ScriptedServer, Turn

from scout.config import Model
from scout.serving import gate, probes, verdicts
from scout.serving.client import ModelClient, Patience
from scout.serving.errors import ModelError
from scout.serving.gate import Check, Result, Verdict

GOOD_CALL = ("weather", {"city": "Paris", "unit": "celsius"})


def well_behaved(request: Request) -> Turn | None:
    if request.body.get("tools"):
        wants = "weather" in request.last
        return Turn(reasoning="I should look.", calls=[GOOD_CALL]) if wants else Turn("8", reasoning="Easy.")
    return None


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted.serving() as running:
        running.script = well_behaved
        running.labelling = lambda request, tokens: {t: 1.0 if t.strip() in "AB" else 0.0 for t in tokens}
        yield running


def verdict_of(server: ScriptedServer, queries: int = 8) -> Verdict:
    async def inside() -> Verdict:
        settings = Model(base_urls=(server.base_url,))
        async with ModelClient(settings, patience=Patience(attempts=1)) as client:
            return await gate.check(client, queries=queries)

    return asyncio.run(inside())


def check_of(server: ScriptedServer, name: str) -> Check:
    return next(check for check in verdict_of(server).checks if check.name == name)


def test_a_well_behaved_model_passes_and_its_work_carries_no_label(server: ScriptedServer) -> None:
    verdict = verdict_of(server)
    assert [(c.name, c.result) for c in verdict.checks if c.result != Result.PASSED] == []
    assert verdict.passed
    assert verdict.label == ""
    assert (verdict.model, verdict.endpoint) == ("scripted", server.base_url)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (lambda r: Turn("{}") if r.schema else well_behaved(r), "schema accuracy"),
        (lambda r: Turn('{"tldr": "x", "points": [') if r.schema else well_behaved(r), "schema accuracy"),
        (lambda r: Turn("It is warm.") if r.body.get("tools") else None, "tool-call trigger F1"),
        (lambda r: Turn(calls=[GOOD_CALL]) if r.body.get("tools") else None, "tool-call trigger F1"),
        (
            lambda r: Turn(calls=[("weather", '{"city": ')]) if "weather" in r.last else well_behaved(r),
            "tool-call arguments",
        ),
        (lambda r: well_behaved(r) if r.body.get("tools") or r.schema else Turn(""), "empty replies"),
        (
            lambda r: well_behaved(r) if r.body.get("tools") or r.schema else Turn("", reasoning="Hm."),
            "reasoning-only replies",
        ),
    ],
)
def test_each_misbehaviour_fails_its_check(server: ScriptedServer, said: scripted.Script, name: str) -> None:
    server.script = said
    verdict = verdict_of(server)
    assert name in verdict.failed
    assert name in verdict.label


def test_thinking_that_the_template_drops_fails_the_round_trip(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "rendered", lambda messages: "".join(str(m.get("content")) for m in messages))
    assert check_of(server, "reasoning round trip").result == Result.FAILED


def test_where_thinking_cannot_be_looked_for_nothing_is_claimed(server: ScriptedServer) -> None:
    server.script = lambda r: (
        Turn("8") if "plus" in r.last else Turn(calls=[GOOD_CALL]) if r.body.get("tools") else None
    )
    check = check_of(server, "reasoning round trip")
    assert check.result == Result.UNKNOWN
    assert check.note == "the model does not think aloud"


def test_probability_elsewhere_than_on_the_labels_fails(server: ScriptedServer) -> None:
    server.tells_tokens = False
    server.labelling = lambda request, tokens: dict.fromkeys(tokens, 1.0)
    assert check_of(server, "label token mass").result == Result.FAILED


def test_a_query_that_is_answered_at_the_second_try_is_answered(server: ScriptedServer) -> None:
    server.fails(scripted.TRUNCATED)
    assert check_of(server, "queries answered").result == Result.PASSED


def test_a_server_that_is_away_gives_no_verdict(server: ScriptedServer) -> None:
    server.fails(scripted.status(503), times=None)
    with pytest.raises(ModelError):
        verdict_of(server)


def test_trigger_f1_by_hand() -> None:
    assert gate.f1([(True, True), (False, False)]) == 1.0
    assert gate.f1([(True, True), (True, False), (False, True)]) == pytest.approx(0.5)
    assert gate.f1([(True, False)]) == 0.0
    assert gate.f1([]) == 0.0


def test_thresholds_are_floors_and_ceilings() -> None:
    assert Check("x", 0.98, 0.98, 5).result == Result.PASSED
    assert Check("x", 0.97, 0.98, 5).result == Result.FAILED
    assert Check("x", 0.0, 0.0, 5, at_least=False).result == Result.PASSED
    assert Check("x", 0.1, 0.0, 5, at_least=False).result == Result.FAILED


def test_the_schemas_asked_for_are_schemas() -> None:
    for schema in (probes.SUMMARY_SCHEMA, probes.WEATHER.parameters):
        Draft202012Validator.check_schema(dict(schema))
        assert schema["required"]


def test_a_verdict_is_remembered_by_model(tmp_path: Path) -> None:
    assert verdicts.label(tmp_path, "x") == verdicts.UNCHECKED
    verdicts.keep(tmp_path, Verdict("x", "u", (Check("schema accuracy", 0.5, 0.98, 4),)))
    verdicts.keep(tmp_path, Verdict("y", "u", (Check("schema accuracy", 1.0, 0.98, 4),)))
    assert verdicts.label(tmp_path, "x") == "model failed its check: schema accuracy"
    assert verdicts.label(tmp_path, "y") == ""
    (tmp_path / verdicts.FILE_NAME).write_text("{")
    assert verdicts.label(tmp_path, "y") == verdicts.UNCHECKED


# The command line


def test_the_command_passes_a_good_model_and_fails_a_bad_one(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCOUT_MODEL__BASE_URLS", json.dumps([server.base_url]))
    assert scout("model", "check", "--queries", "4").code == 0
    server.script = lambda request: ""
    shown = scout("model", "check", "--queries", "4", "--json")
    assert shown.code == 1
    assert shown.json["passed"] is False
    assert verdicts.label(tmp_path / "data", "scripted") == shown.json["label"] != ""


def test_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> None:
    unset = scout("model", "check")
    assert unset.code == 78
    assert "model.base_urls" in unset.err
    monkeypatch.setenv("SCOUT_MODEL__BASE_URLS", json.dumps([server.base_url]))
    server.key = "sk-x"
    assert scout("model", "check").code == 78
    server.stop()
    assert scout("model", "check").code == 75
