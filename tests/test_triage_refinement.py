"""What linear-2 adds: places among the items at hand, authors' records, and trees over what a weighted sum cannot say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from triage_samples import SUBJECTS, TARGETS, TOPICS, corpus, paper, papers, thumb

from scout.triage import boosting, linear, recipes
from scout.triage.blob import BadBlob
from scout.triage.boosting import Growth
from scout.triage.features import TOPIC, Space, counts
from scout.triage.policy import Corpus, Profile
from scout.triage.record import Authors, Record
from scout.triage.settings import LINEAR_1, LINEAR_2
from scout.triage.tokens import read

GROWTH = Growth(trees=40, depth=3, rate=0.2)
ITEMS = papers(160)
PROFILE = Profile("me", SUBJECTS, thumbs=tuple(thumb(item, up=n % 4 == 0, day=n // 20) for n, item in enumerate(ITEMS)))


@pytest.fixture(scope="module")
def refined():
    return linear.fit(PROFILE, corpus(), TARGETS)


class TestTrees:
    rng = np.random.default_rng(3)
    dense = rng.normal(size=(600, 4)).astype(np.float32)
    either = ((dense[:, 0] > 0) != (dense[:, 1] > 0)).astype(float)
    """Which no weighted sum can tell."""

    def fit(self, labels: np.ndarray) -> boosting.Trees:
        return boosting.fit(self.dense, labels, np.ones(600), np.zeros(600), GROWTH)

    def test_they_learn_what_no_sum_can(self):
        scores = self.fit(self.either).scores(self.dense)
        assert ((scores > 0) == (self.either > 0)).mean() > 0.9

    def test_their_parts_sum_to_their_scores_and_belong_to_what_was_asked(self):
        trees = self.fit(self.either)
        parts = trees.parts(self.dense, np.array([0, 1, 2, 2]), 3)
        assert np.allclose(parts.sum(axis=1) + trees.root(), trees.scores(self.dense), atol=1e-4)
        assert np.abs(parts[:, :2]).mean() > 2 * np.abs(parts[:, 2]).mean()

    def test_they_are_the_same_every_time(self):
        assert np.array_equal(self.fit(self.either).steps, self.fit(self.either).steps)

    @pytest.mark.parametrize("labels", [np.zeros(600), np.ones(600)], ids=["none", "all"])
    def test_labels_of_one_kind_grow_none(self, labels):
        assert self.fit(labels).scores(self.dense).tolist() == [0.0] * 600

    def test_columns_without_a_difference_grow_none(self):
        trees = boosting.fit(np.ones((50, 2), np.float32), self.either[:50], np.ones(50), np.zeros(50), GROWTH)
        assert len(trees.columns) == 0


class TestRecord:
    items = (paper(1, "agents", author="Ada"), paper(2, "agents", author="Ada"), paper(3, "agents", author="Bob"))
    authors = Authors.of([replace(item, authors=item.authors[:1]) for item in items])
    record = Record.fit(authors, np.array([1.0, 1.0, 0.0]))

    def test_an_author_who_was_wanted_stands_above_one_who_was_not(self):
        wanted = self.record.numbers(self.authors)[:, 2]
        assert wanted[0] == wanted[1] > 0 > wanted[2]

    def test_a_thumb_on_the_item_itself_is_left_out(self):
        own = self.record.numbers(self.authors, np.array([1.0, np.nan, 0.0]))
        assert 0 < own[0, 2] < own[1, 2]
        assert own[2].tolist() == [0.0] * 8

    def test_no_authors_and_unknown_ones_are_no_news(self):
        nobody = Authors.of([replace(self.items[0], authors=()), replace(self.items[0], authors=("Eve",))])
        assert self.record.numbers(nobody).tolist() == [[0.0] * 8] * 2

    def test_a_part_holds_the_authors_of_its_rows(self):
        assert self.authors.part(np.array([2, 0])).keys.tolist() == [self.authors.keys[2], self.authors.keys[0]]


class TestLandscape:
    def placed(self, items):
        matrix = counts(seen := papers(600), read(seen))
        space = Space.fit([matrix])
        space = space.with_landscape([space.scale(matrix)])
        return space.features(counts(items, read(items)))[:, TOPIC.offset : TOPIC.end].toarray()

    def test_papers_of_a_topic_lie_together(self):
        places = self.placed([paper(n, topic) for topic in ("agents", "proteins") for n in (9000, 9001)])
        together, apart = places[0] @ places[1], places[0] @ places[2]
        assert together > 1.5 * abs(apart)

    def test_an_item_without_words_lies_nowhere(self):
        assert not self.placed([replace(ITEMS[0], title="", text="")]).any()

    def test_few_items_have_none(self):
        matrix = counts(ITEMS, read(ITEMS))
        space = Space.fit([matrix])
        assert not space.with_landscape([space.scale(matrix)]).features(matrix)[:, TOPIC.offset :].nnz


def test_enough_thumbs_are_refined_and_reasons_still_sum_to_the_logit(refined):
    named = set()
    for decision in refined.decide(papers(80, first=400)):
        logit = math.log(decision.probability / (1 - decision.probability))
        rounded = 2e-3 + 1e-6 / min(decision.probability, 1 - decision.probability)
        assert sum(part.weight for part in decision.why) == pytest.approx(logit, abs=rounded)
        named |= {part.feature for part in decision.why}
    assert named & {f"your thumbs: {name}" for name in ("all of it together", "its authors before")}


def test_a_topic_is_named_by_the_items_own_words():
    """600 papers of four topics, a reader of one: what their place adds is owed to that topic's words, not to common ones."""
    seen = papers(600, first=5000)
    thumbs = tuple(thumb(item, up=item.categories[0] == "cs.MA") for item in seen[:200])
    policy = linear.fit(Profile("me", SUBJECTS, thumbs=thumbs), Corpus(tuple(seen)), TARGETS)
    named = [
        part.feature
        for decision in policy.decide(papers(40, first=9000, topics=("agents",)))
        for part in decision.why
        if part.feature.startswith("your thumbs: its topic")
    ]
    assert len(named) >= 20
    words = {word for name in named for word in name.partition("(")[2].rstrip(")").split(", ")}
    singular = {word.rstrip("s") for word in TOPICS["agents"]}
    told = [word for word in words if set(word.split()) & {*TOPICS["agents"], *singular}]
    assert len(told) >= 0.8 * len(words)


def test_a_refined_policy_is_whole_in_its_bytes(refined):
    again = linear.LinearPolicy.from_bytes(refined.to_bytes(), PROFILE)
    assert again.decide(ITEMS[:30]) == refined.decide(ITEMS[:30])
    assert linear.fit(PROFILE, corpus(), TARGETS).to_bytes() == refined.to_bytes()


def test_few_thumbs_are_left_to_the_linear_model():
    few = replace(PROFILE, thumbs=PROFILE.thumbs[:60])
    first, second = (linear.fit(few, corpus(), TARGETS, settings).decide(ITEMS) for settings in (LINEAR_1, LINEAR_2))
    assert [d.probability for d in first] == [d.probability for d in second]


@pytest.mark.parametrize("name", sorted(recipes.RECIPES))
def test_each_recipe_reads_its_own_bytes_and_refuses_the_others(name):
    recipe, other = recipes.RECIPES[name], recipes.RECIPES["linear-1" if name == "linear-2" else "linear-2"]
    policy = recipe.fit(Profile("me", SUBJECTS), corpus(), TARGETS)
    assert policy.recipe == name
    assert policy.version.startswith(f"{name}:")
    assert recipe.load(policy.to_bytes(), Profile("me")).decide(ITEMS[:5]) == policy.decide(ITEMS[:5])
    with pytest.raises(BadBlob, match="fitted again"):
        other.load(policy.to_bytes(), Profile("me"))
