"""Routing: which subject an item goes to, and why anybody would agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from triage_samples import AGENTS, SUBJECTS, TARGETS, corpus, paper, papers

from scout.items import OTHER, Subject
from scout.subjects import DEFAULT_SUBJECTS
from scout.triage import linear
from scout.triage.policy import Corpus, Profile


def routed(profile: Profile, items, seen: Corpus | None = None):
    return linear.fit(profile, seen or corpus(), TARGETS).decide(items)


def test_items_go_to_the_subject_they_are_about():
    decisions = routed(Profile("me", SUBJECTS), papers(80))
    for topic, subject in (("agents", "agents"), ("vision", "vision"), ("proteins", OTHER), ("finance", OTHER)):
        right = [d.subject == subject for d in decisions if f":{topic}." in d.item_id]
        assert sum(right) >= 0.9 * len(right), topic


def test_shares_sum_to_one_over_all_subjects_and_other():
    for decision in routed(Profile("me", SUBJECTS), papers(40)):
        assert set(decision.subjects) == {"agents", "vision", OTHER}
        assert sum(decision.subjects.values()) == pytest.approx(1, abs=1e-9)
        assert min(decision.subjects.values()) >= 0
        assert max(decision.subjects, key=decision.subjects.__getitem__) == decision.subject


def test_a_description_alone_is_enough():
    subject = Subject("bio", "Structures", "How a protein folds and binds a ligand.")
    decisions = routed(Profile("me", (subject,)), papers(40))
    share = {
        topic: np.mean([d.subjects["bio"] for d in decisions if f":{topic}." in d.item_id])
        for topic in ("proteins", "finance")
    }
    assert share["proteins"] > 3 * share["finance"]


def test_a_keyword_in_the_title_counts_more_than_in_the_text():
    plain = replace(paper(1, "finance"), title="A word on it", text="Nothing to see here. It is what it is.")
    in_text = replace(plain, id="x:1", text="Nothing to see here. An agent is what it is.")
    in_title = replace(plain, id="x:2", title="An agent on it")
    shares = [d.subjects["agents"] for d in routed(Profile("me", SUBJECTS), [plain, in_text, in_title])]
    assert shares[0] < shares[1] < shares[2]


def test_a_common_keyword_says_less_than_a_rare_one():
    everywhere = Subject("common", "Common", keywords=("data",))
    rare = Subject("rare", "Rare", keywords=("quasar",))
    both = replace(paper(1, "finance"), title="Quasar data", text="")
    seen = Corpus(tuple(replace(item, text=item.text + " All data.") for item in papers(200)))
    decision = routed(Profile("me", (everywhere, rare)), [both], seen)[0]
    assert decision.subjects["rare"] > 3 * decision.subjects["common"]


def test_a_category_helps_where_words_say_nothing():
    silent = replace(paper(1, "finance"), title="On it", text="It is what it is.", categories=("cs.MA",))
    elsewhere = replace(silent, id="x:1", categories=("math.AG",))
    first, second = routed(Profile("me", SUBJECTS), [silent, elsewhere])
    assert first.subjects["agents"] > second.subjects["agents"]


def test_liked_examples_teach_a_subject_its_words():
    subject = Subject("mine", "Things I follow")
    before, after = (
        routed(Profile("me", (subject,), liked=liked), [paper(900, "proteins")])[0].subjects["mine"]
        for liked in ((), tuple(("mine", item) for item in papers(3, topics=("proteins",))))
    )
    assert after > before + 0.2


def test_a_correction_is_learned_for_the_item_and_its_like():
    item, like, unlike = paper(5001, "proteins"), paper(77, "proteins"), paper(78, "finance")
    seen = Corpus((*corpus().recent, item))
    before = routed(Profile("me", SUBJECTS), [item, like, unlike], seen)
    after = routed(Profile("me", SUBJECTS, corrections={item.id: "vision"}), [item, like, unlike], seen)
    moved = [b.subjects["vision"] - a.subjects["vision"] for a, b in zip(before, after, strict=True)]
    assert after[0].subject == "vision"
    assert moved[1] > 2 * max(moved[2], 0)


def test_a_correction_to_no_subject_of_this_reader_is_ignored():
    item = paper(1, "agents")
    seen = Corpus((*corpus().recent, item))
    decision = routed(Profile("me", SUBJECTS, corrections={item.id: "gone", "unknown:1": "agents"}), [item], seen)[0]
    assert decision.subject == "agents"


def test_without_subjects_everything_is_other():
    decision = routed(Profile("me"), [paper(1, "agents")])[0]
    assert (decision.subject, dict(decision.subjects)) == (OTHER, {OTHER: 1.0})


def test_without_any_item_seen_it_still_routes():
    decisions = routed(Profile("me", SUBJECTS), [paper(1, "agents"), paper(2, "vision")], Corpus())
    assert [d.subject for d in decisions] == ["agents", "vision"]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Scaling laws for sparse mixture of experts language models", "language-models"),
        ("Reinforcement learning with verifiable rewards improves mathematical reasoning", "reasoning-rl"),
        ("A web agent that learns tool use from its own trajectories", "agents"),
        ("When LLM-as-a-judge fails: contamination on a public leaderboard", "evaluation"),
        ("Vision-language models for long video understanding", "multimodal"),
        ("Flow matching for text-to-image diffusion models", "generation"),
        ("Speculative decoding with a quantized KV cache", "systems"),
        ("Jailbreaks and prompt injection: red teaming with sparse autoencoders", "safety"),
        ("Sim-to-real locomotion for humanoid robots", "robotics"),
    ],
)
def test_the_subjects_that_ship_recognise_their_own(title, slug):
    subjects = tuple(Subject(**entry) for entry in DEFAULT_SUBJECTS)
    item = replace(paper(1, "finance"), title=title, text="", categories=("cs.LG",))
    assert routed(Profile("me", subjects), [item], Corpus())[0].subject == slug


def test_a_subject_named_twice_in_keywords_keeps_its_order():
    twice = replace(AGENTS, keywords=("agent", "agents", "Agent"))
    assert routed(Profile("me", (twice,)), [paper(1, "agents")])[0].subject == "agents"


def test_a_subject_that_half_of_all_items_are_about_is_still_found():
    seen = Corpus(tuple(papers(120, first=5000, topics=("agents", "agents", "vision", "finance"))))
    decisions = routed(Profile("me", SUBJECTS), papers(20, topics=("agents",)), seen)
    assert sum(d.subject == "agents" for d in decisions) >= 18
