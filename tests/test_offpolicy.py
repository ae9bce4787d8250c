"""What another policy would have been worth, estimated from a log whose truth is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import pytest
from digest_samples import candidate

from evals.offpolicy import Report, Row, Unknown, difference, estimate
from scout.digest.choose import explore
from scout.items import Lane

DAY = date(2025, 12, 1)
SLOTS = 10


def logged_world(seed: int, *, explored: int, days: int = 14, items: int = 60) -> tuple[list[Row], list[Row], float]:
    """A log as the logging policy's own, the same as another policy's, and what the other is truly worth.

    Both rank by what the reader wants and noise of their own; a model foresees it, but wrongly scaled.
    """
    rng = np.random.default_rng(seed)
    own: list[Row] = []
    other: list[Row] = []
    truth = 0.0
    for number in range(days):
        appeal = rng.normal(size=items) + 0.3 * rng.normal()
        wanted = 1 / (1 + np.exp(2 - 1.2 * appeal))
        ups = rng.random(items) < wanted
        scores, others = appeal + rng.normal(size=items), appeal + rng.normal(size=items)
        top, theirs = set(np.argsort(-scores)[:SLOTS].tolist()), set(np.argsort(-others)[:SLOTS].tolist())
        rest = [item for item in range(items) if item not in top]
        lucky = set(rng.choice(rest, explored, replace=False).tolist())
        foreseen = 1 / (1 + np.exp(1.5 - 0.8 * scores))
        for item in range(items):
            shown = item in top or item in lucky
            row = Row(
                DAY + timedelta(days=number), 1.0 if item in top else explored / len(rest), float(item in top),
                float(foreseen[item]), shown, bool(ups[item]) if shown else None, "read" if item in top else "skip",
            )  # fmt: skip
            own.append(row)
            other.append(replace(row, target=float(item in theirs)))
        truth += sum(wanted[item] for item in theirs) / (days * SLOTS)
    return own, other, truth


def holds(report: Report, name: str, truth: float) -> bool:
    found = getattr(report, name)
    return bool(found.low <= truth <= found.high)


@pytest.fixture(scope="module")
def worlds() -> list[tuple[Report, float]]:
    made = [logged_world(seed, explored=12) for seed in range(120)]
    return [(estimate(other), truth) for _, other, truth in made]


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_intervals_hold_the_truth_as_often_as_they_say(worlds: list[tuple[Report, float]], name: str) -> None:
    share = sum(holds(report, name, truth) for report, truth in worlds) / len(worlds)
    assert share >= 0.90  # 95% asked for; 120 worlds give or take 2 points
    assert all(report.effective > 30 for report, _ in worlds)


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_estimates_are_right_in_the_mean_where_the_plain_mean_is_not(
    worlds: list[tuple[Report, float]], name: str
) -> None:
    errors = [getattr(report, name).value - truth for report, truth in worlds]
    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(len(errors)) + 0.005


def test_the_plain_mean_of_what_was_shown_is_wrong_by_far() -> None:
    plain = []
    for seed in range(30):
        _, other, truth = logged_world(seed, explored=12)
        seen = [row.up for row in other if row.shown and row.target]
        plain.append(float(np.mean(np.array(seen, dtype=float))) - truth)
    assert np.mean(plain) > 0.03


def test_the_doubly_robust_estimate_misses_by_less(worlds: list[tuple[Report, float]]) -> None:
    missed = {name: [getattr(report, name).value - truth for report, truth in worlds] for name in ("ips", "dr")}
    assert np.std(missed["dr"]) < 0.95 * np.std(missed["ips"])


def test_a_difference_is_told_more_surely_than_its_two_sides() -> None:
    own, other, _ = logged_world(5, explored=12)
    apart, shown = difference(other, own)["dr"], estimate(own).dr
    alone = estimate(other).dr
    assert shown is not None
    assert alone is not None
    assert apart.value == pytest.approx(alone.value - shown.value)
    assert apart.high - apart.low < (alone.high - alone.low) + (shown.high - shown.low)


def test_the_logging_policy_itself_is_worth_its_own_thumbs_and_needs_no_luck() -> None:
    own, _, _ = logged_world(3, explored=12)
    found = estimate(own)
    ups = [row.up for row in own if row.target]
    assert found.effective == pytest.approx(len(ups)) == found.slots
    for each in (found.ips, found.snips, found.dr):
        assert each is not None
        assert each.value == pytest.approx(sum(map(bool, ups)) / len(ups))
    assert found.warnings == ()


def test_thin_overlap_is_told_in_plain_words() -> None:
    _, other, _ = logged_world(1, explored=1)
    found = estimate(other)
    assert found.effective < 20
    assert any("overlap is too thin" in warning for warning in found.warnings)


def test_slots_that_could_not_have_been_shown_are_counted_and_left_out() -> None:
    _, other, _ = logged_world(1, explored=12)
    cut = [replace(row, propensity=0.0, shown=False, up=None) if row.target and not row.shown else row for row in other]
    found = estimate(cut)
    assert found.covered < found.slots == 140
    assert any("nothing is known of them" in warning for warning in found.warnings)


def test_an_unknown_thumb_counts_as_not_wanted_or_as_missing_as_one_says() -> None:
    rng = np.random.default_rng(0)
    values: dict[Unknown, list[float]] = {unknown: [] for unknown in Unknown}
    truths = []
    for seed in range(30):
        _, other, truth = logged_world(seed, explored=12)
        silent = [
            replace(row, up=None) if rng.random() < (0.2 if row.group == "read" else 0.5) else row for row in other
        ]
        truths.append(truth)
        for unknown in Unknown:
            found = estimate(silent, unknown=unknown).ips
            assert found is not None
            values[unknown].append(found.value)
    assert np.mean(values[Unknown.MISSING]) == pytest.approx(np.mean(truths), abs=0.03)
    assert np.mean(values[Unknown.NOT_UP]) < np.mean(truths) - 0.05


def test_without_a_thumb_nothing_is_told() -> None:
    rows = [Row(DAY + timedelta(days=n), 0.5, 1.0, 0.3, n % 2 == 0) for n in range(10)]
    found = estimate(rows)
    assert (found.ips, found.snips, found.dr) == (None, None, None)
    assert any("nothing can be told" in warning for warning in found.warnings)
    assert difference(rows, rows) == {}


def test_a_policy_that_would_have_shown_nothing_is_worth_nothing_known() -> None:
    found = estimate([Row(DAY, 1.0, 0.0, 0.3, True, True)])
    assert found.dr is None
    assert found.warnings[0] == "it would have shown nothing"


def test_one_day_gives_no_interval() -> None:
    found = estimate([Row(DAY, 1.0, 1.0, 0.3, True, up) for up in (True, False)])
    assert found.snips is not None
    assert found.snips.value == 0.5
    assert found.snips.to_dict() == {"value": 0.5, "low": None, "high": None}
    assert any("only 1 days" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (Row(DAY, 1.5, 1.0, 0.3, True), "propensity"),
        (Row(DAY, 1.0, -1.0, 0.3, True), "target"),
        (Row(DAY, 1.0, 1.0, float("nan"), True), "foreseen"),
        (Row(DAY, 0.0, 1.0, 0.3, True), "shown with a propensity of 0"),
    ],
    ids=["propensity", "target", "foreseen", "shown"],
)
def test_rows_that_cannot_be_are_refused_by_name(row: Row, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        estimate([row])


def test_the_propensities_of_exploration_are_those_of_its_draw_alone_and_in_pairs() -> None:
    skipped, days, slots = [candidate(number, Lane.SKIP, number / 100) for number in range(8)], 3_000, 3
    single: Counter[str] = Counter()
    pairs: Counter[tuple[str, ...]] = Counter()
    for number in range(days):
        drawn = explore(skipped, slots=slots, reader="ada", day=DAY + timedelta(days=number))
        assert {choice.propensity for choice in drawn} == {slots / 8}
        single.update(choice.item.id for choice in drawn)
        pairs.update(combinations(sorted(choice.item.id for choice in drawn), 2))
    both = slots * (slots - 1) / (8 * 7)  # without replacement: a little less than the square
    assert all(abs(count / days - slots / 8) < 4 * 0.0089 for count in single.values())
    assert len(pairs) == 28
    assert all(abs(count / days - both) < 4.5 * 0.0057 for count in pairs.values())
