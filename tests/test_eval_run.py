"""A suite run on a scripted endpoint: what is asked, kept, counted apart, and gone on with after a stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai", reason="the evals extra is not installed")

from eval_samples import adds, adds_even, right, suite
from scripted_server import CLOSE, HANG, TRUNCATED, Fault, Request, ScriptedServer, Turn, serving, status, too_long

from evals.asking import Manner
from evals.core import Answer, Case, Suite, Verdict
from evals.evaluate import Plan, Refused, evaluate
from evals.journal import FILE_NAME, read
from evals.transcripts import folder
from scout.config import Model
from scout.serving.client import ModelClient, Patience
from scout.store import Store
from scout.store.evals import EvalRun


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as running:
        running.script = adds
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "scout.db") as opened:
        yield opened


def plan(of: Suite, **changes: Any) -> Plan:
    values: dict[str, Any] = {"seed": 1, "items": 12, "epochs": 1, "manner": Manner(temperature=0.0)}
    return Plan(suite=of, **{**values, **changes})


def ran(
    store: Store, server: ScriptedServer, of: Plan, *, resume: bool = False, at_once: int = 4, **extra: Any
) -> EvalRun:
    async def go() -> EvalRun:
        settings = Model(base_urls=(server.base_url,), concurrency=at_once)

        async def no_pause(seconds: float) -> None:
            return None

        async with ModelClient(settings, patience=Patience(attempts=2), pause=no_pause) as client:
            return await evaluate(store, store.path.parent, client, of, resume=resume, **extra)

    return asyncio.run(go())


def test_a_model_that_is_right_on_half_scores_a_half(store: Store, server: ScriptedServer) -> None:
    server.script = adds_even
    done = ran(store, server, plan(suite(), epochs=2))
    assert done.is_done
    assert done.label == ""
    assert (done.summary["n"], done.summary["families"], done.summary["mean"]) == (12, 3, 0.5)
    assert done.summary["pass"] == {"1": 0.5, "2": 0.5}
    assert (done.summary["answers"], done.summary["errors"]) == (24, 0)
    items = {each.item: each for each in store.evals.items(done.id)}
    assert items["sum-1-2"].scores == (1.0, 1.0)
    assert items["sum-1-3"].scores == (0.0, 0.0)
    assert store.evals.get(done.id) == done


def test_each_epoch_is_asked_with_a_seed_of_its_own(store: Store, server: ScriptedServer) -> None:
    ran(store, server, plan(suite(), epochs=3, items=4, manner=Manner(temperature=0.7)))
    assert sorted(chat.body["seed"] for chat in server.chats) == [1] * 4 + [2] * 4 + [3] * 4
    assert {chat.body["temperature"] for chat in server.chats} == {0.7}


def test_the_log_is_one_that_inspect_reads_with_every_sample_and_score(store: Store, server: ScriptedServer) -> None:
    from inspect_ai.log import read_eval_log

    server.script = adds_even
    done = ran(store, server, plan(suite(), epochs=2))
    (file,) = folder(store.path.parent, done.id).glob("*.eval")
    log = read_eval_log(str(file))
    assert log.status == "success"
    assert log.eval.model == "scout/scripted"
    assert log.samples is not None
    assert sorted((str(s.id), s.epoch) for s in log.samples) == sorted(
        (f"sum-1-{k}", e) for k in range(12) for e in (1, 2)
    )
    assert {str(s.id) for s in log.samples if s.scores and s.scores["verdict"].value == 1} == {
        f"sum-1-{k}" for k in range(0, 12, 2)
    }
    assert log.samples[0].messages[-1].role == "assistant"


def test_faults_of_the_endpoint_are_counted_apart_and_lower_no_score(store: Store, server: ScriptedServer) -> None:
    server.fails(status(503), times=2)  # both tries of one item
    done = ran(store, server, plan(suite()), at_once=1)
    assert done.is_done
    assert done.summary["mean"] == 1.0
    assert (done.summary["n"], done.summary["errors"], done.summary["faults"]) == (11, 1, {"away": 1})
    assert "1 of 12 answers are missing" in done.label
    assert [each.mean for each in store.evals.items(done.id)].count(None) == 1


@pytest.mark.parametrize(
    ("fault", "kind"), [(TRUNCATED, "bad-reply"), (too_long(), "too-long"), (CLOSE, "away")],
    ids=["garbage", "too long", "closed"],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_of_its_kind(
    store: Store, server: ScriptedServer, fault: Any, kind: str
) -> None:
    server.fails(fault, times=2)
    done = ran(store, server, plan(suite()), at_once=1)
    assert kind in done.summary["faults"]
    assert done.summary["mean"] == 1.0


def test_a_garbled_answer_is_wrong_and_no_error(store: Store, server: ScriptedServer) -> None:
    server.script = lambda request: "\x00\ufffd{{{" * 5
    done = ran(store, server, plan(suite()))
    assert (done.summary["mean"], done.summary["errors"]) == (0.0, 0)
    assert done.summary["low"] == 0.0 < done.summary["high"]  # an interval of no width would claim to know


def test_answers_that_run_into_their_limit_are_counted_and_label_the_run(store: Store, server: ScriptedServer) -> None:
    server.script = lambda request: Turn("the sum of", finish="length")
    done = ran(store, server, plan(suite()))
    assert done.summary["cut"] == 12
    assert "limit of tokens" in done.label


def test_a_model_that_refuses_all_is_wrong_and_counted_as_refusing(store: Store, server: ScriptedServer) -> None:
    server.script = lambda request: "I’m sorry, but I can't help with that."
    done = ran(store, server, plan(suite()))
    assert (done.summary["mean"], done.summary["refusals"], done.summary["errors"]) == (0.0, 12, 0)


def test_an_endpoint_that_dies_leaves_a_run_that_goes_on_where_it_was(store: Store, server: ScriptedServer) -> None:
    asked: list[str] = []

    def dying(request: Request) -> str:
        asked.append(request.last)
        if len(asked) == 5:
            server.fails(CLOSE, times=None)
        return adds(request)

    server.script = dying
    first = ran(store, server, plan(suite(), items=40), at_once=1)
    assert not first.is_done
    assert "--resume" in first.message
    assert first.summary["answers"] == 5
    assert len(server.chats) <= 5 + 2 * (8 + 4)  # taken for dead after eight; only what was under way is still tried
    server.recovers()
    server.requests.clear()
    between: list[EvalRun | None] = []

    def looking(request: Request) -> str:
        with Store(store.path) as beside:
            between.append(beside.evals.get(first.id))
        return adds(request)

    server.script = looking
    second = ran(store, server, plan(suite(), items=40), resume=True, at_once=1)
    assert second.id == first.id
    assert second.is_done
    assert (second.summary["answers"], second.summary["mean"], second.message) == (40, 1.0, "")
    assert len(server.chats) == 35
    (said,) = {run.message for run in between if run}  # what had stopped it then is no reason any more
    assert said.startswith("did not finish yet")


def test_a_run_that_is_interrupted_is_not_taken_for_finished(store: Store, server: ScriptedServer) -> None:
    enough = threading.Event()

    def no_more(request: Request) -> Fault | None:
        if len(server.chats) <= 6:
            return None
        enough.set()
        return HANG

    server.trouble = no_more

    async def interrupted() -> None:
        async with ModelClient(Model(base_urls=(server.base_url,), concurrency=2)) as client:
            running = asyncio.create_task(evaluate(store, store.path.parent, client, plan(suite(), items=40)))
            assert await asyncio.to_thread(enough.wait, 60)
            running.cancel()
            await running

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    (left,) = store.evals.listing()
    assert not left.is_done
    server.trouble = lambda request: None
    again = ran(store, server, plan(suite(), items=40), resume=True)
    assert (again.id, again.is_done, again.summary["answers"]) == (left.id, True, 40)
    assert len(server.chats) < 40 + 6  # what had been answered was not asked again
    assert len(list(folder(store.path.parent, left.id).glob("*.eval"))) == 1


def test_without_resume_a_stopped_run_is_left_as_it_is(store: Store, server: ScriptedServer) -> None:
    server.fails(CLOSE, times=None)
    first = ran(store, server, plan(suite(), items=12), at_once=1)
    server.recovers()
    second = ran(store, server, plan(suite(), items=12))
    assert (first.id != second.id, first.is_done, second.is_done) == (True, False, True)


def test_a_finished_run_of_the_same_plan_is_handed_back_where_it_is_to_be_kept(
    store: Store, server: ScriptedServer
) -> None:
    first = ran(store, server, plan(suite(), items=4))
    asked = len(server.chats)
    assert ran(store, server, plan(suite(), items=4), resume=True, keep=True) == first
    assert len(server.chats) == asked
    other = ran(store, server, plan(suite(), items=4, manner=Manner(temperature=0.5)), resume=True, keep=True)
    assert (other.id != first.id, len(server.chats)) == (True, 2 * asked)


def test_a_run_of_fewer_items_than_its_suite_has_is_labelled_so(store: Store, server: ScriptedServer) -> None:
    assert ran(store, server, plan(suite(), items=4)).label == "4 items, where the suite asks 12"


def test_no_answer_is_longer_than_the_settings_allow(store: Store, server: ScriptedServer) -> None:
    ran(store, server, plan(suite(), items=2, manner=Manner(temperature=0.0, max_tokens=20)))
    ran(store, server, plan(suite(), items=2, manner=Manner(temperature=0.0, max_tokens=99, min_tokens=64)))
    assert [chat.body["max_tokens"] for chat in server.chats] == [20, 20, 64, 64]


def test_a_journal_cut_off_in_the_middle_of_a_line_is_gone_on_with(store: Store, server: ScriptedServer) -> None:
    done = ran(store, server, plan(suite(), items=4))
    store.evals.start(replace(done, finished=None))
    journal = folder(store.path.parent, done.id) / FILE_NAME
    journal.write_bytes(journal.read_bytes()[:-20])
    server.requests.clear()
    again = ran(store, server, plan(suite(), items=4), resume=True)
    assert (again.id, again.summary["answers"], len(server.chats)) == (done.id, 4, 1)
    assert len(list(read(journal))) == 4


def test_a_key_that_is_refused_ends_the_run_at_once(store: Store, server: ScriptedServer) -> None:
    ran(store, server, plan(suite(), items=2))  # the model's name is known before
    server.fails(status(401), times=None)
    done = ran(store, server, plan(suite()), at_once=1)
    assert not done.is_done
    assert "SCOUT_MODEL__API_KEY" in done.message
    assert len(server.chats) <= 2 + 4  # those that were under way


def test_a_verifier_that_throws_spoils_its_items_and_not_the_run(store: Store, server: ScriptedServer) -> None:
    def brittle(case: Case[str], answer: Answer) -> Verdict:
        if case.id.endswith("-3"):
            raise ZeroDivisionError("of its own")
        return right(case, answer)

    done = ran(store, server, plan(suite(verify=brittle)))
    assert done.is_done
    assert (done.summary["n"], done.summary["mean"], done.summary["faults"]) == (11, 1.0, {"verifier": 1})
    assert "verifier" in done.label


def test_a_score_beyond_its_range_is_no_score(store: Store, server: ScriptedServer) -> None:
    done = ran(store, server, plan(suite(verify=lambda case, answer: Verdict(case.id, 7.0))))
    assert (done.summary["n"], done.summary["mean"], done.summary["faults"]) == (0, None, {"verifier": 12})


def test_a_suite_that_fails_its_own_check_is_refused_by_name_and_asks_nothing(
    store: Store, server: ScriptedServer
) -> None:
    with pytest.raises(Refused, match=r"sums fails its self-check.*gold scores 0"):
        ran(store, server, plan(suite()), vet=lambda each: "gold scores 0")
    assert server.chats == []
    assert store.evals.listing() == []


def test_a_suite_that_cannot_run_here_says_why(store: Store, server: ScriptedServer) -> None:
    with pytest.raises(Refused, match="no isolation here"):
        ran(store, server, plan(replace(suite(), unavailable=lambda: "no isolation here")))


def test_the_gates_word_labels_the_run(store: Store, server: ScriptedServer) -> None:
    done = ran(store, server, plan(suite(), label="model failed its check: schema accuracy"))
    assert done.label == "model failed its check: schema accuracy"
    assert done.summary["mean"] == 1.0
