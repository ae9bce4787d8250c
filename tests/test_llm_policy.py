"""The policy of a served model: how a rating moves a decision, and how much it is trusted to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from enrich_samples import decision, item

from scout.items import Contribution, Decision, Item, Lane, Subject
from scout.serving.messages import Message
from scout.triage import llm
from scout.triage.lanes import Thresholds
from scout.triage.llm import RATING, UNPROVEN, LlmPolicy, Rated, Weight
from scout.triage.policy import Policy, Profile
from scout.triage.prompting import rubric

RUBRIC = rubric(Profile("me", (Subject("agents", "Agents"), Subject("systems", "Systems"))))
FIVE, ONE, THREE = {"5": 1.0}, {"1": 1.0}, {"3": 1.0}
AGENTS = {"A": 1.0, "B": 0.0, "C": 0.0}


class Embedded:
    version, recipe = "linear-1:aaaa", "linear-1"

    def __init__(self, why: str = "word: agents") -> None:
        self.why = why

    def decide(self, items: Sequence[Item]) -> list[Decision]:
        return [decision(each, why=self.why) for each in items]


def policy(embedded: Policy | None = None, weight: Weight = UNPROVEN) -> LlmPolicy:
    return LlmPolicy(embedded or Embedded(), RUBRIC, "small", Thresholds(0.5, 0.4), weight=weight)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_a_rating_moves_the_log_odds_and_says_so() -> None:
    before = decision(item(1), probability=0.45, lane=Lane.UNSURE)
    after = policy().judge(before, AGENTS, FIVE)
    part = next(part for part in after.why if part.feature == RATING)
    assert part.weight > 0.5
    assert logit(after.probability) == pytest.approx(logit(0.45) + part.weight, abs=1e-4)
    assert after.lane is Lane.READ
    assert after.policy == f"llm-1:small:{RUBRIC.hash}:linear-1"


def test_a_low_rating_takes_an_item_out_of_the_read_lane() -> None:
    after = policy().judge(decision(item(1), probability=0.55), AGENTS, ONE)
    assert after.lane is Lane.SKIP
    assert after.probability < 0.4


def test_a_three_moves_nothing() -> None:
    assert policy().judge(decision(item(1)), AGENTS, THREE).probability == pytest.approx(0.6)


def test_the_distribution_counts_and_not_its_top() -> None:
    split = policy().judge(decision(item(1)), AGENTS, {"5": 0.5, "1": 0.5})
    assert split.probability == pytest.approx(0.6)


def test_an_unproven_model_can_move_no_more_than_its_limit() -> None:
    sure = policy(weight=Weight(50.0)).judge(decision(item(1), probability=0.01), AGENTS, FIVE)
    assert logit(sure.probability) - logit(0.01) == pytest.approx(1.0, abs=1e-3)


def test_parts_still_sum_to_the_logit_and_the_rest_stays_last() -> None:
    parts = (("word: a", 0.2), ("everything else", 0.1), ("base rate", 0.1055))
    before = replace(decision(item(1)), why=tuple(Contribution(*part) for part in parts))
    after = policy().judge(before, AGENTS, FIVE)
    assert [part.feature for part in after.why] == [RATING, "word: a", "everything else", "base rate"]
    assert sum(part.weight for part in after.why) == pytest.approx(logit(after.probability), abs=1e-3)


def test_subjects_are_the_mean_of_both_and_sum_to_one() -> None:
    after = policy().judge(decision(item(1)), {"A": 0.0, "B": 1.0, "C": 0.0}, THREE)
    assert sum(after.subjects.values()) == pytest.approx(1.0)
    assert set(after.subjects) == {"agents", "systems", "other"}
    strong = policy().judge(decision(item(1)), {"A": 0.05, "B": 0.0, "C": 0.95}, THREE)
    assert strong.subject == "other"
    assert policy().judge(decision(item(1)), {}, THREE).subjects == {"agents": 0.75, "other": 0.25}


def test_what_the_reader_allows_stays_in_the_read_lane() -> None:
    allowed = decision(item(1), why="rule: allow word: agents")
    after = policy().judge(allowed, AGENTS, ONE)
    assert after.lane is Lane.READ
    assert after.why[0].feature == "rule: allow word: agents"


def test_it_decides_like_any_policy_by_asking() -> None:
    asked: list[tuple[str, ...]] = []

    def ask(messages: Sequence[Message], labels: Sequence[str]) -> Mapping[str, float]:
        asked.append(tuple(labels))
        return {label: 1.0 if label in ("A", "5") else 0.0 for label in labels}

    every = replace(policy(), ask=ask).decide([item(1), item(2)])
    assert [each.item_id for each in every] == [item(1).id, item(2).id]
    assert all(each.probability > 0.6 for each in every)
    assert asked == [("A", "B", "C"), ("1", "2", "3", "4", "5")] * 2


def test_what_the_reader_blocks_is_never_asked() -> None:
    def ask(messages: Sequence[Message], labels: Sequence[str]) -> Mapping[str, float]:
        raise AssertionError("asked")

    blocked = replace(policy(Embedded("rule: block word: agents")), ask=ask).decide([item(1)])
    assert blocked[0].policy == "linear-1:aaaa"


def rated(ups: int, downs: int, *, tells: bool) -> list[Rated]:
    """Thumbs of the past, the embedded score without a clue; the ratings with one, or saying the same of all kinds."""
    past = [Rated(0.3, 0.9 if tells or n % 2 else 0.1, True) for n in range(ups)]
    return past + [Rated(0.3, 0.1 if tells or n % 2 else 0.9, False) for n in range(downs)]


def test_few_thumbs_prove_nothing() -> None:
    assert llm.weigh(rated(29, 200, tells=True)) is UNPROVEN
    assert llm.weigh([]) is UNPROVEN


def test_a_model_that_foresees_thumbs_is_trusted_and_one_that_does_not_is_not() -> None:
    good, useless = llm.weigh(rated(40, 40, tells=True)), llm.weigh(rated(40, 40, tells=False))
    assert good.weight > UNPROVEN.weight
    assert useless.weight == 0.0
    assert useless.moves(0.9) == 0.0


def test_a_model_that_rates_everything_high_is_measured_from_its_own_mean() -> None:
    past = [Rated(0.3, 0.95, True) for _ in range(40)] + [Rated(0.3, 0.8, False) for _ in range(40)]
    weight = llm.weigh(past)
    assert weight.moves(0.95) > 0 > weight.moves(0.8)
