"""The policy as a whole: the same every time, the same from its bytes, honest about why."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from triage_samples import SUBJECTS, TARGETS, corpus, paper, papers, thumb

from scout.items import Lane
from scout.triage import linear
from scout.triage.blob import BadBlob
from scout.triage.lanes import Thresholds
from scout.triage.policy import Corpus, Profile, Rules, Targets

THUMBS = tuple(thumb(item, up=n % 3 == 0, day=n // 10) for n, item in enumerate(papers(60)))
PROFILE = Profile(
    "me", SUBJECTS, thumbs=THUMBS, corrections={THUMBS[2].item.id: "vision"}, liked=(("agents", paper(7, "agents")),)
)
SEEN = replace(corpus(), picks={item.id: 3.0 for item in corpus().recent[::9]})


@pytest.fixture(scope="module")
def policy():
    return linear.fit(PROFILE, SEEN, TARGETS)


def test_the_same_inputs_give_the_same_bytes(policy):
    again = linear.fit(PROFILE, SEEN, TARGETS)
    assert again.to_bytes() == policy.to_bytes()
    assert again.version == policy.version
    assert policy.version.startswith("linear-2:")


@pytest.mark.parametrize(
    "changed",
    [
        replace(PROFILE, thumbs=THUMBS[:-1]),
        replace(PROFILE, subjects=SUBJECTS[:1]),
        replace(PROFILE, followed=frozenset({"vision"})),
        replace(PROFILE, block=Rules(words=("crypto",))),
        replace(PROFILE, reader="you"),
    ],
)
def test_anything_that_decides_otherwise_has_another_version(policy, changed):
    assert linear.fit(changed, SEEN, TARGETS).version != policy.version


def test_its_bytes_are_the_whole_policy(policy):
    again = linear.LinearPolicy.from_bytes(policy.to_bytes(), PROFILE)
    items = papers(40, first=300)
    assert again.decide(items) == policy.decide(items)
    assert again.facts() == policy.facts()
    assert again.version == policy.version


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-20], lambda b: b"", lambda b: b"x" + b, lambda b: b[:30] + b"\0" + b[31:]]
)
def test_damaged_bytes_are_refused_with_a_word_on_what_to_do(policy, damage):
    with pytest.raises(BadBlob, match="fitted again"):
        linear.LinearPolicy.from_bytes(damage(policy.to_bytes()), PROFILE)


def test_another_readers_bytes_are_refused(policy):
    with pytest.raises(BadBlob, match="reader 'me', not of 'you'"):
        linear.LinearPolicy.from_bytes(policy.to_bytes(), Profile("you", SUBJECTS))


def test_a_decision_does_not_depend_on_its_batch(policy):
    items = papers(24, first=300)
    together = policy.decide(items)
    for item, decision in zip(items, together, strict=True):
        alone = policy.decide([item])[0]
        assert alone.lane == decision.lane
        assert alone.probability == pytest.approx(decision.probability, abs=2e-6)


def test_the_parts_of_why_sum_to_the_logit(policy):
    for decision in policy.decide(papers(60, first=300)):
        logit = math.log(decision.probability / (1 - decision.probability))
        assert sum(part.weight for part in decision.why) == pytest.approx(logit, abs=2e-3)
        assert [part.feature for part in decision.why[-2:]] == ["everything else", "base rate"]
        shown = [abs(part.weight) for part in decision.why[:-2]]
        assert shown == sorted(shown, reverse=True)
        assert len(shown) <= 6


def test_why_names_words_authors_and_subjects_of_the_item():
    ups = tuple(thumb(paper(n, "finance", author="Ada Lovelace"), up=True) for n in range(6))
    downs = tuple(thumb(item, up=False) for item in papers(6, topics=("proteins",)))
    hers = paper(90, "finance", author="Ada Lovelace")
    decision = linear.fit(Profile("me", SUBJECTS, thumbs=(*ups, *downs)), corpus(), TARGETS).decide([hers])[0]
    features = {part.feature: part.weight for part in decision.why}
    assert features["author: Ada Lovelace"] > 0
    words = [feature.removeprefix("word: ") for feature in features if feature.startswith("word: ")]
    assert words
    assert all(word in f"{hers.title} {hers.text}".lower() for word in words)
    read = linear.fit(Profile("me", SUBJECTS), corpus(), TARGETS).decide([paper(3, "agents")])[0]
    assert read.why[0].feature == "subject: Agents"


def test_what_the_community_taught_is_named_as_that():
    picks = {item.id: 9.0 for item in SEEN.recent if ":finance." in item.id}
    decision = linear.fit(Profile("me", SUBJECTS), replace(SEEN, picks=picks), TARGETS).decide([paper(3, "finance")])[0]
    assert any(part.feature.startswith("picked by the community (prior): ") for part in decision.why)


class TestLanes:
    def test_about_as_many_as_asked_for_are_read(self):
        policy = linear.fit(Profile("me", SUBJECTS), corpus(400), Targets(10, 5, 100))
        lanes = [d.lane for d in policy.decide(papers(400, first=20_000))]
        assert 25 <= lanes.count(Lane.READ) <= 60
        assert 10 <= lanes.count(Lane.UNSURE) <= 35

    def test_thumbs_on_recent_items_do_not_narrow_the_lane(self):
        recent = papers(400, first=5000)
        thumbs = tuple(thumb(item, up=":agents." in item.id) for item in recent[:200])
        policy = linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), Corpus(tuple(recent)), Targets(10, 5, 100))
        lanes = [d.lane for d in policy.decide(papers(400, first=20_000))]
        assert 20 <= lanes.count(Lane.READ) <= 80

    def test_old_news_of_a_new_source_does_not_move_them(self):
        old = tuple(replace(item, backlog=True) for item in papers(300, first=9000, topics=("agents",)))
        with_old = linear.fit(Profile("me", SUBJECTS), replace(corpus(), recent=(*corpus().recent, *old)), TARGETS)
        lanes = [d.lane for d in with_old.decide(papers(200, first=20_000))]
        assert lanes.count(Lane.READ) >= 8

    def test_no_unsure_lane_where_none_is_wanted(self):
        policy = linear.fit(Profile("me", SUBJECTS), corpus(), Targets(10, 0, 100))
        assert Lane.UNSURE not in {d.lane for d in policy.decide(papers(100))}

    def test_without_a_usual_day_they_follow_the_base_rate(self):
        rare, common = (Thresholds.fit(np.zeros(0), np.zeros(0), Targets(wanted, 5, 100)) for wanted in (1, 30))
        assert rare.read < common.read
        assert rare.unsure < rare.read


class TestRules:
    item = replace(
        paper(3, "agents", author="Ada Lovelace"),
        title="An agent for crypto trading",
        source="blog",
        categories=("cs.MA",),
    )

    def lane(self, *, allow: Rules = Rules(), block: Rules = Rules()):  # noqa: B008
        policy = linear.fit(Profile("me", SUBJECTS, allow=allow, block=block), corpus(), TARGETS)
        decision = policy.decide([paper(4, "proteins"), self.item])[1]
        return decision.lane, decision.why[0].feature

    @pytest.mark.parametrize(
        ("rules", "told"),
        [
            (Rules(words=("Crypto trading",)), "word: Crypto trading"),
            (Rules(authors=("ada  lovelace",)), "author: ada  lovelace"),
            (Rules(categories=("CS.MA",)), "category: CS.MA"),
            (Rules(sources=("blog",)), "source: blog"),
        ],
    )
    def test_each_kind_blocks_and_says_so(self, rules, told):
        assert self.lane(block=rules) == (Lane.SKIP, f"rule: block {told}")

    def test_an_allowed_item_is_read_whatever_its_score(self):
        skipped = paper(9, "proteins")
        policy = linear.fit(
            Profile("me", SUBJECTS, allow=Rules(words=("protein", "enzyme", "genome"))), corpus(), TARGETS
        )
        assert policy.decide([skipped])[0].lane is Lane.READ

    def test_a_block_beats_an_allow(self):
        assert self.lane(allow=Rules(words=("agent",)), block=Rules(authors=("Ada Lovelace",)))[0] is Lane.SKIP

    def test_part_of_a_word_is_no_match(self):
        assert not self.lane(block=Rules(words=("cryp",)))[1].startswith("rule:")

    def test_the_probability_is_what_it_was(self):
        ruled, free = (
            linear.fit(Profile("me", SUBJECTS, block=block), corpus(), TARGETS).decide([self.item])[0]
            for block in (Rules(words=("crypto",)), Rules())
        )
        assert ruled.probability == free.probability
        assert ruled.why[1:] == free.why


class TestFacts:
    def test_they_are_json_and_count_right(self, policy):
        facts = json.loads(json.dumps(policy.facts()))
        assert (facts["thumbs"], facts["positives"], facts["recent"]) == (60, 20, 200)
        assert facts["thresholds"]["read"] >= facts["thresholds"]["unsure"] > 0

    def test_agreement_is_measured_on_thumbs_not_yet_seen(self):
        items = papers(200)
        predictable = tuple(thumb(item, up=":agents." in item.id, day=n // 25) for n, item in enumerate(items))
        facts = linear.fit(Profile("me", SUBJECTS, thumbs=predictable), corpus(), TARGETS).facts()
        days = [entry["day"] for entry in facts["agreement"]]
        assert days == sorted(days)
        assert sum(entry["n"] for entry in facts["agreement"]) == facts["held_out"]["n"] == 150
        assert facts["held_out"]["agreement"] > 0.9

    def test_a_coin_is_not_foreseen(self):
        import random

        coin = random.Random(4)
        thumbs = tuple(thumb(item, up=coin.random() < 0.5, day=n // 25) for n, item in enumerate(papers(300)))
        facts = linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), corpus(), TARGETS).facts()
        assert 0.35 < facts["held_out"]["agreement"] < 0.65

    def test_the_strongest_words_and_authors_are_named(self):
        ups = tuple(thumb(paper(n, "finance", author="Ada Lovelace"), up=True) for n in range(20))
        downs = tuple(thumb(item, up=False) for item in papers(20, topics=("agents",)))
        learned = linear.fit(Profile("me", SUBJECTS, thumbs=(*ups, *downs)), corpus(), TARGETS).facts()["learned"]
        assert "author: Ada Lovelace" in [entry["feature"] for entry in learned["up"]]
        assert all(entry["weight"] > 0 for entry in learned["up"])
        assert all(entry["weight"] < 0 for entry in learned["down"])
        assert any(entry["feature"].startswith("word: ") for entry in learned["down"])

    def test_without_thumbs_nothing_is_claimed(self):
        facts = linear.fit(Profile("me", SUBJECTS), corpus(), TARGETS).facts()
        assert facts["agreement"] == []
        assert facts["held_out"] == {"agreement": None, "n": 0}
        assert facts["learned"] == {"up": [], "down": []}
