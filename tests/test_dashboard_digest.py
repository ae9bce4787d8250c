"""The digest page under AppTest: what it shows, and what becomes of a reader's words."""

from __future__ import annotations

import sqlite3

import pytest
from dashboard_app import database, filled, opened, rows, shown, thumb, words
from dashboard_store import DAYS, HOSTILE_ID, READER, at
from streamlit.testing.v1 import AppTest

from scout.items import Aspect
from scout.store import Store

FIRST = "arxiv:2512.00301"
DAYS_AT = at(DAYS[2])
UP, DOWN = 1, 0


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_TODAY", DAYS[2].isoformat())


def clicked(app: AppTest, value: int | None, item: str = FIRST) -> AppTest:
    return app.feedback(key=f"thumb-{item}").set_value(value).run()


def test_it_shows_the_newest_day_by_subject_with_the_unsure_lane_last() -> None:
    filled()
    page = shown(opened())
    places = [
        page.index(text) for text in (">Reasoning and RL<", ">Agents and tools<", ">Evaluation<", ">Other<", ">Unsure<")
    ]
    assert places == sorted(places)
    assert "Off-policy corrections that survive a stale sampler" in page
    assert "very likely, 94%" in page
    assert "Broken Lab" in page


def test_chance_is_named_with_its_probability() -> None:
    filled()
    assert "to check the policy: 1 in 50 of such items is shown" in shown(opened())


def test_a_link_to_a_day_shows_that_day() -> None:
    filled()
    page = shown(opened(day="2025-12-01"))
    assert "Reward models disagree most where readers agree" in page
    assert "Off-policy corrections" not in page


@pytest.mark.parametrize("day", ["2031-01-01", "yesterday", "<b>"])
def test_a_link_to_a_day_without_digest_says_so_and_shows_the_newest(day: str) -> None:
    filled()
    page = shown(opened(day=day))
    assert "There is no digest of" in page
    assert "Off-policy corrections" in page


def test_one_can_step_to_the_day_before_and_back() -> None:
    filled()
    app = opened()
    app.button(key="step-the digest before").click().run()
    assert app.query_params["day"] in ("2025-12-02", ["2025-12-02"])
    assert "Policy gradients that know when to stop" in shown(app)
    app.button(key="step-the digest after").click().run()
    assert "Off-policy corrections" in shown(app)


def test_cited_sentences_are_numbered_and_marked() -> None:
    filled()
    page = shown(opened())
    assert '<li class="cited"><small>1</small>' in page
    assert '<li class=""><small>2</small>' in page
    assert "[1] [3]" in page


def test_a_thumb_lands_once_and_stands_after_a_reload() -> None:
    filled(thumbs=False)
    app = clicked(opened(), UP)
    app.run()
    assert (thumb(FIRST), rows()) == ("up", 1)
    assert opened().feedback(key=f"thumb-{FIRST}").value == UP


def test_a_thumb_taken_away_is_none() -> None:
    filled(thumbs=False)
    clicked(clicked(opened(), DOWN), None)
    assert thumb(FIRST) == "none"
    assert opened().feedback(key=f"thumb-{FIRST}").value is None


def test_undo_takes_back_the_last_word() -> None:
    filled(thumbs=False)
    app = clicked(clicked(opened(), UP), DOWN)
    app.button(key=f"undo-{FIRST}").click().run()
    assert thumb(FIRST) == "up"
    app.button(key=f"undo-{FIRST}").click().run()
    assert thumb(FIRST) is None
    assert app.feedback(key=f"thumb-{FIRST}").value is None


def test_after_an_undo_the_same_thumb_lands_again() -> None:
    filled(thumbs=False)
    app = clicked(opened(), UP)
    app.button(key=f"undo-{FIRST}").click().run()
    clicked(app, UP)
    assert thumb(FIRST) == "up"


def test_a_thumb_given_elsewhere_is_not_written_twice() -> None:
    filled(thumbs=False)
    one, other = opened(), opened()
    clicked(one, UP)
    clicked(other, UP)
    assert rows() == 1


def test_reasons_that_fit_the_thumb_are_offered_and_kept() -> None:
    filled(thumbs=False)
    app = clicked(opened(), UP)
    pills = app.button_group(key=f"reasons-up-{FIRST}")
    assert pills.options == ["On my topic", "New to me", "I can use it", "Well done"]
    pills.set_value(["novel", "useful"]).run()
    assert words(item=FIRST)[0].reasons == ("novel", "useful")
    assert thumb(FIRST) == "up"
    assert opened().button_group(key=f"reasons-up-{FIRST}").value == ["novel", "useful"]


def test_the_subject_can_be_corrected() -> None:
    filled(thumbs=False)
    app = clicked(opened(), DOWN)
    app.selectbox(key=f"subject-{FIRST}").set_value("evaluation").run()
    word = words(item=FIRST)[0]
    assert (word.aspect, word.value) == (Aspect.SUBJECT, "evaluation")


def test_save_is_a_switch() -> None:
    filled(thumbs=False)
    app = opened()
    app.button(key=f"saved-{FIRST}").click().run()
    assert words(item=FIRST)[0].value == "yes"
    app.button(key=f"saved-{FIRST}").click().run()
    assert words(item=FIRST)[0].value == "no"


def test_a_hidden_card_leaves_a_line_that_brings_it_back() -> None:
    filled(thumbs=False)
    app = opened()
    app.button(key=f"hidden-{FIRST}").click().run()
    page = shown(app)
    assert "Hidden: Off" in page
    assert 'rel="noopener noreferrer">Off-policy' not in page
    app.button(key=f"undo-{FIRST}").click().run()
    assert 'rel="noopener noreferrer">Off-policy' in shown(app)


def test_a_hostile_title_is_shown_as_it_is_written() -> None:
    filled(thumbs=False)
    page = shown(opened())
    assert "&lt;img src=x onerror=alert(1)&gt; [a](javascript:alert(1)) α :material/bolt: :red[x]" in page
    assert "<img" not in page
    assert 'href="javascript' not in page
    clicked(opened(), UP, HOSTILE_ID)
    assert thumb(HOSTILE_ID) == "up"


def test_a_locked_database_keeps_the_page_and_says_that_the_thumb_did_not_land(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.session.BUSY_SECONDS", 0.05)
    filled(thumbs=False)
    app = opened()
    holder = sqlite3.connect(database(), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        clicked(app, UP)
        assert "another process is writing" in shown(app).replace("\\", "")
        assert app.feedback(key=f"thumb-{FIRST}").value is None
    finally:
        holder.rollback()
        holder.close()
    clicked(app, UP)
    assert (thumb(FIRST), rows()) == ("up", 1)


def test_a_newcomer_with_a_digest_is_invited_above_it_and_may_decline() -> None:
    filled(onboarded=False)
    app = opened()
    assert "Make it yours" in shown(app)
    assert "Off-policy corrections" in shown(app)
    app.button(key="welcome-skip").click().run()
    assert "Make it yours" not in shown(app)
    assert "Make it yours" not in shown(opened())


def test_before_the_first_run_a_known_reader_is_told_how_to_make_one() -> None:
    filled(days=())
    app = opened()
    assert "No digest yet" in shown(app)
    app.button(key="run-now").click().run()
    with Store(database()) as store:
        assert [job.kind for job in store.jobs.active()] == ["run"]
    assert "waiting for the worker" in shown(app)


def test_an_empty_digest_says_why() -> None:
    filled(days=())
    with Store(database()) as store:
        snapshot = {
            "date": "2025-12-03", "policy": "", "subjects": [], "unsure": [], "releases": [],
            "counts": {"sources_quiet": 1}, "note": "arXiv announced nothing on Wednesday, 3 December 2025.",
        }  # fmt: skip
        store.digests.save(
            READER, DAYS[2], made_at=DAYS_AT, policy="", cutoff=0, snapshot=snapshot, impressions=()
        )  # fmt: skip
    page = shown(opened())
    assert "Nothing for you today" in page
    assert "arXiv announced nothing" in page


def test_a_mistake_in_the_settings_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_DIGEST__TIMEZONE", "Mars/Olympus")
    page = shown(opened())
    assert "The settings have a mistake" in page
    assert "SCOUT_DIGEST__TIMEZONE" in page


def test_a_damaged_database_is_a_message() -> None:
    database().parent.mkdir(parents=True)
    database().write_bytes(b"this is no database" * 100)
    assert "The database cannot be used right now" in shown(opened())


def test_a_reader_of_any_name_reads_for_herself() -> None:
    filled()
    name = """O'Brien "; DROP TABLE readers--"""
    app = opened(reader=name)
    assert "Welcome to scout" in shown(app)
    with Store(database()) as store:
        assert {row.name for row in store.readers.all()} == {READER, name}
