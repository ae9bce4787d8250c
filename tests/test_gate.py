"""May a new policy serve: the verdict, its evidence, and when there is too little to decide on."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from evals import gate
from evals.gate import Held, Verdict, judge

DAY = date(2025, 12, 1)


def thumbs(
    seed: int, *, days: int = 20, a_day: int = 12, champion: float, challenger: float, shift: float = 0.0
) -> list[Held]:
    """Thumbs of a reader whose wish both see through noise: the smaller, the better they foresee it."""
    rng = np.random.default_rng(seed)
    held = []
    for number in range(days):
        wish = 1.5 * rng.normal(size=a_day) + 0.4 * rng.normal()
        ups = rng.random(a_day) < 1 / (1 + np.exp(-wish))
        ours, theirs = wish + champion * rng.normal(size=a_day), wish + challenger * rng.normal(size=a_day) + shift
        held += [
            Held(DAY + timedelta(days=number), bool(up), float(1 / (1 + np.exp(-a))), float(1 / (1 + np.exp(-b))))
            for up, a, b in zip(ups, ours, theirs, strict=True)
        ]
    return held


def test_a_challenger_that_foresees_better_passes_with_its_evidence() -> None:
    found = judge(thumbs(1, champion=2.5, challenger=0.3))
    assert found.passed
    assert found.decided
    assert found.log_loss is not None
    assert found.auc is not None
    assert found.log_loss.better > 0 < found.log_loss.low
    assert found.log_loss.p < 0.05
    assert found.auc.better > 0 < found.auc.low
    assert (found.thumbs, found.days, found.needed) == (240, 20, None)
    assert "foresees these thumbs better" in found.reason


def test_a_worse_challenger_does_not_pass_and_is_told_to_be_no_better() -> None:
    found = judge(thumbs(1, champion=0.3, challenger=2.5))
    assert not found.passed
    assert "no better" in found.reason
    assert found.needed is None


def test_equals_pass_by_chance_no_more_often_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "DRAWS", 40)
    let_through = sum(judge(thumbs(seed, champion=1.0, challenger=1.0, days=12, a_day=8)).passed for seed in range(60))
    assert let_through <= 6  # 2.5% of 60 are asked for: one side of 5%


def test_what_may_be_chance_says_how_many_thumbs_would_show_it() -> None:
    found = next(
        verdict
        for seed in range(50)
        if (verdict := judge(thumbs(seed, champion=1.1, challenger=0.9, days=8, a_day=8))).log_loss
        and verdict.log_loss.better > 0
        and not verdict.passed
    )
    assert "by chance alone" in found.reason
    assert found.needed is not None
    assert found.needed > found.thumbs


def test_better_probabilities_with_a_worse_ranking_do_not_pass() -> None:
    rng = np.random.default_rng(0)
    held = []
    for number in range(400):
        up = bool(rng.random() < 0.2)
        sharp = 0.95 if up else 0.80  # ranks well, and is much too sure
        dull = 0.2 + (0.01 if rng.random() < 0.5 else 0.0)  # knows the rate alone
        held.append(Held(DAY + timedelta(days=number % 20), up, sharp, dull))
    found = judge(held)
    assert not found.passed
    assert "ranks worse" in found.reason


def test_the_same_thumbs_give_the_same_verdict() -> None:
    held = thumbs(7, champion=1.5, challenger=0.8)
    assert judge(held) == judge(held)
    assert judge(held).to_dict() == judge(list(held)).to_dict()


def one_kind(up: bool) -> list[Held]:
    return [Held(DAY + timedelta(days=n % 10), up, 0.5, 0.6) for n in range(100)]


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ([], "no thumb is held out"),
        (one_kind(True), "all 100 held-out thumbs are up"),
        (one_kind(False), "all 100 held-out thumbs are down"),
        ([Held(DAY, n % 2 == 0, 0.5, 0.6) for n in range(1000)], "are of one day"),
        (thumbs(1, champion=1, challenger=1, days=3), "3 days where 6 are needed"),
        (thumbs(1, champion=1, challenger=1, days=6, a_day=4), "24 held-out thumbs where 60 are needed"),
    ],
    ids=["none", "no-negatives", "no-positives", "one-day", "few-days", "few-thumbs"],
)
def test_too_little_decides_nothing_and_says_what_is_missing(held: list[Held], told: str) -> None:
    found = judge(held)
    assert not found.passed
    assert not found.decided
    assert told in found.reason
    assert found.log_loss is None


def test_a_day_of_a_thousand_clicks_is_named_and_does_not_decide() -> None:
    flood = [Held(DAY, n % 2 == 0, 0.5, 0.99 if n % 2 == 0 else 0.01) for n in range(1000)]
    found = judge([*flood, *thumbs(2, champion=1.0, challenger=1.0, days=8)])
    assert any(f"1012 of 1096 held-out thumbs are of {DAY}" in note for note in found.notes)
    assert not found.passed


def test_contradictory_thumbs_are_no_trouble() -> None:
    held = [Held(DAY + timedelta(days=n % 8), up, 0.6, 0.4) for n in range(80) for up in (True, False)]
    found = judge(held)
    assert found.decided
    assert not found.passed


def test_a_sure_mistake_costs_much_but_not_without_bound() -> None:
    held = [replaced(one) for one in thumbs(1, champion=2.5, challenger=0.3)]
    found = judge(held)
    assert found.log_loss is not None
    assert np.isfinite(found.log_loss.challenger)


def replaced(one: Held) -> Held:
    return Held(one.day, one.up, one.champion, 0.0 if one.day == DAY else one.challenger)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="for probabilities"):
        judge([Held(DAY, True, 1.2, 0.5)])


def test_evidence_is_plain_json_with_its_sizes() -> None:
    found = judge(thumbs(1, champion=2.5, challenger=0.3)).to_dict()
    assert set(found["log_loss"]) == {"champion", "challenger", "better", "low", "high", "p"}
    assert isinstance(judge([]), Verdict)
    assert (gate.LEAST_THUMBS, gate.LEAST_OF_A_KIND, gate.LEAST_DAYS) == (60, 12, 6)
