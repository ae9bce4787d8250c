"""Who serves a reader: the champion's recipe, refitted; another only by promotion, which can be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from policy_samples import READER, Fits, default, lived, thumb, two_recipes

from scout import backtest, policies
from scout.clock import now
from scout.items import Aspect, Feedback, Lane
from scout.logged import told_of_skipped
from scout.policies import NoChange
from scout.readers import profile
from scout.store.promotions import Action
from scout.triage import recipes
from scout.triage.policy import Corpus, Profile, Targets

pytestmark = pytest.mark.usefixtures("fits")


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    return two_recipes(monkeypatch)


def test_a_new_reader_starts_on_the_default_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=1) as (store, settings):
        assert policies.serving(store, settings, READER).recipe == "dull-1"
        assert store.policies.reigns(READER)[-1].reason == "first fit"


def test_a_reader_keeps_the_recipe_when_the_default_becomes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=1) as (store, settings):
        default(monkeypatch, "keen-1")
        thumb(store, store.digests.impressions(READER)[0].item_id, date(2025, 11, 3), up=True)
        served = policies.serving(store, settings, READER)
        assert served.recipe == "dull-1"
        assert store.policies.reigns(READER)[0].reason == "refit"


def test_a_champion_whose_recipe_is_gone_gives_way_to_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=1) as (store, settings):
        default(monkeypatch, "keen-1")
        monkeypatch.delitem(recipes.RECIPES, "dull-1")
        assert policies.serving(store, settings, READER).recipe == "keen-1"


def test_a_promotion_serves_at_once_and_is_refitted_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=2) as (store, settings):
        before = store.policies.champion(READER)
        change = policies.promote(store, settings, READER, "keen-1", by="cli", evidence={"reason": "better"})
        assert before is not None
        assert (change.from_version, change.recipe) == (before.version, "keen-1")
        served = policies.serving(store, settings, READER)
        assert served.version == change.version
        thumb(store, store.digests.impressions(READER)[0].item_id, date(2025, 11, 5), up=True)
        again = policies.serving(store, settings, READER)
        assert again.recipe == "keen-1"
        assert store.promotions.listing(READER)[0].evidence == {"reason": "better"}


def test_rollback_brings_the_very_version_back_and_can_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=2) as (store, settings):
        old = policies.serving(store, settings, READER).version
        new = policies.promote(store, settings, READER, "keen-1", by="cli").version
        back = policies.rollback(store, READER, by="dashboard", why="worse")
        assert (back.action, back.version, back.from_version) == (Action.ROLLBACK, old, new)
        assert policies.serving(store, settings, READER).version == old
        with pytest.raises(NoChange, match="nothing to roll back"):
            policies.rollback(store, READER, by="cli")
        policies.restore(store, READER, by="dashboard")
        assert policies.serving(store, settings, READER).version == new
        with pytest.raises(NoChange, match="no rollback"):
            policies.restore(store, READER, by="cli")
        assert [change.action.value for change in store.promotions.listing(READER)] == [
            "restore",
            "rollback",
            "promote",
        ]


def test_two_promotions_are_rolled_back_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=2) as (store, settings):
        policies.promote(store, settings, READER, "keen-1", by="cli")
        policies.promote(store, settings, READER, "dull-1", by="cli")
        assert policies.rollback(store, READER, by="cli").recipe == "keen-1"
        assert policies.rollback(store, READER, by="cli").recipe == "dull-1"
        assert policies.standing(store.promotions.listing(READER)) == []


def test_weights_that_a_rollback_needs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=2) as (store, settings):
        old = policies.serving(store, settings, READER).version
        policies.promote(store, settings, READER, "keen-1", by="cli")
        for number, seen in enumerate(store.digests.impressions(READER)[:8]):
            thumb(store, seen.item_id, date(2025, 11, 6), up=number % 2 == 0)
            policies.serving(store, settings, READER)
        kept = store.policies.get(old)
        assert kept is not None
        assert kept.weights


@pytest.mark.parametrize(
    ("recipe", "told"),
    [("dull-1", "serves me already"), ("brand-new", "no recipe 'brand-new'")],
    ids=["serving", "unknown"],
)
def test_what_cannot_be_promoted_says_why(monkeypatch: pytest.MonkeyPatch, recipe: str, told: str) -> None:
    with lived(monkeypatch, days=1) as (store, settings):
        with pytest.raises(NoChange, match=told):
            policies.promote(store, settings, READER, recipe, by="cli")
        assert store.promotions.listing(READER) == []


def test_a_refit_that_ends_after_a_promotion_does_not_take_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=2) as (store, settings):
        thumb(store, store.digests.impressions(READER)[0].item_id, date(2025, 11, 5), up=True)
        dull = recipes.RECIPES["dull-1"]

        def slow(*known: Any) -> recipes.Fitted:
            monkeypatch.setitem(recipes.RECIPES, "dull-1", dull)
            policies.promote(store, settings, READER, "keen-1", by="cli")
            return dull.fit(*known)

        monkeypatch.setitem(recipes.RECIPES, "dull-1", recipes.Recipe("dull-1", slow, dull.load))
        policies.serving(store, settings, READER)
        champion = store.policies.champion(READER)
        assert champion is not None
        assert champion.recipe == "keen-1"


def test_fits_of_the_past_see_nothing_of_the_days_they_are_asked_of(
    monkeypatch: pytest.MonkeyPatch, fits: Fits
) -> None:
    with lived(monkeypatch, days=8) as (store, settings):
        blocks = backtest.plan(store, settings, READER)
        fits.seen.clear()
        past = backtest.run(store, settings, READER, blocks, ["dull-1", "keen-1"])
        assert len(fits.seen) == 2 * len(blocks)
        for block, told in zip(blocks, fits.seen[::2], strict=True):
            _, known, corpus = told
            days = {thumb.item.published.date() for thumb in known.thumbs if thumb.item.published}
            assert days
            assert max(days) < block.start
            assert max(item.published.date() for item in corpus.recent if item.published) <= block.start
        held = {one.thumb.item.id for block in blocks for one in block.thumbs}
        assert held == {thumb.item_id for thumb in past.thumbs}
        every = profile(store, settings, READER).thumbs
        assert 0.5 < len(held) / len(every) < 0.8


def test_past_candidates_carry_the_odds_of_their_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    from scout.logged import Log

    with lived(monkeypatch, days=5, look=True) as (store, settings):
        log = Log(store, settings, READER)
        monday = log.candidates(date(2025, 11, 3))
        assert len(monday) == 80
        chosen = [one for one in monday if one.chosen]
        assert {one.propensity for one in chosen} == {1.0}
        lucky = [one for one in monday if one.shown and not one.chosen]
        skipped = 80 - len(chosen)
        by_digest = 6 / skipped
        rates = {round(1 - (1 - by_digest) * (1 - stratum.propensity), 9) for stratum in log.pages[0].strata}
        assert {round(one.propensity, 9) for one in monday if not one.chosen} <= rates
        assert len(lucky) >= 6
        assert all(one.up is None or one.shown for one in monday)


def test_thumbs_on_explored_items_bound_what_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=4) as (store, _):
        explored = [
            seen for seen in store.digests.impressions(READER) if seen.lane is Lane.SKIP and seen.propensity < 1
        ]
        words = store.feedback.current(READER, [seen.item_id for seen in explored])
        assert len(words) >= 10
        assert told_of_skipped(store, READER).startswith(f"Of {len(words)} skipped items that chance put into digests")
        for seen in explored:
            store.feedback.add(Feedback(READER, seen.item_id, Aspect.THUMB, "none", now(), origin="dashboard"))
        assert told_of_skipped(store, READER) == ""


def test_the_past_is_fitted_with_the_recall_that_is_asked_for_today(monkeypatch: pytest.MonkeyPatch) -> None:
    with lived(monkeypatch, days=3) as (store, settings):
        wished = settings.model_copy(update={"triage": settings.triage.model_copy(update={"recall": 0.8})})
        asked: list[float | None] = []
        recipe = recipes.RECIPES["dull-1"]

        def fit(known: Profile, seen: Corpus, targets: Targets) -> recipes.Fitted:
            asked.append(targets.recall)
            return recipe.fit(known, seen, targets)

        monkeypatch.setitem(recipes.RECIPES, "dull-1", replace(recipe, fit=fit))
        backtest.run(store, wished, READER, backtest.plan(store, wished, READER), ["dull-1"])
        assert set(asked) == {0.8}
