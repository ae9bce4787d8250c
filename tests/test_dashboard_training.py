"""The Training page: what it says of runs, answers, parity, alarms and who reads, and what to do where there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import training_store
from dashboard_app import database, filled, opened, shown
from training_store import ADAPTER, AT, READER, STEPS

from dashboard import charts_training, training, training_parts
from dashboard.charts_training import Point
from scout.store import Store
from scout.store.training import StepRow


def trained() -> None:
    filled()
    with Store(database()) as store:
        training_store.fill(store)


def test_without_a_run_it_is_said_what_to_do() -> None:
    filled()
    said = shown(opened("training"))
    assert "Nothing was trained yet" in said
    assert "scout train --dry-run" in said


def test_a_run_is_told_with_its_curves_answers_parity_alarms_and_who_reads() -> None:
    trained()
    app = opened("training")
    said = shown(app)
    assert f"The adapter {ADAPTER.replace('-', chr(92) + '-')} reads for you" in said
    assert "40 of 40" in said
    assert "322 (160 up); 268 held out" in said
    assert "0.04720" in said
    assert "0.03890" in said
    assert "reward went from 0.710" in said
    assert "log-loss 0.601 → 0.522" in said
    assert len(app.get("vega_lite_chart")) == 7
    assert "Agents that learn from their tool calls" in said
    assert "<img" not in said


def test_another_run_and_step_can_be_looked_at() -> None:
    trained()
    app = opened("training", run="20251126T093000-bb22")
    assert app.selectbox[0].value == "20251126T093000-bb22"
    assert app.select_slider[0].value == 20
    assert "reward-hacking: see the alarm" in shown(app)
    app = app.select_slider[0].set_value(10).run()
    assert "0.99" in shown(app)


def test_a_chart_tells_every_figure_at_the_step_pointed_at() -> None:
    points = [
        Point(step, name, step / 10, 0.1 if name == "held out" else 0.0)
        for step in range(4)
        for name in ("reward", "held out")
    ]
    spec = charts_training.curves(points).to_dict()
    rule = spec["layer"][-1]
    assert [each["field"] for each in rule["encoding"]["tooltip"]] == ["step", "reward", "held out"]
    assert spec["params"][0]["select"]["nearest"] is True
    assert spec["params"][0]["select"]["fields"] == ["step"]


def test_a_figure_that_is_there_at_few_steps_has_its_points_marked() -> None:
    points = [Point(step, "reward", 0.5) for step in range(9)] + [Point(0, "held out", 0.6), Point(8, "held out", 0.7)]
    marked = charts_training.curves(points).to_dict()["layer"][2]["transform"][0]["filter"]
    assert marked["oneOf"] == ["held out"]


def test_of_a_long_run_every_held_out_figure_and_the_last_step_are_drawn() -> None:
    steps = [
        StepRow(
            step=n, version="", at=AT + timedelta(seconds=n), parts={},
            figures={"reward": 0.5, "held_out": 0.6 if n % 997 == 0 else None},
        )
        for n in range(5_000)
    ]  # fmt: skip
    drawn = training.thinned(steps)
    assert len(drawn) < training.SHOWN + 10
    assert drawn[-1].step == 4_999
    assert {row.step for row in drawn if row.figures["held_out"]} == {0, 997, 1994, 2991, 3988, 4985}


def test_a_check_of_a_running_server_has_a_row_for_each_head_of_the_trainer() -> None:
    told = {
        "mean": 0.01,
        "p99": 0.1,
        "largest": 0.2,
        "k1": 0.0,
        "k3": 0.0,
        "correlation": None,
        "ratio_max": 1.1,
        "effective": 1.0,
    }
    check = replace(training_store.parity(), found={"rounded": told, "fp32": told})
    said = str(training_parts.precision(check))
    assert said.count("its own") == 2
    assert said.count("FP32") == 1


def test_steps_done_again_after_a_resume_take_the_place_of_what_they_left() -> None:
    trained()
    with Store(database()) as store:
        id = "20251203T093000-aa11"
        store.training.step(id, training_store.row(10, AT), [])
        assert len(store.training.steps(id)) == STEPS
        assert store.training.sampled(id) == [0, 20, 30]
        assert [run.id for run in store.training.listing(READER)] == [id, "20251126T093000-bb22"]
