"""Counts of corrections: what they add to routing, and that no example proves itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from triage_samples import SUBJECTS, corpus, papers

from scout.items import Item
from scout.triage import habits, routing, training
from scout.triage.features import TEXT
from scout.triage.policy import Profile
from scout.triage.routing import Batch

SEEN = papers(240, topics=("agents", "vision", "proteins"))
SPACE = training.gather(Profile("me"), corpus(200), landscape=False).space
SLUGS = [subject.slug for subject in SUBJECTS]


def correction(item: Item) -> tuple[Item, str]:
    """A reader whose shelves stand the other way round: agents under vision's place, and so on."""
    topic = item.id.split(":")[1].split(".")[0]
    return item, SLUGS[("proteins", "vision", "agents").index(topic) % len(SLUGS)]


def router(corrected: list[tuple[Item, str]]) -> routing.Router:
    recent = Batch.of(corpus(200).recent, SPACE)
    return routing.fit(SUBJECTS, recent, SPACE, (), corrected)


def test_many_corrections_outweigh_what_the_subjects_say_of_themselves() -> None:
    taught = router([correction(item) for item in SEEN[:210]])
    new = Batch.of(SEEN[210:], SPACE)
    guesses = taught.shares(new, taught.evidence(new)).argmax(axis=1)
    right = [taught.slugs[guess] == correction(item)[1] for guess, item in zip(guesses, SEEN[210:], strict=True)]
    assert len(taught.habits.columns)
    assert np.mean(right) >= 0.9


def test_few_corrections_count_nothing() -> None:
    assert not len(router([correction(item) for item in SEEN[:100]]).habits.columns)


def test_a_name_that_occurs_once_proves_nothing_of_its_own_paper() -> None:
    """Labels by chance and an author of one's own each: counts with the own label left in would foresee them all."""
    rng = np.random.default_rng(5)
    items = [replace(item, authors=(f"Only Author {n}",)) for n, item in enumerate(SEEN)]
    features = Batch.of(items, SPACE).features
    labels = rng.integers(0, 3, len(items))
    _, logits = habits.learn(features, labels, np.zeros((len(items), 3)))
    assert np.mean(logits.argmax(axis=1) == labels) < 0.6


def test_logits_of_what_was_never_seen_are_the_base() -> None:
    found = router([correction(item) for item in SEEN]).habits
    nothing = Batch.of([replace(SEEN[0], title="", text="", authors=(), comment="")], SPACE)
    assert np.allclose(found.logits(nothing.features), found.base)
    assert TEXT.offset <= found.columns[0] <= found.columns[-1]
    assert (np.diff(found.columns) > 0).all()
