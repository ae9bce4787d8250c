"""Items that make the model's server fail: suspected, asked for alone, given up on; never where the server is to blame."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import scripted_server as scripted
from click.testing import CliRunner
from deadlines import Deadlines
from enrich_samples import (
    DAY,
    NOON,
    READER,
    fill,
    is_about_an_item,
    item,
    number_of,
    outcome,
    read,
    settings,
)  # fmt: skip
from jsonschema import validate
from scripted_server import Fault, Request, ScriptedServer

from scout import pipeline
from scout.cli.app import app
from scout.digest.build import build
from scout.reading.reader import Outcome
from scout.serving.errors import ModelFault
from scout.store import Store
from scout.store.summaries import EXTRACTIVE

BAD = 3


def on(number: int, fault: Fault) -> Callable[[Request], Fault | None]:
    """The fault for what is asked of that item alone."""
    return lambda request: fault if of_item(number)(request) else None


def of_item(number: int) -> Callable[[Request], bool]:
    return lambda request: is_about_an_item(request) and number_of(request) == number


def deadly(server: ScriptedServer, number: int) -> Callable[[Request], Fault | None]:
    """That item takes the server down, for everybody, until it recovers."""

    def trouble(request: Request) -> Fault | None:
        if of_item(number)(request):
            server.fails(scripted.CLOSE, times=None)
        return None

    return trouble


def failures(store: Store) -> dict[int, int]:
    """Item → how often it was blamed."""
    return {int(row["item_id"][-5:]): row["failures"] for row in store.rows("SELECT item_id, failures FROM attempts")}


def alone(server: ScriptedServer, since: int) -> list[int]:
    """Items in the order in which they were first asked for after so many chats."""
    return list(dict.fromkeys(number_of(request) for request in server.chats[since:] if is_about_an_item(request)))


def test_an_item_that_breaks_the_server_each_time_is_given_up_on_in_the_second_run(
    store: Store, server: ScriptedServer
) -> None:
    fill(store, [item(n) for n in range(6)])
    server.trouble = on(BAD, scripted.CLOSE)
    first = read(store, server)
    assert (first.done, first.waiting, first.suspected, first.away) == (5, 1, 1, False)
    assert failures(store) == {BAD: 1}
    second = read(store, server)
    assert (second.outcomes, second.waiting, second.suspected) == ({Outcome.FAILED: 1}, 0, 0)
    assert failures(store) == {}
    asked = len(server.chats)
    assert read(store, server).done == 0
    assert len(server.chats) == asked


def test_one_that_takes_the_server_down_costs_no_other_item_its_reading(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(n) for n in range(12)])
    server.trouble = deadly(server, BAD)
    runs = []
    for _ in range(4):
        server.recovers()
        runs.append(read(store, server, concurrency=4))
    assert runs[0].away
    assert runs[-1].waiting == 0
    ended = {n: outcome(store, item(n)) for n in range(12)}
    assert {n for n, how in ended.items() if how == Outcome.FAILED} == {BAD}
    assert set(ended.values()) == {Outcome.FAILED, Outcome.SUMMARIZED}


def test_suspects_are_asked_for_last_and_alone_the_least_suspect_first(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(n) for n in range(4)])
    server.trouble = deadly(server, 1)
    read(store, server, concurrency=4)
    server.recovers()
    read(store, server, concurrency=1)
    assert failures(store) == {1: 1, 2: 0, 3: 0}
    store.items.add([item(7)], NOON)
    fill(store, [item(7)])
    server.recovers()
    since = len(server.chats)
    read(store, server)
    assert alone(server, since) == [7, 2, 3, 1]


@pytest.mark.parametrize("fault", [scripted.CLOSE, scripted.status(500)], ids=["closed", "500"])
def test_a_server_that_is_away_for_everybody_is_no_items_fault(
    store: Store, server: ScriptedServer, fault: Fault
) -> None:
    fill(store, [item(n) for n in range(5)])
    for _ in range(3):
        server.fails(fault, times=None)
        assert read(store, server).away
    assert set(failures(store).values()) <= {0}
    server.recovers()
    assert read(store, server).outcomes == {Outcome.SUMMARIZED: 5}
    assert failures(store) == {}


def test_a_server_that_is_not_there_makes_nobody_suspect(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(1)])
    server.stop()
    assert read(store, server, name="scripted").stopped is ModelFault.AWAY
    assert failures(store) == {}


def test_an_item_whose_answer_never_comes_is_given_up_on_where_others_come_in_time(
    store: Store, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, [item(n) for n in range(3)])
    Deadlines(server, monkeypatch).hang(of_item(1))
    first = read(store, server, concurrency=1)
    assert (first.done, first.away, first.faults) == (2, False, {ModelFault.SLOW: 2})
    assert read(store, server, concurrency=1).outcomes == {Outcome.FAILED: 1}


def test_one_late_answer_is_asked_for_again_in_the_same_run(
    store: Store, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, [item(n) for n in range(4)])
    Deadlines(server, monkeypatch).hang(of_item(2), times=1)
    report = read(store, server, concurrency=1)
    assert (report.done, report.waiting, report.faults) == (4, 0, {ModelFault.SLOW: 1})


def test_a_server_too_slow_for_all_is_away_and_no_item_is_blamed(
    store: Store, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, [item(n) for n in range(5)])
    Deadlines(server, monkeypatch).hang(is_about_an_item)
    for _ in range(2):
        report = read(store, server, concurrency=1)
        assert report.done == 0
    assert set(failures(store).values()) == {0}


def test_a_new_text_or_another_model_is_tried_anew(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(BAD)])
    server.trouble = on(BAD, scripted.CLOSE)
    read(store, server)
    assert read(store, server).outcomes == {Outcome.FAILED: 1}
    server.trouble = lambda request: None
    assert read(store, server).done == 0
    store.items.update(
        [replace(item(BAD), text="We study the agents of quite another kind. It holds for each.", version=2)], NOON
    )
    assert read(store, server).outcomes == {Outcome.SUMMARIZED: 1}
    server.model = "another"
    assert read(store, server).done == 1


def test_digest_stats_and_show_say_that_it_was_given_up_on(
    store: Store, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, [item(n) for n in (1, BAD)])
    pipeline.summarize(store, [item(n) for n in (1, BAD)])
    server.trouble = on(BAD, scripted.CLOSE)
    monkeypatch.setenv("SCOUT_DATA_DIR", str(store.path.parent))
    read(store, server)
    shown = CliRunner().invoke(app, ["show", item(BAD).id])
    assert "reading: waiting (" in shown.output
    read(store, server)
    assert store.summaries.of([item(BAD).id])[item(BAD).id].by == EXTRACTIVE
    made = build(store, settings(store.path.parent, server.base_url), reader=READER, day=DAY)
    assert "The model gave no answer on 1 item in several runs; its summary is a sentence of its own." in made.note
    assert store.stats()["readings"] == {"failed": 1, "summarized": 1}
    schema = json.loads((Path(__file__).parents[1] / "docs/schemas/stats.schema.json").read_text(encoding="utf-8"))
    validate(store.stats(), schema)
    shown = CliRunner().invoke(app, ["show", item(BAD).id])
    assert "reading by scripted: failed (given up on: in 2 runs" in shown.output.replace("\n", " ")
    told = json.loads(CliRunner().invoke(app, ["show", item(BAD).id, "--json"]).stdout)
    assert told["reading"]["outcome"] == "failed"


def test_every_decision_names_a_policy_that_the_registry_knows(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(1)])
    read(store, server)
    version = store.decisions.of(READER, [item(1).id])[item(1).id].policy
    known = store.policies.get(version)
    assert known is not None
    assert (known.recipe, known.reader, known.facts["model"]) == ("llm-1", READER, "scripted")
    assert set(known.facts["prompts"]) == {"route", "rate", "summarize", "entail", "repair"}
    assert version.endswith(known.facts["base"]["recipe"])
    champion = store.policies.champion(READER)
    assert champion is not None
    assert champion.version == known.facts["base"]["version"] == known.training
