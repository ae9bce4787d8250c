"""Relevance: what thumbs do, from the first to thousands, and what is sensible where they say little."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from triage_samples import SUBJECTS, TARGETS, TOPICS, corpus, paper, papers, thumb

from scout.triage import linear
from scout.triage.policy import Corpus, Profile, Targets

NEW = papers(80, first=100)


def logits(profile: Profile, items=NEW, seen: Corpus | None = None, targets: Targets = TARGETS) -> np.ndarray:
    decisions = linear.fit(profile, seen or corpus(), targets).decide(items)
    return np.array([math.log(d.probability / (1 - d.probability)) for d in decisions])


def of_topic(topic: str) -> np.ndarray:
    return np.array([f":{topic}." in item.id for item in NEW])


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    ups, downs = scores[labels], scores[~labels]
    return float((ups[:, None] > downs[None, :]).mean())


def test_before_any_thumb_followed_subjects_come_first():
    scores = logits(Profile("me", SUBJECTS))
    assert auc(of_topic("agents") | of_topic("vision"), scores) > 0.9


def test_only_followed_subjects_count():
    scores = logits(Profile("me", SUBJECTS, followed=frozenset({"vision"})))
    assert auc(of_topic("vision"), scores) > 0.9
    assert scores[of_topic("agents")].mean() < scores[of_topic("vision")].mean() - 1


def test_before_any_thumb_the_mean_probability_is_the_share_the_reader_wants():
    decisions = linear.fit(Profile("me", SUBJECTS), corpus(400), TARGETS).decide(papers(200, first=9000))
    assert np.mean([d.probability for d in decisions]) == pytest.approx(TARGETS.base_rate, rel=0.25)


@pytest.mark.parametrize("up", [True, False])
def test_the_very_first_thumb_moves_what_is_like_it_and_little_else(up):
    before = logits(Profile("me", SUBJECTS))
    after = logits(Profile("me", SUBJECTS, thumbs=(thumb(paper(1, "proteins"), up=up),)))
    moved = (after - before) * (1 if up else -1)
    if not up:  # what nobody wanted anyway can hardly fall
        assert moved[of_topic("proteins")].mean() > moved[of_topic("finance")].mean()
        return
    assert moved[of_topic("proteins")].mean() > 0.3
    assert moved[of_topic("proteins")].mean() > 2 * abs(moved[of_topic("agents")].mean())
    ranks_before, ranks_after = (-before).argsort().argsort(), (-after).argsort().argsort()
    assert (ranks_before - ranks_after)[of_topic("proteins")].mean() > 3


def test_a_first_thumb_down_lowers_what_would_have_been_read():
    before = logits(Profile("me", SUBJECTS))
    after = logits(Profile("me", SUBJECTS, thumbs=(thumb(paper(1, "agents"), up=False),)))
    assert (before - after)[of_topic("agents")].mean() > 0.15
    assert (before - after)[of_topic("agents")].mean() > 1.5 * (before - after)[of_topic("finance")].mean()


def test_ten_thumbs_turn_the_order_around():
    ups = [thumb(item, up=True) for item in papers(5, topics=("finance",))]
    downs = [thumb(item, up=False) for item in papers(5, topics=("agents",))]
    scores = logits(Profile("me", SUBJECTS, thumbs=(*ups, *downs)))
    assert scores[of_topic("finance")].mean() > scores[of_topic("agents")].mean()


def test_an_author_is_remembered():
    ups = tuple(thumb(paper(n, "finance", author="Ada Lovelace"), up=True) for n in range(3))
    hers, another = paper(200, "proteins", author="Ada Lovelace"), paper(200, "proteins")
    first, second = logits(Profile("me", SUBJECTS, thumbs=ups), [hers, replace(another, id="x:1")])
    assert first > second + 0.5


def test_reasons_say_how_much_a_thumb_down_is_about_the_topic():
    def fall(*reasons: str) -> float:
        down = thumb(paper(1, "agents"), up=False, reasons=reasons)
        return float(
            (logits(Profile("me", SUBJECTS)) - logits(Profile("me", SUBJECTS, thumbs=(down,))))[
                of_topic("agents")
            ].mean()
        )

    assert fall("off-topic") > fall() > fall("hype") > fall("known") > 0


def test_the_newest_of_two_thumbs_on_an_item_counts_and_a_repeated_one_once():
    item = paper(1, "proteins")
    said_up = Profile("me", SUBJECTS, thumbs=(thumb(item, up=True),))
    changed_mind = Profile("me", SUBJECTS, thumbs=(thumb(item, up=False), thumb(item, up=True, day=1)))
    repeated = Profile("me", SUBJECTS, thumbs=(thumb(item, up=True),) * 20)
    assert np.allclose(logits(said_up), logits(changed_mind))
    assert np.allclose(logits(said_up), logits(repeated))


@pytest.mark.parametrize("up", [True, False])
def test_thumbs_of_one_kind_alone_stay_sensible(up):
    thumbs = tuple(thumb(item, up=up) for item in papers(60))
    decisions = linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), corpus(), TARGETS).decide(NEW)
    probabilities = np.array([d.probability for d in decisions])
    assert np.isfinite(probabilities).all()
    assert ((probabilities > 0.0) & (probabilities < 1.0)).all()
    assert len({d.lane for d in decisions}) > 1


def test_opposite_thumbs_on_items_of_the_same_text_cancel():
    twins = [replace(paper(1, "proteins"), id=f"x:{n}") for n in range(8)]
    thumbs = tuple(thumb(item, up=n % 2 == 0) for n, item in enumerate(twins))
    scores = logits(Profile("me", SUBJECTS, thumbs=thumbs), [replace(twins[0], id="x:new")])
    assert abs(scores[0]) < 1.5


def test_an_item_with_nothing_in_it_gets_a_decision():
    empty = replace(paper(1, "agents"), id="x:empty", title="", text="", authors=(), categories=(), published=None)
    thumbs = (thumb(empty, up=True), thumb(paper(2, "agents"), up=False))
    decision = linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), Corpus((empty,)), TARGETS).decide([empty])[0]
    assert 0 < decision.probability < 1


def test_nothing_known_at_all_gives_a_policy():
    assert linear.fit(Profile("me"), Corpus(), Targets(5, 0, 0)).decide([]) == []
    assert len(linear.fit(Profile("me"), Corpus(), TARGETS).decide(papers(3))) == 3


def test_community_picks_are_a_prior_for_every_reader():
    seen = corpus(200)
    picks = {item.id: 9.0 for item in seen.recent if ":finance." in item.id}
    before = logits(Profile("me", SUBJECTS))
    after = logits(Profile("me", SUBJECTS), seen=replace(seen, picks=picks))
    assert (after - before)[of_topic("finance")].mean() > (after - before)[of_topic("proteins")].mean() + 1


def test_other_readers_thumbs_are_a_weaker_prior_than_ones_own():
    ups = tuple(thumb(item, up=":finance." in item.id) for item in papers(24))
    before = logits(Profile("me", SUBJECTS))
    others = logits(Profile("me", SUBJECTS), seen=replace(corpus(), others=ups))
    own = logits(Profile("me", SUBJECTS, thumbs=ups))
    gain = [
        (after - before)[of_topic("finance")].mean() - (after - before)[of_topic("proteins")].mean()
        for after in (others, own)
    ]
    assert 0.1 < gain[0] < gain[1]


def test_a_reader_who_disagrees_with_the_community_stops_hearing_it():
    seen = corpus(200)
    picks = {item.id: 9.0 for item in seen.recent if ":finance." in item.id}
    downs = tuple(thumb(item, up=":proteins." in item.id) for item in papers(80, topics=("finance", "proteins")))
    scores = logits(Profile("me", SUBJECTS, thumbs=downs), seen=replace(seen, picks=picks))
    assert scores[of_topic("proteins")].mean() > scores[of_topic("finance")].mean() + 1


def test_who_brought_a_paper_tells_nothing():
    item = paper(1, "vision")
    first, second = logits(Profile("me", SUBJECTS), [item, replace(item, source="hf-daily")])
    assert first == second


def test_many_thumbs_are_told_apart_and_calibrated():
    rng = np.random.default_rng(2)
    items = papers(600, topics=tuple(TOPICS))
    chance = {"agents": 0.8, "vision": 0.2, "proteins": 0.5, "finance": 0.05}
    thumbs = tuple(
        thumb(item, up=bool(rng.random() < chance[item.id.split(":")[1].split(".")[0]]), day=n // 20)
        for n, item in enumerate(items)
    )
    policy = linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), Corpus(tuple(items)), TARGETS)
    probabilities = np.array([d.probability for d in policy.decide(NEW)])
    for topic, expected in chance.items():
        # Of 150 thumbs, which the scale is read from, a topic has under forty.
        assert probabilities[of_topic(topic)].mean() == pytest.approx(expected, abs=0.15)
