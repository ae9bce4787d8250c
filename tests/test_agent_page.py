"""The item page's section on research: the brief, the transcript, and a button that asks the worker."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from dashboard_app import database, filled, opened, shown

from scout.agent.brief import Draft, checked
from scout.agent.transcript import Step, StepKind
from scout.clock import now
from scout.serving.messages import Message, Role, ToolCall
from scout.store import Store

ITEM = "arxiv:2512.00101"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def with_a_model(setenv: Callable[[dict[str, str]], None]) -> None:
    setenv({"SCOUT_MODEL__BASE_URLS": json.dumps(["http://127.0.0.1:9/v1"])})


def researched(*, finished: bool = True) -> None:
    draft = Draft.model_validate(
        {
            "claims": [
                {"text": f"It is 12% faster {EVIL}.", "evidence": [{"place": f"{ITEM} full", "numbers": [2]}]},
                {"text": "It cures colds.", "evidence": []},
            ],
            "builds_on": [{"item": "arxiv:2512.00102", "how": "the same verifier"}],
            "open_questions": ["Does it hold?"],
            "try_code": ["python train.py"],
        }
    )
    brief = checked(draft, shown={f"{ITEM} full": {2: f"A quoted sentence {EVIL}."}}, met={"arxiv:2512.00102"})
    asked = ToolCall("a", "read_item", json.dumps({"item": ITEM}))
    with Store(database()) as store:
        id = store.researches.begin(ITEM, now(), fence="f", prompt="research 1")
        for number, step in enumerate(
            [
                Step(kind=StepKind.REPLY, message=Message(Role.ASSISTANT, "", f"I wonder {EVIL}", (asked,))),
                Step(kind=StepKind.RESULT, message=Message(Role.TOOL, f"found {EVIL}", tool_call_id="a")),
                Step(kind=StepKind.FAULT, text="nobody listens"),
            ]
        ):
            store.researches.save(id, number, step.to_dict(), now())
        if finished:
            store.researches.finish(id, now(), ending="finished", model="tiny", brief=brief.to_dict())
        else:
            store.researches.wait(id, "nobody listens at the model's address")


def test_without_a_model_and_without_a_research_there_is_no_section() -> None:
    filled()
    assert "Research</h2>" not in shown(opened("item", item=ITEM))


@pytest.mark.usefixtures("with_a_model")
def test_the_button_queues_one_job_and_then_says_that_it_is_under_way() -> None:
    filled()
    app = opened("item", item=ITEM)
    app.button(key="research").click().run()
    assert app.button(key="research").disabled
    with Store(database()) as store:
        assert [(job.kind, job.payload["item"]) for job in store.jobs.active()] == [("research", ITEM)]


@pytest.mark.usefixtures("with_a_model")
def test_a_brief_is_shown_with_its_evidence_and_its_transcript_and_nothing_in_it_is_markup() -> None:
    filled()
    researched()
    app = opened("item", item=ITEM)
    page = shown(app)
    for part in (
        "It is 12% faster", "A quoted sentence", f"{ITEM} full 2", "Does it hold?", "python train.py", "1 statements were dropped",
        "by tiny", "Transcript, 1 rounds", "I wonder", "read_item(", "nobody listens",
    ):  # fmt: skip
        assert part in page
    assert "<img" not in page
    assert app.button(key="research").label == "Research again"


def test_one_that_waits_says_why() -> None:
    filled()
    researched(finished=False)
    page = shown(opened("item", item=ITEM))
    assert "waits for the model" in page
    assert "not finished" in page


def test_the_top_items_are_those_of_the_newest_digest_best_first() -> None:
    from scout.agent.research import top

    filled()
    with Store(database()) as store:
        newest = {seen.item_id for seen in store.digests.impressions("me", day=store.digests.dates("me")[0])}
        best = [item.id for item in top(store, "me", 3)]
        decided = store.decisions.of("me", newest)
        assert top(store, "nobody", 3) == []
    assert len(best) == 3
    assert set(best) <= newest
    chances = [decided[id].probability for id in best]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] == max(decision.probability for decision in decided.values())
