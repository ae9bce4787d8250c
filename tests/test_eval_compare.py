"""Two runs beside each other: what is called better, what a tie could have shown, and what is not compared at all."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from scipy import stats as scipy_stats

from evals.compare import NotComparable, Report, compare, corrected, doubts, sentence
from evals.pairs import models
from evals.robust import perturbed, worst
from scout.store import Store
from scout.store.evals import EvalItem, EvalRun

AT = datetime(2025, 12, 1, 2, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "scout.db") as opened:
        yield opened


def run(id: str, model: str, **changes: Any) -> EvalRun:
    values: dict[str, Any] = {
        "suite": "sums", "version": 1, "domain": "arithmetic", "kind": "single", "seed": 1, "items": 40, "epochs": 1,
        "started": AT, "finished": AT, "summary": {"mean": 0.5},
    }  # fmt: skip
    return EvalRun(id=id, model=model, **{**values, **changes})


def items(scores: Sequence[float | None], *, families: int = 40) -> list[EvalItem]:
    return [EvalItem(item=f"i{k:04}", family=f"f{k % families}", scores=(score,)) for k, score in enumerate(scores)]


def test_a_clear_difference_is_better_with_its_interval_and_the_items_that_flipped() -> None:
    a, b = [1.0] * 30 + [0.0] * 10, [1.0] * 15 + [0.0] * 25
    row = compare(run("a", "new"), items(a), run("b", "old"), items(b))
    assert row.result == "better"
    assert (row.mean_a, row.mean_b, row.up, row.down) == (0.75, 0.375, 15, 0)
    assert row.difference.low < 0.375 < row.difference.high
    assert row.mcnemar == pytest.approx(2 / 2**15)
    assert row.bootstrap.low == pytest.approx(row.difference.low, abs=0.05)
    said = sentence(Report(a="new", b="old", rows=(row,)))
    assert said.startswith("better than old at arithmetic (sums), +37.5, interval 22")


def test_a_tie_says_what_it_could_have_shown() -> None:
    draw = random.Random(1)
    a = [float(draw.random() < 0.5) for _ in range(100)]
    b = [float(draw.random() < 0.5) for _ in range(100)]
    row = compare(run("a", "new"), items(a, families=100), run("b", "old"), items(b, families=100))
    assert row.result == "tie"
    assert row.detectable == pytest.approx(2.8016 * row.difference.se, rel=1e-4)
    assert f"could have shown {100 * (row.detectable or 0):.1f}" in sentence(Report(a="new", b="old", rows=(row,)))


def test_runs_that_scored_alike_on_every_item_claim_no_width() -> None:
    row = compare(run("a", "new"), items([1.0] * 20), run("b", "old"), items([1.0] * 20))
    assert (row.result, row.detectable, row.p) == ("tie", None, 1.0)
    assert "scored alike on every item" in sentence(Report(a="new", b="old", rows=(row,)))


def test_what_one_of_the_two_has_no_score_of_is_left_out() -> None:
    row = compare(run("a", "new"), items([1.0, None, 0.0]), run("b", "old"), items([0.0, 1.0, None]))
    assert row.difference.n == 1
    assert row.to_dict()["difference"]["se"] is None  # JSON has no word for infinity


def test_items_of_one_family_are_no_independent_evidence() -> None:
    a, b = [1.0] * 20 + [0.0] * 20, [0.0] * 10 + [1.0] * 10 + [0.0] * 20
    apart = [EvalItem(item=f"i{k}", family=f"f{k}", scores=(s,)) for k, s in enumerate(a)]
    apart_b = [EvalItem(item=f"i{k}", family=f"f{k}", scores=(s,)) for k, s in enumerate(b)]
    one = [replace(each, family=f"f{k // 10}") for k, each in enumerate(apart)]
    one_b = [replace(each, family=f"f{k // 10}") for k, each in enumerate(apart_b)]
    alone = compare(run("a", "new"), apart, run("b", "old"), apart_b)
    together = compare(run("a", "new"), one, run("b", "old"), one_b)
    assert alone.p < 0.05 < together.p
    assert alone.difference.se < together.difference.se


def test_a_look_at_many_suites_is_corrected_for() -> None:
    a, b = [1.0] * 8 + [0.0] * 32, [0.0] * 40
    row = compare(run("a", "new"), items(a), run("b", "old"), items(b))
    assert row.p == pytest.approx(2 / 2**8)  # eight items differ, all one way: an exact test
    assert row.result == "better"
    rows = corrected([row] * 10)
    assert [each.result for each in rows] == ["tie"] * 10
    assert rows[0].p == pytest.approx(10 * row.p)


def test_suites_on_which_both_score_alike_are_no_look() -> None:
    one = compare(run("a", "new"), items([1.0] * 8 + [0.0] * 32), run("b", "old"), items([0.0] * 40))
    alike = compare(run("a", "new"), items([1.0] * 40), run("b", "old"), items([1.0] * 40))
    rows = corrected([alike, one, alike, one, alike])
    assert [row.p for row in rows] == pytest.approx([1, 2 * one.p, 1, 2 * one.p, 1])
    assert [row.result for row in rows] == ["tie", "better", "tie", "better", "tie"]


def test_what_a_tie_could_have_shown_is_what_holds_after_the_correction() -> None:
    draw = random.Random(1)
    a, b = ([float(draw.random() < 0.5) for _ in range(100)] for _ in range(2))
    tie = compare(run("a", "new"), items(a, families=100), run("b", "old"), items(b, families=100))
    clear = compare(run("a", "new"), items([1.0] * 40), run("b", "old"), items([0.0] * 40))
    alone, among = corrected([tie])[0], corrected([tie] * 9 + [clear])[0]
    assert alone.detectable == tie.detectable
    assert among.detectable == pytest.approx(
        tie.difference.se * sum(scipy_stats.norm.ppf([1 - 0.05 / 18, 0.8])), rel=1e-6
    )  # nine are left that were not found different


def test_one_item_gained_and_one_lost_within_a_family_is_not_alike() -> None:
    a, b = [1.0, 0.0] + [0.0] * 18, [0.0, 1.0] + [0.0] * 18
    row = compare(run("a", "new"), items(a, families=1), run("b", "old"), items(b, families=1))
    two = compare(
        run("a", "new"), [replace(each, family=str(k // 2)) for k, each in enumerate(items(a))],
        run("b", "old"), [replace(each, family=str(k // 2)) for k, each in enumerate(items(b))],
    )  # fmt: skip
    for each in (row, two):
        assert (each.up, each.down, each.differ) == (1, 1, 2)
        assert "alike" not in sentence(Report(a="new", b="old", rows=(each,)))


def test_a_sweep_of_five_items_is_too_few_and_not_alike() -> None:
    row = compare(run("a", "new"), items([1.0] * 5), run("b", "old"), items([0.0] * 5))
    assert (row.result, row.detectable) == ("tie", None)
    assert "too few items to tell" in sentence(Report(a="new", b="old", rows=(row,)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": 2}, r"version 1 of sums and b version 2: the questions or their judging changed"),
        ({"seed": 2}, "from seeds 1 and 2: other items"),
        ({"suite": "code"}, "other questions"),
        ({"condition": "phrasing"}, "perturbations none and phrasing"),
    ],
    ids=["version", "seed", "suite", "condition"],
)
def test_runs_that_did_not_ask_the_same_are_refused_with_why(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(NotComparable, match=why):
        compare(run("a", "new"), items([1.0]), run("b", "old", **changes), items([1.0]))


def test_a_model_is_compared_by_its_newest_run_of_a_version_that_both_ran(store: Store) -> None:
    scores = [1.0] * 10 + [0.0] * 10
    for id, model, version, at in (("a1", "new", 1, 1), ("a2", "new", 2, 5), ("b1", "old", 1, 2), ("b0", "old", 1, 1)):
        one = run(id, model, version=version, started=AT.replace(hour=at))
        store.evals.save(one, items(scores))
    report = models(store, "new", "old")
    assert [(row.run_a, row.run_b, row.version) for row in report.rows] == [("a1", "b1", 1)]


def test_models_that_share_no_version_are_refused_with_why(store: Store) -> None:
    store.evals.save(run("a", "new", version=2), items([1.0]))
    store.evals.save(run("b", "old"), items([1.0]))
    with pytest.raises(NotComparable, match="version 2 of sums and b version 1"):
        models(store, "new", "old")


def test_suites_that_only_one_was_asked_are_named_in_one_sentence_each(store: Store) -> None:
    for model, suites in (("new", ("sums", "code", "logic")), ("old", ("sums", "x"))):
        for suite in suites:
            store.evals.save(run(f"{model}-{suite}", model, suite=suite), items([1.0, 0.0]))
    report = models(store, "new", "old")
    assert report.refused == ("new was not asked x", "old was not asked code, logic")


def test_a_run_that_did_not_finish_is_not_compared(store: Store) -> None:
    store.evals.save(run("a", "new", finished=None), items([1.0]))
    with pytest.raises(NotComparable, match="did not finish"):
        models(store, "a", "new")


def test_what_is_not_to_be_trusted_is_said_in_the_verdict() -> None:
    labelled = run("a", "new", label="model failed its check: schema accuracy")
    row = compare(labelled, items([1.0] * 20), run("b", "old"), items([0.0] * 20))
    assert "not to be trusted: new: model failed its check" in sentence(Report(a="new", b="old", rows=(row,)))
    both = compare(labelled, items([1.0] * 20), replace(labelled, id="b", model="old"), items([0.0] * 20))
    assert both.label == labelled.label
    again = compare(labelled, items([1.0] * 20), run("b", "new"), items([0.0] * 20))
    assert again.label.startswith("a: model")  # two runs of one model are told by their ids
    cut = "12 of 40 answers ran into their limit of tokens"
    harder = compare(
        run("a", "new", condition="phrasing", label=cut), items([1.0] * 20), run("b", "new"), items([0.0] * 20),
        across_conditions=True,
    )  # fmt: skip
    assert harder.label == f"new under phrasing: {cut}"


def test_what_speaks_against_a_suite_under_one_perturbation_is_told_of_that() -> None:
    gate = "model failed its check: schema accuracy"
    rows = [
        compare(
            run("a", "new", condition=condition, label=label), items([1.0] * 20),
            run("b", "old", condition=condition, label=label), items([0.0] * 20),
        )
        for condition, label in (("phrasing", f"{gate}; 20 items"), ("", gate))
    ]  # fmt: skip
    assert doubts(Report(a="new", b="old", rows=tuple(rows))) == ((gate,), {"sums under phrasing": ("20 items",)})


def test_a_report_is_json_whatever_its_figures(store: Store) -> None:
    import json

    row = compare(run("a", "new"), items([1.0]), run("b", "old"), items([0.0]))
    assert math.isinf(row.difference.se)
    text = json.dumps(Report(a="new", b="old", rows=(row,)).to_dict(), allow_nan=False)
    assert json.loads(text)["rows"][0]["result"] == "tie"


def test_a_variant_is_a_model_of_its_own_and_hides_no_usual_run(store: Store) -> None:
    cool = {"temperature": 0.0, "variant": "at temperature 0"}
    store.evals.save(run("a1", "new", options={"temperature": 0.7}), items([1.0] * 20))
    store.evals.save(run("a2", "new", options=cool, started=AT.replace(hour=5)), items([0.0] * 20))
    report = models(store, "new", "new at temperature 0")
    assert (report.a, report.b) == ("new", "new at temperature 0")
    assert [(row.run_a, row.run_b, row.otherwise) for row in report.rows] == [("a1", "a2", "temperature 0.7 and 0")]
    assert {each.id for each in store.evals.listing(model="new")} == {"a1", "a2"}


def test_each_result_is_named_once_and_what_speaks_against_all_of_it_too() -> None:
    gate = "model failed its check: schema accuracy"
    rows = []
    for suite, mine, label in (
        ("sums", 1.0, gate),
        ("terms", 1.0, f"{gate}; 20 items, where the suite asks 100"),
        ("odd", 0.0, gate),
    ):
        a, b = (
            run("a", "new", suite=suite, domain=suite, label=label),
            run("b", "old", suite=suite, domain=suite, label=gate),
        )
        rows.append(compare(a, items([mine] * 20), b, items([0.0] * 20)))
    said = sentence(Report(a="new", b="old", rows=tuple(rows)))
    assert said.startswith("better than old at sums, +100.0")
    assert ", and at terms, +100.0" in said
    assert said.endswith(
        f"; no detectable difference in odd, which scored alike on every item (not to be trusted: {gate}, least of all terms)"
    )


def test_perturbed_runs_are_paired_with_the_plain_one_and_the_worst_comes_first(store: Store) -> None:
    store.evals.save(run("plain", "m"), items([1.0] * 40))
    store.evals.save(run("other words", "m", condition="phrasing"), items([1.0] * 39 + [0.0]))
    store.evals.save(run("other names", "m", condition="tool-names"), items([1.0] * 20 + [0.0] * 20))
    found = perturbed(store, "m")
    assert [(row.condition, row.run_b, row.result) for row in found.rows] == [
        ("tool-names", "plain", "worse"), ("phrasing", "plain", "tie"),
    ]  # fmt: skip
    assert worst(found) == "the worst case is arithmetic (sums under tool-names), −50.0 points"
    assert sentence(found).startswith("worse than m as it is at arithmetic (sums under tool-names)")
    assert [row.run_a for row in perturbed(store, "other words").rows] == ["other words"]


def test_a_model_without_perturbed_or_plain_runs_says_what_is_missing(store: Store) -> None:
    store.evals.save(run("plain", "m"), items([1.0] * 40))
    with pytest.raises(
        NotComparable, match=r"m was measured under no perturbation; `scout eval run SUITE --perturb NAME`"
    ):
        perturbed(store, "m")
    store.evals.save(run("alone", "n", condition="phrasing"), items([1.0] * 40))
    with pytest.raises(NotComparable, match="n was not asked sums without phrasing"):
        perturbed(store, "n")
