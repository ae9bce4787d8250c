"""The line under a promised recall keeps its promise as often as it says, on made-up readers whose truth is known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from scout.triage import risk

DAY = date(2025, 11, 1)


@pytest.mark.parametrize(("recall", "confidence", "count"), [(0.9, 0.95, 29), (0.8, 0.95, 14), (0.95, 0.95, 59)])
def test_the_fewest_thumbs_up_are_those_of_the_formula(recall: float, confidence: float, count: int) -> None:
    assert risk.needed(recall, confidence=confidence) == count
    scores = np.linspace(0.1, 0.9, count)
    assert risk.line(scores, recall, confidence=confidence) == pytest.approx(0.1)
    assert risk.line(scores[1:], recall, confidence=confidence) is None


@pytest.mark.parametrize("count", [29, 60, 150, 500])
@pytest.mark.parametrize("recall", [0.8, 0.9])
def test_the_promise_is_kept_as_often_as_it_says(count: int, recall: float) -> None:
    rng = np.random.default_rng(7)
    draws = 2000
    lines = [risk.line(rng.random(count), recall) for _ in range(draws)]
    kept = np.mean(
        [1 - line >= recall for line in lines if line is not None]
    )  # of uniform scores 1 - line is the recall
    assert kept >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / draws)


def test_with_many_thumbs_the_list_is_hardly_longer_than_need_be() -> None:
    found = risk.line(np.random.default_rng(3).random(5000), 0.9)
    assert found is not None
    assert 0.9 <= 1 - found <= 0.92


def test_ties_keep_the_promise() -> None:
    """Half of the positives score the same: the line must not cut through them."""
    scores = np.array([0.2] * 50 + [0.7] * 50)
    assert risk.line(scores, 0.9) == 0.2


def test_thumbs_of_one_day_promise_nothing_and_say_so() -> None:
    found = risk.promise([(DAY, 0.5 + place / 1000, True) for place in range(100)], 0.9)
    assert found.line is None
    assert "one day" in found.sentence()


def test_too_few_thumbs_are_told_how_many_it_takes() -> None:
    found = risk.promise([(DAY, 0.5, True), (DAY, 0.1, False)], 0.9)
    assert found.line is None
    assert "takes 29" in found.sentence()
    assert "there are 1" in found.sentence()


def test_a_promise_names_its_figures() -> None:
    days = [DAY + timedelta(days=place % 5) for place in range(40)]
    found = risk.promise([(day, 0.3, True) for day in days], 0.9)
    assert found.sentence() == (
        "With 95% confidence, the read and unsure lanes hold at least 90% of what you would thumb up, measured on 40 "
        "thumbs up that were held out. That stands on what you will thumb up being like them: where your interests or the "
        "field move, it can fail until new thumbs have come."
    )


def test_without_a_thumb_up_there_is_no_line() -> None:
    assert risk.promise([], 0.9).line is None
    assert risk.promise([(DAY, 0.4, False)] * 500, 0.9).line is None


@pytest.mark.parametrize(("recall", "confidence"), [(0.0, 0.95), (1.0, 0.95), (0.9, 1.0)])
def test_what_nobody_can_promise_is_refused(recall: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        risk.line(np.ones(50), recall, confidence=confidence)


def test_bounds_of_clopper_and_pearson_are_the_published_ones() -> None:
    assert risk.recall_bound(29, 29) == pytest.approx(0.05 ** (1 / 29))
    assert risk.recall_bound(0, 10) == 0
    assert risk.missed_bound(0, 30) == pytest.approx(1 - 0.05 ** (1 / 30))  # the rule of three, exactly
    assert risk.missed_bound(5, 5) == 1


def test_the_bound_is_told_in_words_once_it_says_something() -> None:
    assert risk.told_of_skipped(0, 9) == ""
    assert risk.told_of_skipped(1, 30) == (
        "Of 30 skipped items that chance put into digests and you thumbed, you wanted 1: with 95% confidence no more than "
        "14.9% of what is skipped is like that."
    )


def test_the_bound_on_what_is_missed_covers_the_truth() -> None:
    rng = np.random.default_rng(11)
    draws = 2000
    covered = np.mean([risk.missed_bound(int(ups), 60) >= 0.04 for ups in rng.binomial(60, 0.04, draws)])
    assert covered >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / draws)
