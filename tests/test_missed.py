"""The weekly sample of what was skipped: how it is drawn, that it stays, and what the thumbs on it say."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from digest_samples import entry
from policy_samples import READER, Fits, is_liked, lived, thumb, two_recipes

from evals.missed import Sampled, counted, lacking, sentence, share
from scout import weekly
from scout.clock import now
from scout.digest.missed import MissedPage, Stratum, draw, week_of
from scout.items import Aspect, Feedback, Lane, Slot
from scout.links import Link, LinkKind
from scout.logged import Log

MONDAY = date(2025, 12, 1)
POOL = [(f"arxiv:2512.{number:05d}", number / 1000) for number in range(200)]


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    return two_recipes(monkeypatch)


def test_half_is_drawn_from_the_tenth_nearest_to_the_line_and_half_from_the_rest() -> None:
    strata, drawn = draw(POOL, reader=READER, week=MONDAY)
    near, rest = strata
    assert (near.name, near.pool, near.drawn, near.at_least) == ("near", 20, 15, 0.18)
    assert (rest.name, rest.pool, rest.drawn) == ("rest", 180, 15)
    assert Counter(one.stratum for one in drawn) == {"near": 15, "rest": 15}
    assert {one.stratum: one.propensity for one in drawn} == {"near": 15 / 20, "rest": 15 / 180}


def test_the_draw_is_the_same_again_and_another_in_another_week_or_for_another_reader() -> None:
    first = [one.item_id for one in draw(POOL, reader=READER, week=MONDAY)[1]]
    assert [one.item_id for one in draw(POOL[::-1], reader=READER, week=MONDAY)[1]] == first
    assert [one.item_id for one in draw(POOL, reader=READER, week=MONDAY + timedelta(days=7))[1]] != first
    assert [one.item_id for one in draw(POOL, reader="bob", week=MONDAY)[1]] != first


def test_every_item_is_drawn_as_often_as_its_propensity_says() -> None:
    weeks, pool = 1_500, POOL[:40]
    times: Counter[str] = Counter()
    told: dict[str, float] = {}
    for number in range(weeks):
        for one in draw(pool, reader=READER, week=MONDAY + timedelta(days=7 * number), slots=6)[1]:
            times[one.item_id] += 1
            told[one.item_id] = one.propensity
    assert len(times) == 40
    assert all(abs(times[id] / weeks - told[id]) < 4.5 * (told[id] * (1 - told[id]) / weeks) ** 0.5 for id in told)


@pytest.mark.parametrize(("size", "drawn"), [(0, 0), (1, 1), (7, 7), (30, 30), (31, 30)])
def test_a_small_pool_is_shown_whole(size: int, drawn: int) -> None:
    strata, items = draw(POOL[:size], reader=READER, week=MONDAY)
    assert len(items) == drawn == sum(stratum.drawn for stratum in strata)
    assert sum(stratum.pool for stratum in strata) == size
    if size <= 30:
        assert all(one.propensity == 1 for one in items)


def test_a_week_begins_on_monday() -> None:
    assert {week_of(MONDAY + timedelta(days=number)) for number in range(7)} == {MONDAY}
    assert week_of(MONDAY + timedelta(days=7)) == MONDAY + timedelta(days=7)


@pytest.mark.usefixtures("fits")
def test_a_page_is_frozen_for_its_week_and_logged_as_its_own_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=5) as (store, settings):
        friday = date(2025, 11, 7)
        before = store.digests.impressions(READER)
        made = weekly.page(store, settings, reader=READER, day=friday)
        assert made is not None
        again = weekly.page(store, settings, reader=READER, day=friday + timedelta(days=2))
        assert again == made == MissedPage.from_dict(made.to_dict())
        assert store.digests.impressions(READER) == before  # the digests' own
        logged = [seen for seen in store.digests.impressions(READER, missed=True) if seen.slot is Slot.MISSED]
        assert [seen.item_id for seen in logged] == [entry.id for entry in made.entries]
        assert [seen.propensity for seen in logged] == [entry.propensity for entry in made.entries]
        assert {seen.lane for seen in logged} == {Lane.SKIP}
        assert not {seen.item_id for seen in logged} & {seen.item_id for seen in before}
        assert weekly.page(store, settings, reader=READER, day=friday + timedelta(days=3)) != made


@pytest.mark.usefixtures("fits")
def test_what_has_a_word_or_is_too_old_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=9) as (store, settings):
        day = date(2025, 11, 13)
        known = {seen.item_id for seen in store.digests.impressions(READER)}
        free = [f"arxiv:2511.13{number:03d}" for number in range(80) if f"arxiv:2511.13{number:03d}" not in known]
        for id in free[:40]:
            thumb(store, id, day, up=False)
        store.feedback.add(Feedback(READER, free[40], Aspect.HIDDEN, "yes", now()))
        made = weekly.page(store, settings, reader=READER, day=day)
        assert made is not None
        drawn = {entry.id for entry in made.entries}
        assert not drawn & {*free[:41], *known}
        assert all(
            entry.published and entry.published.date() >= made.since == date(2025, 11, 7) for entry in made.entries
        )


@pytest.mark.usefixtures("fits")
def test_the_same_text_under_another_name_is_neither_drawn_nor_a_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=1) as (store, settings):
        day = date(2025, 11, 3)
        seen = store.digests.impressions(READER)[0].item_id
        known = {one.item_id for one in store.digests.impressions(READER)}
        twin, first, second = [f"arxiv:2511.03{n:03d}" for n in range(80) if f"arxiv:2511.03{n:03d}" not in known][:3]
        store.threads.save([double(twin, seen), double(second, first)], [], now())
        assert weekly.doubles(store, READER, [twin, first, second]) == {twin, second}
        considered = {one.item.id for one in Log(store, settings, READER).candidates(day)}
        assert seen in considered
        assert first in considered
        assert not {twin, second} & considered
        made = weekly.page(store, settings, reader=READER, day=day)
        assert made is not None
        assert made.pool == len(considered - known)


def double(later: str, earlier: str) -> Link:
    return Link(later, earlier, LinkKind.DUPLICATE, 1.0, "the same text")


@pytest.mark.usefixtures("fits")
def test_before_the_first_digest_there_is_nothing_to_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=0) as (store, settings):
        assert weekly.page(store, settings, reader=READER, day=MONDAY) is None
        assert store.missed.weeks(READER) == []


@pytest.mark.usefixtures("fits")
def test_the_share_from_a_page_is_about_what_is_true_of_the_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=5) as (store, settings):
        made = weekly.page(store, settings, reader=READER, day=date(2025, 11, 7))
        assert made is not None
        found = share(counted(made, {entry.id: is_liked(entry.id) for entry in made.entries}))
        assert found is not None
        assert found.low < 0.25 < found.high  # two of eight words are liked, and a dull policy skips at random


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng, held, rounds = random.Random(3), 0, 400
    pools = {"near": [rng.random() < 0.3 for _ in range(60)], "rest": [rng.random() < 0.04 for _ in range(540)]}
    truth = sum(map(sum, pools.values())) / 600
    for _ in range(rounds):
        found = share([Sampled(len(pool), 15, 15, sum(rng.sample(pool, 15))) for pool in pools.values()])
        assert found is not None
        held += found.low <= truth <= found.high
    assert held / rounds >= 0.92


def test_all_looked_through_leaves_no_doubt() -> None:
    found = share([Sampled(10, 10, 10, 2), Sampled(20, 20, 20, 1)])
    assert found is not None
    assert found.low == pytest.approx(found.share) == found.high == pytest.approx(0.1)


def test_the_sentence_says_what_is_known_and_what_is_lacking() -> None:
    assert "Thumb them" in sentence([Sampled(50, 15, 0, 0), Sampled(450, 15, 0, 0)])
    few = [Sampled(50, 15, 7, 2), Sampled(450, 15, 2, 0)]
    assert lacking(few) == 3
    assert sentence(few) == (
        "Of the 9 you thumbed (30 were sampled) you wanted 2. 3 more thumbs, and this line says what share that stands for."
    )
    whole = sentence([Sampled(50, 15, 15, 2), Sampled(450, 15, 15, 1)])
    assert whole.startswith("Of 30 sampled you wanted 3: an estimated 7% (")
    assert "of the 500 skipped this week" in whole


def test_one_kind_of_thumb_alone_is_no_trouble() -> None:
    none, every = share([Sampled(500, 15, 15, 0)]), share([Sampled(500, 15, 15, 15)])
    assert none is not None
    assert every is not None
    assert (none.low, every.high) == (0.0, 1.0)
    assert 0.15 < none.high < 0.25


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="must not fall"):
        share([Sampled(10, 5, 4, 6)])


def test_a_page_reads_back_what_was_written() -> None:
    one = entry(1, lane=Lane.SKIP, propensity=0.25)
    page = MissedPage(MONDAY, MONDAY, (Stratum("near", 4, 1, 0.2),), (one,), {one.id: "near"})
    assert MissedPage.from_dict(page.to_dict()) == page
