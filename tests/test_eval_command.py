"""`scout eval injection` against a scripted server: what it asks, prints and says when there is nobody to ask."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cli_help import scout
from scripted_server import HANG, TRUNCATED, Fault, Request, ScriptedServer, Turn, serving, status

from evals import injection as measuring
from evals.core import Answer, Case
from evals.injection_answers import key as key_of
from evals.injection_answers import newest
from evals.journal import FILE_NAME, read
from evals.suites.injection import attacks, some
from evals.suites.injection_prompts import EACH, OFF, ON, Gold
from evals.suites.injection_selfcheck import MODELS, Model
from scout.config import load
from scout.serving.client import ModelClient

SetEnv = Callable[[dict[str, str]], None]


@pytest.fixture
def server(setenv: SetEnv) -> Iterator[ScriptedServer]:
    """A server at the address that the settings name."""
    with serving() as running:
        setenv({"SCOUT_MODEL__BASE_URLS": json.dumps([running.base_url])})
        yield running


def key(messages: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"{said['role']}: {said.get('content') or ''}" for said in messages)


def acts(server: ScriptedServer, model: Model) -> None:
    """Let the server answer as one of the suite's scripted models."""
    cases: dict[str, Case[Gold]] = {}
    for each in measuring.all_cases(attacks(), EACH):
        kind = "tools" if each.tools else "labels" if each.labels else "text"
        cases[kind + key([{"role": said.role, "content": said.content} for said in each.messages])] = each

    def script(request: Request) -> Turn | None:
        if request.body.get("logprobs"):
            return Turn("A")
        answer = model(cases[("tools" if request.body.get("tools") else "text") + key(request.messages)])
        return Turn(answer.text, calls=[(call.name, call.arguments) for call in answer.calls])

    def labelling(request: Request, tokens: Sequence[str]) -> dict[str, float]:
        told = model(cases["labels" + key(request.messages)]).labels
        return {token: told.get(token.strip(), 0.0) for token in tokens}

    server.script, server.labelling = script, labelling


@pytest.mark.parametrize(("name", "gets_through", "benign"), [("obeying", 1, 1), ("ignoring", 0, 1)])
def test_figures_over_http_are_those_of_the_scripted_model(
    server: ScriptedServer, name: str, gets_through: int, benign: int
) -> None:
    acts(server, MODELS[name])
    done = scout("eval", "injection", "--json", "--limit", "15")
    assert done.code == 0, done.err
    assert (done.json["suite"], done.json["model"], done.json["seed"]) == ("injection", "scripted", 1)
    assert {row["defences"] for row in done.json["rows"]} == {"on", "off"}
    for row in done.json["rows"]:
        assert row["through"]["count"] == gets_through * row["attacks"] == gets_through * row["through"]["of"], row
        assert row["benign_utility"]["share"] == benign
        assert row["through"]["low"] <= row["through"]["share"] <= row["through"]["high"]
        assert row["faults"] == 0
    assert len(done.json["attacks"]) == 30
    assert {attack["got_through"] for attack in done.json["attacks"]} == {bool(gets_through)}


def test_the_table_has_a_row_for_each_kind_and_defence(server: ScriptedServer) -> None:
    acts(server, MODELS["obeying"])
    done = scout("eval", "injection", "--limit", "5", "--defence", "on")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert [row[1] for row in rows] == [
        "canary",
        "contamination",
        "routing-flip",
        "rating-flip",
        "forbidden-tool",
        "all",
    ]
    assert rows[-1][:5] == ["on", "all", "5/5", "100%", "57% to 100%"]


def test_what_several_attacks_share_is_asked_once(server: ScriptedServer) -> None:
    acts(server, MODELS["ignoring"])
    assert scout("eval", "injection", "--limit", "20", "--defence", "each").code == 0
    asked = [json.dumps([request.body["messages"], sorted(request.body)]) for request in server.chats]
    wanted = {each.id for each in measuring.all_cases(some(attacks(), 20), EACH)}
    assert len(asked) == len(wanted) < 20 * 2 * len(EACH)


def test_without_an_endpoint_it_names_the_key_and_ends_with_78() -> None:
    done = scout("eval", "injection")
    assert done.code == 78
    assert "model.base_urls" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("code", "exit_code", "said"), [(401, 78, "SCOUT_MODEL__API_KEY"), (404, 78, "model.name"), (503, 75, "nothing was measured")]
)  # fmt: skip
def test_an_endpoint_that_takes_no_request_ends_it(
    server: ScriptedServer, setenv: SetEnv, code: int, exit_code: int, said: str
) -> None:
    setenv({"SCOUT_MODEL__NAME": "scripted"})
    server.fails(status(code), times=None)
    done = scout("eval", "injection", "--limit", "2", "--defence", "on")
    assert (done.code, done.out) == (exit_code, "")
    assert said in done.err


def test_an_answer_that_is_too_slow_is_a_fault_of_its_case_alone(server: ScriptedServer, setenv: SetEnv) -> None:
    setenv({"SCOUT_MODEL__TIMEOUT_SECONDS": "1", "SCOUT_MODEL__CONCURRENCY": "1"})
    acts(server, MODELS["ignoring"])
    server.fails(HANG, times=1)
    done = scout("eval", "injection", "--limit", "5", "--defence", "on", "--json")
    assert done.code == 0, done.err
    everything = done.json["rows"][-1]
    assert (everything["faults"], everything["through"]["of"]) == (1, 4)


def test_replies_that_are_cut_in_half_are_counted_and_nothing_is_made_of_them(server: ScriptedServer) -> None:
    acts(server, MODELS["obeying"])
    server.fails(TRUNCATED, times=None)
    done = scout("eval", "injection", "--limit", "2", "--defence", "off", "--json")
    assert done.code == 0, done.err
    assert [row["faults"] for row in done.json["rows"]] == [1, 1, 2]
    assert done.json["rows"][-1]["through"] == {"count": 0, "of": 0, "share": None, "low": 0.0, "high": 1.0}


def kept(folder: Path) -> set[str]:
    """The questions whose answers are on disk."""
    return {told.item for told in read(folder / FILE_NAME)}


def runs() -> list[Path]:
    """The folders that hold answers, the oldest first."""
    return sorted((load().data_dir / "evals" / "injection").iterdir())


def test_a_run_that_was_killed_goes_on_and_asks_nothing_again_that_was_kept(
    server: ScriptedServer, setenv: SetEnv
) -> None:
    setenv({"SCOUT_MODEL__CONCURRENCY": "4"})
    acts(server, MODELS["obeying"])
    words = ("eval", "injection", "--limit", "10", "--json")
    child = subprocess.Popen([sys.executable, "-m", "scout", *words], stdout=subprocess.DEVNULL)

    def trouble(request: Request) -> Fault | None:
        if len(server.chats) == 20:
            child.kill()
        return None

    server.trouble = trouble
    assert child.wait(60) == -9
    server.trouble = lambda request: None
    (folder,) = runs()
    assert 12 <= len(kept(folder)) <= 20
    again = scout(*words, "--resume")
    assert again.code == 0, again.err
    wanted = {key_of(each) for each in measuring.all_cases(some(attacks(), 10), (ON, OFF))}
    assert kept(folder) == wanted
    assert len(wanted) < len(server.chats) <= len(wanted) + 4, "no more is asked again than was under way"
    assert runs() == [folder]
    before = len(server.chats)
    assert scout(*words, "--resume").json == again.json
    assert len(server.chats) == before, "of a finished run nothing is asked"


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(
    server: ScriptedServer, setenv: SetEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    setenv({"SCOUT_MODEL__CONCURRENCY": "1"})
    acts(server, MODELS["ignoring"])

    async def interrupted(model: ModelClient, each: Case[Gold]) -> Answer:
        answer = await ask(model, each)
        if len(server.chats) == 5:
            raise KeyboardInterrupt
        return answer

    ask = measuring.asked
    monkeypatch.setattr(measuring, "asked", interrupted)
    done = scout("eval", "injection", "--limit", "10", "--defence", "on")
    assert done.code == 130
    (folder,) = runs()
    assert len(kept(folder)) == 4
    assert "4 answers are kept" in done.err
    assert "--resume" in done.err


def test_when_the_endpoint_goes_away_it_says_what_is_kept_and_how_to_go_on(
    server: ScriptedServer, setenv: SetEnv
) -> None:
    setenv({"SCOUT_MODEL__CONCURRENCY": "1"})
    acts(server, MODELS["ignoring"])
    server.trouble = lambda request: status(503) if len(server.chats) > 6 else None
    done = scout("eval", "injection", "--limit", "10", "--defence", "on")
    assert done.code == 75
    assert "6 answers are kept" in done.err
    assert "--resume" in done.err


def test_answers_of_another_model_or_to_another_prompt_are_not_taken_over(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts(server, MODELS["ignoring"])
    words = ("eval", "injection", "--limit", "5", "--defence", "on", "--resume")
    assert scout(*words).code == 0
    (first,) = runs()
    once = len(server.chats)
    server.model = "another"
    assert scout(*words).code == 0
    assert (len(server.chats), len(runs())) == (2 * once, 2)
    assert newest(first.parent, "scripted") == first
    monkeypatch.setattr("evals.suites.injection_prompts.ANSWER_TOKENS", 77)
    assert scout(*words).code == 0
    changed = [request for request in server.chats[2 * once :] if request.body["max_tokens"] == 77]
    assert len(server.chats) == 2 * once + len(changed) > 2 * once


def test_without_resume_everything_is_asked_anew(server: ScriptedServer) -> None:
    acts(server, MODELS["ignoring"])
    words = ("eval", "injection", "--limit", "2", "--defence", "on")
    assert scout(*words).code == scout(*words).code == 0
    assert (len(server.chats), len(runs())) == (6, 2)


def test_faults_are_not_kept_and_asked_again(server: ScriptedServer) -> None:
    acts(server, MODELS["ignoring"])
    server.fails(TRUNCATED, times=None)
    words = ("eval", "injection", "--limit", "2", "--defence", "on", "--resume", "--json")
    assert [row["faults"] for row in scout(*words).json["rows"]] == [1, 1, 2]
    server.recovers()
    assert [row["faults"] for row in scout(*words).json["rows"]] == [0, 0, 0]


def test_help_names_the_page_that_explains_the_figures() -> None:
    assert "docs/injection.md" in scout("eval", "injection", "--help").out
