"""Guesses at what nobody thumbed: by what the thumbs that teach know, of what was there by then, as sure as the policy is."""

from __future__ import annotations

from collections.abc import Iterator

import policy_samples
import pytest
import triage_samples
from policy_samples import READER, is_liked
from thread_samples import NOON

from rl import guesses
from rl.course import Course, course
from rl.rewards import Label
from scout import policies
from scout.config import Settings, load
from scout.items import Item
from scout.store import Store
from scout.triage.policy import Thumbed

Guess = tuple[Item, Label]


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("weeks")
    with policy_samples.weeks(folder, days=12, a_day=60):
        pass
    return folder


@pytest.fixture
def lived(weeks, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Settings]]:
    policy_samples.two_recipes(monkeypatch)
    with policy_samples.copied(monkeypatch, weeks, TRAIN__LEAST_THUMBS="16", TRAIN__GUESSES="60") as opened:
        yield opened


def guessed(store: Store, learned: Course) -> tuple[Guess, ...]:
    assert learned.since is not None
    return guesses.of_reader(store, load(), READER, learned.learn, learned.since)


def test_they_are_of_the_newest_arrivals_before_the_held_out_days_that_have_no_thumb(lived) -> None:
    store, settings = lived
    policies.promote(store, settings, READER, "keen-1", by="test", forced=True)
    learned = course(store, settings, READER)
    made = guessed(store, learned)
    assert 20 <= len(made) <= 60
    thumbed = {thumb.item_id for thumb in store.feedback.thumbs(READER)}
    assert not thumbed & {item.id for item, _ in made}
    assert max(item.published.date() for item, _ in made if item.published) <= learned.since


def test_they_say_what_the_thumbs_that_teach_say_whatever_later_ones_do(lived) -> None:
    store, settings = lived
    policies.promote(store, settings, READER, "keen-1", by="test", forced=True)
    learned = course(store, settings, READER)
    made = guessed(store, learned)
    assert {label.up for _, label in made} == {True, False}
    assert sum(label.up == is_liked(item.id) for item, label in made) > 0.9 * len(made)
    for thumb in (*learned.held_out, *learned.watched):
        policy_samples.thumb(store, thumb.item.id, thumb.at.date(), up=not thumb.up)
    assert guessed(store, learned) == made


def test_a_policy_that_has_learned_nothing_is_sure_of_nothing(lived) -> None:
    store, settings = lived
    made = guessed(store, course(store, settings, READER))
    assert made
    assert max(label.weight for _, label in made) < 0.2


def chances(**probabilities: float) -> tuple[list[Thumbed], dict[str, float]]:
    items = {name: triage_samples.paper(n, "agents") for n, name in enumerate(probabilities)}
    return [Thumbed(item, name.startswith("up"), (), NOON) for name, item in items.items()], {
        item.id: probabilities[name] for name, item in items.items()
    }


def test_where_thumbs_lie_apart_a_guess_is_surer_the_further_it_is_from_even_odds() -> None:
    thumbs, said = chances(
        **{f"up{n}": 0.5 + n / 50 for n in range(20)}, **{f"down{n}": 0.5 - n / 50 for n in range(20)}
    )
    free = [triage_samples.paper(100 + n, "agents") for n in range(5)]
    thought = dict(zip((item.id for item in free), (0.02, 0.3, 0.5, 0.7, 0.98), strict=True))
    labels = [label for _, label in guesses.spread(thought, said, free, thumbs, 50, seed=0)]
    towards_yes = [label.sure if label.up else -label.sure for label in labels]
    assert towards_yes == sorted(towards_yes)
    assert towards_yes[0] < -0.5
    assert abs(towards_yes[2]) < 0.2
    assert towards_yes[4] > 0.5


def test_where_few_thumbs_are_up_even_odds_are_still_those_of_as_many_up_as_down() -> None:
    thumbs, said = chances(**{f"up{n}": 0.2 for n in range(10)}, **{f"down{n}": 0.2 for n in range(70)})
    free = [triage_samples.paper(100 + n, "agents") for n in range(3)]
    made = guesses.spread({item.id: 0.2 for item in free}, said, free, thumbs, 50, seed=0)
    assert [label.weight < 0.2 for _, label in made] == [True] * 3


def test_each_tenth_of_the_thumbs_has_as_many_guesses_where_there_are_enough() -> None:
    thumbs, said = chances(**{f"{'up' if n % 2 else 'down'}{n}": (n + 0.5) / 100 for n in range(100)})
    free = [triage_samples.paper(200 + n, "agents") for n in range(400)]
    thought = {item.id: (n % 100 + 0.5) / 100 for n, item in enumerate(free)}
    made = guesses.spread(thought, said, free, thumbs, 50, seed=0)
    tenths = [int(10 * thought[item.id]) for item, _ in made]
    assert [tenths.count(tenth) for tenth in range(10)] == [5] * 10
