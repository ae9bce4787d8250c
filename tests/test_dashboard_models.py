"""The pages Models and Fun: what they say of made-up runs, and that what models wrote stays text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dashboard_app
import eval_store
import pytest
from dashboard_app import opened, shown

from dashboard import charts_evals, evals_parts, models
from dashboard.charts_evals import Apart, Pair, Scored
from evals import pairs, transcripts
from evals.compare import Comparison, Report
from evals.stats import Difference
from scout.store import Store

AT = datetime(2025, 11, 24, 2, tzinfo=UTC)
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def store() -> Iterator[Store]:
    data = dashboard_app.database().parent
    data.mkdir(parents=True)
    with eval_store.fill(data, n=30, epochs=4) as filled:
        yield filled


def test_without_a_run_the_page_says_how_to_begin() -> None:
    assert "scout eval run all" in shown(opened("models"))
    assert "scout eval run fun" in shown(opened("fun"))


def test_the_page_goes_from_the_verdict_down_to_single_items(store: Store) -> None:
    text = shown(opened("models", model=eval_store.MODELS[1], beside=eval_store.SERVED))
    places = [
        text.index(part)
        for part in (
            "regression: ", "<b>lab-b/Harbor-7B</b> is worse than <b>lab-a/North-8B</b> at ", "May it be believed?", "Differences",
            "Clean against perturbed", "pass^1 against pass^4", "What a solved item costs", "Safety", "Trend",
            "Items that flipped",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert "could have shown" in text


def test_what_failed_its_gate_is_not_to_be_trusted(store: Store) -> None:
    text = shown(opened("models", model=eval_store.MODELS[3], beside=eval_store.SERVED))
    assert "Not to be trusted: model failed its check: schema accuracy." in text
    assert "<dt>Gate</dt><dd>failed</dd>" in text
    assert "sc-dot failed" in text


def test_every_suite_has_its_score_and_what_speaks_against_it() -> None:
    data = dashboard_app.database().parent
    data.mkdir(parents=True)
    with Store(data / "scout.db") as store:
        gate, few = "model not checked", "10 items, where the suite asks 100"
        a = eval_store.run(store, "lab/A", "code", AT, n=10, epochs=2, label=f"{gate}; {few}")
        eval_store.run(store, "lab/A", "logic", AT, n=10, epochs=2, label=gate)
        eval_store.run(store, "lab/B", "code", AT.replace(hour=3), n=10, epochs=2)
    text = shown(opened("models", model="lab/A", beside="lab/B"))
    assert f"Not to be trusted: {gate}." in text
    assert f"Not to be trusted: lab/A: {gate}; lab/A: {few}." in text  # the one suite that both were asked
    table = text[text.index("sc-table") :]
    assert f"{a.summary['mean']:.0%} (" in table
    assert "10 × 2" in table
    assert f"A: {few}" in table
    assert gate not in table  # it is said of the whole model, above


@pytest.mark.parametrize(
    ("share", "told"), [(0.0, "0%"), (0.005, "0.5%"), (0.06, "6%"), (0.995, "99.5%"), (1.0, "100%")]
)
def test_a_score_that_is_nearly_nothing_is_not_told_as_nothing(share: float, told: str) -> None:
    assert charts_evals.rate(share) == told


def test_what_was_not_compared_is_one_line() -> None:
    data = dashboard_app.database().parent
    data.mkdir(parents=True)
    with Store(data / "scout.db") as store:
        for hour, domain in enumerate(("code", "logic", "proofs")):
            eval_store.run(store, "lab/A", domain, AT.replace(hour=hour), n=10, epochs=1)
        eval_store.run(store, "lab/B", "code", AT.replace(hour=9), n=10, epochs=1)
        eval_store.run(store, "lab/B", "reports", AT.replace(hour=10), n=10, epochs=1)
    text = shown(opened("models", model="lab/A", beside="lab/B"))
    assert text.count("Not compared") == 1
    assert "Not compared: lab/A was not asked reports; lab/B was not asked logic, proofs." in text


def test_where_neither_solves_anything_a_sentence_stands_instead_of_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dashboard_app.database().parent
    data.mkdir(parents=True)
    answers = eval_store.answers
    monkeypatch.setattr(eval_store, "answers", lambda *a, **b: [replace(each, score=0.0) for each in answers(*a, **b)])
    with Store(data / "scout.db") as store:
        eval_store.run(store, "lab/A", "code", AT, n=10, epochs=2)
        eval_store.run(store, "lab/B", "code", AT.replace(hour=3), n=10, epochs=2)
    app = opened("models", model="lab/A", beside="lab/B")
    text = shown(app)
    assert 'code<span class="sc-faint">, where neither solves any</span>' in text
    assert "nothing to draw" in text
    assert "No item was solved in any try." in text
    assert "There are none: what one solves" in text
    assert len(app.get("vega_lite_chart")) + len(app.get("arrow_vega_lite_chart")) <= 1  # the trend


def test_names_prompts_and_answers_stay_text(store: Store) -> None:
    text = shown(opened("models", model=eval_store.MODELS[3], beside=eval_store.MODELS[1]))
    assert "<b>Odd</b>" not in text
    assert "lab-c/&lt;b&gt;Odd&lt;/b&gt; name 4B" in text
    assert SCRIPT not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert 'href="javascript' not in text
    fun = shown(opened("fun"))
    assert SCRIPT not in fun
    assert "&lt;script&gt;" in fun


@pytest.mark.parametrize("page", ["models", "fun"])
def test_no_comment_of_the_code_is_drawn(store: Store, page: str) -> None:
    assert [element.value for element in opened(page).markdown] == []  # a string alone on a line of a page would be


def test_a_model_alone_is_shown_without_a_comparison() -> None:
    data = dashboard_app.database().parent
    data.mkdir(parents=True)
    with Store(data / "scout.db") as store:
        eval_store.run(store, "lab/Only", "code", AT, n=10, epochs=1)
    text = shown(opened("models"))
    assert "Only one model was measured yet" in text
    assert "lab/Only" in text
    assert "lab/Only alone was asked code" in text.replace("\\", "")


def test_runs_of_other_versions_are_not_compared_and_the_page_says_why() -> None:
    data = dashboard_app.database().parent
    data.mkdir(parents=True)
    with Store(data / "scout.db") as store:
        eval_store.run(store, "lab/A", "code", AT, n=10, epochs=1, version=1)
        eval_store.run(store, "lab/B", "code", AT.replace(hour=3), n=10, epochs=1, version=2)
    text = shown(opened("models"))
    assert "Not compared" in text
    assert "the questions or their judging changed in between" in text


def test_a_thumb_on_an_answer_is_kept_and_taken_back(store: Store) -> None:
    app = opened("fun")
    (thumb,) = [each for each in app.feedback if each.key and "fun-0" in each.key][:1]
    thumb.set_value(1).run()
    runs = [run.id for run in store.evals.listing(suite="fun")]
    assert list(store.evals.thumbs("me", runs).values()) == ["up"]
    assert "1 up, 0 down" in shown(app)


def test_the_model_that_reads_is_followed_beside_the_digest_from_version_to_version(store: Store) -> None:
    points = models.nightly(store, eval_store.SERVED)
    assert {point.series for point in points} == {"triage, version 1", "triage, version 2"}
    assert [point.at for point in points] == sorted(point.at for point in points)


def test_a_variant_is_not_taken_for_what_reads() -> None:
    data = dashboard_app.database().parent
    data.mkdir(parents=True)
    with Store(data / "scout.db") as store:
        usual = eval_store.run(store, "lab/A", "triage", AT, n=10, epochs=1)
        cool = replace(usual, id="later", options={"variant": "at temperature 0"}, started=AT.replace(hour=5))
        store.evals.save(cool, store.evals.items(usual.id))
        assert [point.model for point in models.nightly(store, "lab/A")] == ["lab/A"]


def test_two_models_of_many_large_runs_are_compared_without_reading_the_others(tmp_path: Path) -> None:
    with eval_store.bulk(tmp_path, runs=40, items=50) as store:
        found = models.measured(store)
        with counted(store) as asked:
            report = models.beside(store, found, *found.names[:2])
            assert models.beside(store, found, *found.names[:2]) is report  # finished runs never change
    assert not isinstance(report, str)
    assert len(report.rows) == 10
    assert sum("FROM eval_items" in statement for statement in asked) == 20


@contextmanager
def counted(store: Store) -> Iterator[list[str]]:
    """The statements that the store runs meanwhile."""
    asked: list[str] = []
    store.db.conn.set_trace_callback(asked.append)
    yield asked
    store.db.conn.set_trace_callback(None)


def test_a_tie_is_grey_and_an_interval_stays_on_the_chart() -> None:
    chart = charts_evals.forest(
        [Apart("code", 0.1, 0.02, 0.18, "better"), Apart("logic", 0.0, -3.0, 3.0, "tie")]
    ).to_dict()
    (values,) = [rows for rows in chart["datasets"].values() if len(rows) == 2]
    assert [(row["low"], row["high"]) for row in values] == [(2.0, 18.0), (-100.0, 100.0)]
    colors = next(layer["encoding"]["color"]["scale"] for layer in chart["layer"] if "color" in layer["encoding"])
    assert dict(zip(colors["domain"], colors["range"], strict=True))["tie"] == charts_evals.TIE


def test_the_two_that_are_looked_at_have_their_names_beside_their_points() -> None:
    rows = [Scored(AT.replace(hour=n), f"lab/Model-{n}", "v1", 0.5, 0.4, 0.6) for n in range(12)]
    chart = charts_evals.trend(rows, named=["lab/Model-0", "lab/Model-3"]).to_dict()
    (values,) = chart["datasets"].values()
    assert [row["name"] for row in values if row["name"]] == ["Model-0", "Model-3", "Model-9", "Model-10", "Model-11"]


def test_a_name_that_would_be_written_over_a_chosen_ones_is_left_out() -> None:
    rows = [Scored(AT.replace(hour=n), f"lab/Model-{n}", "v1", 0.5, 0.4, 0.6) for n in (0, 9, 19, 20)]
    chart = charts_evals.trend(rows, named=["lab/Model-0", "lab/Model-20"]).to_dict()
    (values,) = chart["datasets"].values()
    assert [row["name"] for row in values] == ["Model-0", "Model-9", "", "Model-20"]
    assert charts_evals.trend(rows[:1], named=["lab/Model-0"]).to_dict()["datasets"]


def test_suites_of_one_domain_are_told_apart(tmp_path: Path) -> None:
    with Store(tmp_path / "scout.db") as store:
        for hour, suite in enumerate(("refusal", "shortcuts")):
            for model in ("lab/A", "lab/B"):
                made = eval_store.run(store, model, suite, AT.replace(hour=hour), n=40, epochs=2)
                store.evals.save(replace(made, domain="safety"), store.evals.items(made.id))
        rows = pairs.models(store, "lab/A", "lab/B", draws=0).rows
    assert {row.name for row in evals_parts.apart(rows)} == {"safety (refusal)", "safety (shortcuts)"}


def test_what_a_score_hides_stands_suite_by_suite_and_under_safety() -> None:
    data = dashboard_app.database().parent
    data.mkdir(parents=True)
    with Store(data / "scout.db") as store:
        made = eval_store.run(store, "lab/A", "refusal", AT, n=10, epochs=1)
        inside = {"parts": {"over-refusal": {"mean": 0.056}}, "levels": {"0": {"mean": 0.58}, "1": {"mean": 0.0}}}
        changed = replace(made, domain="safety", summary={**made.summary, **inside})
        store.evals.save(changed, store.evals.items(made.id))
    text = shown(opened("models"))
    assert text.count("over-refusal") == 2
    assert "over-refusal 6%" in text
    assert "58%, 0%" in text


def test_what_is_clear_by_its_interval_and_not_by_its_p_is_told_with_both() -> None:
    difference = Difference(mean=-0.04, se=0.012, low=-0.065, high=-0.015, p=0.06, n=100)
    kept = {"difference": difference, "p": 0.06, "up": 0, "down": 6, "differ": 6}
    row = Comparison(
        suite="x", domain="x", version=1, condition="", run_a="a", run_b="b", mean_a=0.1, mean_b=0.14,
        bootstrap=difference.interval, mcnemar=0.03, sign_flip=0.06,
        reach=None, **kept,
    )  # fmt: skip
    assert row.result == "tie"
    text = evals_parts.verdict(Report(a="a", b="b", rows=(row,)))
    assert 'x<span class="sc-faint">, −4.0, −6.5 to −1.5, but p 0.06</span>' in text
    (drawn,) = evals_parts.apart([row])
    assert drawn.told == "−4.0 (−6.5 to −1.5), p 0.06"


def test_a_question_of_several_turns_says_who_speaks_and_an_object_is_no_right_answer(tmp_path: Path) -> None:
    folder = transcripts.folder(tmp_path, "run")
    folder.mkdir(parents=True)
    asked = [
        {"item": "one", "family": "f", "prompt": "user: What is 2 + 2?", "gold": "4"},
        {
            "item": "two",
            "family": "f",
            "prompt": "user: Hi\n\nassistant: Hello\n\nuser: Bye",
            "gold": "Gold(rules=(<function>,))",
        },
    ]
    (folder / transcripts.PROMPTS).write_text("\n".join(json.dumps(each) for each in asked), encoding="utf-8")
    one, two = (evals_parts.prompt(tmp_path, "run", item) for item in ("one", "two"))
    assert "What is 2 + 2?" in one
    assert "user: " not in one
    assert "right: 4" in one
    assert "user: Hi" in two
    assert "Gold(" not in two


def test_a_models_own_questions_are_shown_with_their_thinking_folded(store: Store) -> None:
    text = shown(opened("fun"))
    assert '<details class="sc-fold"><summary>Thinking</summary>' in text
    assert "user: " not in text  # the reader's own question needs no name
    assert "[thinking]" not in text
    assert '<span class="sc-lane read">right</span>' in text
    assert '<span class="sc-lane worse">wrong</span> not the number asked for' in text


def test_charts_are_json_with_whatever_names() -> None:
    odd = 'it\'s <b>"odd"</b>'
    scored = [Scored(AT, odd, "v1", 0.5, None, None), Scored(AT, "b", "v2", 0.4, 0.3, 0.5)]
    for chart in (
        charts_evals.pairs([Pair(odd, 0.5, 0.4)], first="pass^1", second="pass^4"), charts_evals.trend(scored),
        charts_evals.forest([Apart(odd, 0.0, -0.1, 0.1, "tie")]),
    ):  # fmt: skip
        assert json.dumps(chart.to_dict())
