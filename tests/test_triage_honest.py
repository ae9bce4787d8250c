"""What biased, sudden and one-sided thumbs may not do: inflate probabilities, or buy a promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from triage_samples import SUBJECTS, TARGETS, corpus, papers, thumb

from scout.items import Lane
from scout.triage import calibration, honest, linear
from scout.triage.policy import Corpus, Profile, Thumbed

ITEMS = papers(240, topics=("agents", "vision", "finance"))
ASKED = replace(TARGETS, recall=0.9)


def likes_agents(count: int) -> tuple[Thumbed, ...]:
    return tuple(thumb(item, up=":agents." in item.id, day=place // 12) for place, item in enumerate(ITEMS[:count]))


def test_thumbs_half_up_do_not_make_half_of_all_items_likely() -> None:
    ups = [item for item in ITEMS if ":agents." in item.id][:20]
    downs = [item for item in ITEMS if ":vision." in item.id][:20]
    thumbs = tuple(thumb(item, up=item in ups, day=place // 4) for place, item in enumerate((*ups, *downs)))
    seen = corpus(300)
    policy = linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), seen, TARGETS)
    mean = np.mean([decision.probability for decision in policy.decide(seen.recent)])
    assert mean <= 1.5 * TARGETS.base_rate


def test_a_reader_who_thumbs_everything_is_believed() -> None:
    policy = linear.fit(Profile("me", SUBJECTS, thumbs=likes_agents(240)), Corpus(tuple(ITEMS)), TARGETS)
    mean = np.mean([decision.probability for decision in policy.decide(ITEMS)])
    assert mean == pytest.approx(1 / 3, abs=0.08)


def test_with_thumbs_enough_the_lanes_hold_what_was_promised() -> None:
    policy = linear.fit(Profile("me", SUBJECTS, thumbs=likes_agents(180)), Corpus(tuple(ITEMS[:180])), ASKED)
    told = policy.facts()["promise"]
    assert told["line"] == pytest.approx(policy.facts()["thresholds"]["unsure"], abs=1e-6)
    assert "at least 90% of what you would thumb up" in told["sentence"]
    wanted = [
        decision
        for item, decision in zip(ITEMS[180:], policy.decide(ITEMS[180:]), strict=True)
        if ":agents." in item.id
    ]
    assert np.mean([decision.lane is not Lane.SKIP for decision in wanted]) >= 0.9


def test_with_too_few_thumbs_the_lanes_keep_their_sizes() -> None:
    thumbs = likes_agents(20)
    asked, plain = (
        linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), corpus(), targets) for targets in (ASKED, TARGETS)
    )
    assert asked.facts()["thresholds"] == plain.facts()["thresholds"]
    assert asked.facts()["promise"]["line"] is None
    assert plain.facts()["promise"] is None


@pytest.mark.parametrize("up", [True, False], ids=["all up", "all down"])
def test_thumbs_of_one_kind_are_served(up: bool) -> None:
    thumbs = tuple(thumb(item, up=up, day=place // 20) for place, item in enumerate(ITEMS))
    probabilities = [
        d.probability for d in linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), corpus(), ASKED).decide(ITEMS)
    ]
    assert np.isfinite(probabilities).all()


def test_contradictory_thumbs_promise_no_more_than_the_last_ones() -> None:
    thumbs = likes_agents(180)
    turned = tuple(replace(each, up=not each.up, at=each.at - timedelta(days=400)) for each in thumbs)
    seen = Corpus(tuple(ITEMS))
    found = [
        linear.fit(Profile("me", SUBJECTS, thumbs=each), seen, ASKED).facts()["promise"]
        for each in (thumbs, turned + thumbs)
    ]
    assert found[0] == found[1]


def test_a_script_s_thumbs_are_told_of() -> None:
    noon = datetime(2025, 11, 3, 12, tzinfo=UTC)
    burst = [Thumbed(item, True, (), noon + timedelta(milliseconds=60 * place)) for place, item in enumerate(ITEMS)]
    calm = [Thumbed(item, True, (), noon + timedelta(minutes=place)) for place, item in enumerate(ITEMS)]
    assert honest.bursts(burst) == {"minutes": 1, "thumbs": 240}
    assert honest.bursts(calm) == {"minutes": 0, "thumbs": 0}


def test_a_script_s_thumbs_of_one_day_promise_nothing() -> None:
    thumbs = tuple(thumb(item, up=place % 2 == 0, day=1) for place, item in enumerate(ITEMS))
    promise = linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), Corpus(tuple(ITEMS)), ASKED).facts()["promise"]
    assert promise["line"] is None
    assert "one day" in promise["sentence"]


def test_probabilities_are_lowered_to_the_mean_that_is_asked_for_and_never_raised() -> None:
    logits, weights = np.array([-1.0, 0.0, 2.0]), np.ones(3)
    by = calibration.excess(logits, weights, 0.1)
    assert (1 / (1 + np.exp(by - logits))).mean() == pytest.approx(0.1, abs=1e-4)
    assert calibration.excess(logits, weights, 0.9) == 0
    assert calibration.excess(np.zeros(0), np.zeros(0), 0.1) == 0
