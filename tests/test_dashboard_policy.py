"""The Policy page and the weekly page: what they say, and what their buttons change."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dashboard_app import filled, opened, shown
from dashboard_store import DAYS
from policy_samples import READER, Fits, lived, two_recipes, weekdays
from streamlit.testing.v1 import AppTest

from dashboard import charts, policy_data
from dashboard.charts import MeasurePoint, ReliabilityBin
from scout import policies
from scout.clock import now
from scout.config import load
from scout.items import Slot
from scout.store import Store
from scout.store.promotions import Challenge

EVIDENCE = {
    "passed": True, "decided": True, "reason": "the challenger foresees these thumbs better <b>x</b>", "thumbs": 120,
    "ups": 30, "days": 9, "alpha": 0.05, "needed": None, "notes": [],
    "log_loss": {"champion": 0.5, "challenger": 0.4, "better": 0.1, "low": 0.05, "high": 0.15, "p": 0.001},
    "auc": {"champion": 0.7, "challenger": 0.8, "better": 0.1, "low": 0.02, "high": None, "p": 0.01},
    "off_policy": {
        "as_shown": {"dr": {"value": 0.2, "low": 0.1, "high": 0.3}},
        "keen-1": {"dr": {"value": 0.35, "low": 0.2, "high": 0.5}, "warnings": ["the overlap is too thin"], "more": {}},
    },
}  # fmt: skip


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    return two_recipes(monkeypatch)


def button(app: AppTest, key: str) -> bool:
    return any(one.key == key for one in app.button)


def test_before_the_first_fit_there_is_nothing_to_tell() -> None:
    filled(days=())
    assert "Nothing decides for you yet" in shown(opened("policy"))


def test_a_reader_who_never_changed_policy_sees_who_decides_and_how_well() -> None:
    filled()
    said = shown(opened("policy"))
    assert "decides for you: version" in said
    assert "thumbs on what was shown, and this plots" in said  # too few for the plot
    assert "None yet." in said
    assert "the recipe you began with still serves you" in said
    assert "scout eval triage" in said


@pytest.mark.usefixtures("fits")
def test_a_promotion_is_shown_with_its_evidence_and_rolled_back_with_a_button(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=3) as (store, settings):
        store.readers.onboarded(READER)
        fought = Challenge(
            reader=READER, champion="dull-1", challenger="keen-1", at=now(), by="cli", passed=True, evidence=EVIDENCE
        )
        store.promotions.challenged(fought)
        policies.promote(store, settings, READER, "keen-1", by="cli", why="[x](javascript:1)", evidence=EVIDENCE)
    app = opened("policy")
    said = shown(app)
    assert "0.500 → 0.400, a gain of +0.100 (+0.050 to +0.150), p 0.001" in said
    assert "(+0.020 to unknown)" in said
    assert "35% thumbs up per slot (20% to 50%); what was shown had 20%. The overlap is too thin" in said
    assert "&lt;b&gt;x&lt;/b&gt;" in said
    assert "<b>x</b>" not in said
    assert "keen-1 in place of dull-1" in said
    assert not button(app, "restore")

    app = app.button(key="roll-back").click().run()
    assert "dull-1 in place of keen-1" in shown(app)
    assert serving() == "dull-1"
    assert not button(app, "roll-back")

    app = app.button(key="restore").click().run()
    shown(app)
    assert serving() == "keen-1"
    assert button(app, "roll-back")


def serving() -> str:
    with Store(load().database) as store:
        champion = store.policies.champion(READER)
        assert champion is not None
        return champion.recipe


@pytest.mark.usefixtures("fits")
def test_a_rollback_that_someone_else_did_first_is_told_and_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=2) as (store, settings):
        policies.promote(store, settings, READER, "keen-1", by="cli")
        app = opened("policy")
        policies.rollback(store, READER, by="cli")
    app = app.button(key="roll-back").click().run()
    assert "nothing to roll back" in shown(app).replace("\\", "")


def test_what_was_measured_is_drawn_by_figure_and_like_beside_like() -> None:
    filled()
    with Store(load().database) as store:
        for recipe, value, until in (("linear-1", 0.9, "2025-11-01"), ("tfidf", 0.88, "2025-12-01")):
            store.measures.add(
                kind="triage", name="hf_daily", recipe=recipe, at=now(), figures={"auc": value, "ece": None, "p_at_10": 0.5},
                about={"train_until": until, "labels": 50},
            )  # fmt: skip
        points = policy_data.measured(store)
    assert policy_data.figures_of(points) == ["auc", "p_at_10"]
    assert policy_data.settings_of(points) == [
        f"hf_daily, tested from {day}, 50 thumbs" for day in ("2025-12-01", "2025-11-01")
    ]
    app = opened("policy")
    assert "Nothing kept yet" not in shown(app)
    assert list(app.selectbox(key="measured-on").options) == policy_data.settings_of(points)


@pytest.mark.usefixtures("fits")
def test_the_weekly_page_is_drawn_on_the_first_look_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=5) as (store, _):
        store.readers.onboarded(READER)
    app = opened("missed")
    said = shown(app)
    assert "What you would have missed" in said
    assert "drawn by chance. Thumb them" in said
    assert "15 of them from the" in said
    with Store(load().database) as store:
        drawn = [s.item_id for s in store.digests.impressions(READER, missed=True) if s.slot is Slot.MISSED]
    assert len(drawn) == 30
    assert all(f"thumb-{id}" in app.session_state for id in drawn)
    opened("missed")
    with Store(load().database) as store:
        again = [s.item_id for s in store.digests.impressions(READER, missed=True) if s.slot is Slot.MISSED]
    assert again == drawn


@pytest.mark.usefixtures("fits")
def test_an_earlier_week_is_there_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=10, look=True):
        pass
    first, last = weekdays(10)[0], weekdays(10)[-1]
    assert f"Drawn on {first + timedelta(days=4):%-d %b %Y}" in shown(opened("missed", week=first.isoformat()))
    assert f"Drawn on {last:%-d %b %Y}" in shown(opened("missed", week="no-week"))
    said = shown(opened("missed", week=first.isoformat()))
    assert "you wanted" in said


def test_the_weekly_page_says_why_it_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    filled(days=())
    monkeypatch.setenv("SCOUT_TODAY", DAYS[-1].isoformat())
    assert "Nothing was skipped yet" in shown(opened("missed"))


@pytest.mark.usefixtures("fits")
def test_reliability_needs_thumbs_and_then_agrees_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=2) as (store, _):
        assert policy_data.reliable(store, READER) == ((), None)
    with lived(monkeypatch, days=6, look=True) as (store, _):
        bins, error = policy_data.reliable(store, READER)
        assert error is not None
        assert 0 <= error <= 1
        assert bins
        assert all(each.low <= each.found <= each.high for each in bins)


def test_charts_say_what_they_hold() -> None:
    drawn = charts.reliability(
        [ReliabilityBin(0.2, 0.25, 0.1, 0.4, 20), ReliabilityBin(0.6, 0.5, 0.3, 0.7, 20)]
    ).to_dict()
    assert [layer["mark"]["type"] for layer in drawn["layer"]] == ["line", "rule", "circle"]
    held = [row for rows in drawn["datasets"].values() for row in rows if "thumbs" in row]
    assert [row["found"] for row in held] == [0.25, 0.5]
    lines = charts.measures([MeasurePoint(now(), "linear-1 on hf_daily", "auc", 0.9)]).to_dict()
    assert [row["value"] for rows in lines["datasets"].values() for row in rows] == [0.9]
