"""The registry of policies: which recipe serves a reader, refitted when there is something new to learn from.

A refit of the serving recipe is part of triage. Whether a *new* recipe may serve is decided elsewhere (evals/gate.py); who
was promoted and rolled back is written down here.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

from scout import embedding
from scout.clock import now, today
from scout.config import Settings
from scout.digest.build import window
from scout.readers import profile, thumbed
from scout.store import Store
from scout.store.policies import PolicyRow
from scout.store.promotions import Action, Promotion
from scout.triage.blob import BadBlob
from scout.triage.policy import Corpus, Policy, Profile, Targets
from scout.triage.recipes import DEFAULT, RECIPES, Fitted

log = logging.getLogger("scout")

RECENT_ITEMS = 3000
"""The newest arrivals that a policy is fitted against: they give word frequencies, negatives and thresholds."""
PICKED_ITEMS = 1500
"""The newest community picks that the shared prior learns from."""
PICK_DAYS = 90
OTHERS_THUMBS = 2000
KEPT_WEIGHTS = 5
ADAPTER = "adapter:"
"""What a promotion's recipe begins with where it is an adapter's (scout/adapters.py)."""


class NoChange(Exception):
    """Who serves cannot be changed so; the message says why."""


def serving(store: Store, settings: Settings, reader: str) -> Policy:
    """The policy that decides for `reader` now: the champion, refitted first if anything it learns from has changed.

    A reader without a champion starts on `recipes.DEFAULT`; one who has a champion keeps its recipe until promoted.
    """
    champion = store.policies.champion(reader)
    recipe = RECIPES[recipe_of(champion)]
    known, day = profile(store, settings, reader), today(settings)
    targets = targets_of(store, settings, reader, day)
    model = embedding.model_of(store, settings) if recipe.vectors else ""
    training = fingerprint(store, known, targets, day, recipe=recipe.name, model=model)
    if champion and champion.training == training and champion.weights:
        try:
            return _seeing(recipe.load(champion.weights, known), store)
        except BadBlob:  # written by another version of scout, or damaged: what it learned is in the thumbs
            log.warning("policy unreadable, fitting anew", extra={"policy": champion.version})
    policy = recipe.fit(known, with_vectors(store, known, corpus(store, reader, day), model), targets)
    with store.writing():
        _save(store, reader, policy, training)
        standing = store.policies.champion(reader)
        if (standing and standing.version) == (champion and champion.version):  # nobody was promoted in between
            if champion is None or champion.version != policy.version:
                store.policies.crown(reader, policy.version, now(), reason="refit" if champion else "first fit")
            store.policies.prune(reader, keep=KEPT_WEIGHTS)
    return _seeing(policy, store)


def _seeing(policy: Fitted, store: Store) -> Policy:
    return embedding.Seeing(policy, store) if policy.sees else policy


def with_vectors(store: Store, known: Profile, corpus: Corpus, model: str) -> Corpus:
    """The same corpus with what `model` made of all that a fit learns from; as it is where `model` is empty."""
    if not model:
        return corpus
    items = [*corpus.recent, *(thumb.item for thumb in (*known.thumbs, *corpus.others)), *(i for _, i in known.liked)]
    return replace(corpus, vectors=embedding.known(store, model, items))


def recipe_of(champion: PolicyRow | None) -> str:
    """The recipe that serves a reader with this champion; the default one where it is gone from this version of scout."""
    return champion.recipe if champion and champion.recipe in RECIPES else DEFAULT


def _save(store: Store, reader: str, policy: Fitted, training: str) -> None:
    store.policies.save(
        PolicyRow(
            version=policy.version, reader=reader, recipe=policy.recipe, made_at=now(), training=training,
            facts=policy.facts(), weights=policy.to_bytes(),
        )
    )  # fmt: skip


def promote(
    store: Store, settings: Settings, reader: str, recipe: str, *, by: str, why: str = "", forced: bool = False,
    evidence: Mapping[str, Any] | None = None,
) -> Promotion:  # fmt: skip
    """Let `recipe`, fitted on all there is, serve `reader` from now on. Whether it may is for the caller to have asked.

    Raises:
        NoChange: there is no such recipe, or it serves already.
    """
    if recipe not in RECIPES:
        raise NoChange(f"there is no recipe {recipe!r}; there are {', '.join(RECIPES)}")
    champion = store.policies.champion(reader)
    if champion is None:
        raise NoChange(f"{reader} has no policy yet; `scout run` fits the first")
    if champion.recipe == recipe:
        raise NoChange(f"{recipe} serves {reader} already")
    known, day = profile(store, settings, reader), today(settings)
    targets = targets_of(store, settings, reader, day)
    model = embedding.model_of(store, settings) if RECIPES[recipe].vectors else ""
    policy = RECIPES[recipe].fit(known, with_vectors(store, known, corpus(store, reader, day), model), targets)
    with store.writing():
        _save(store, reader, policy, fingerprint(store, known, targets, day, recipe=recipe, model=model))
        return _change(
            store,
            reader,
            Action.PROMOTE,
            recipe,
            policy.version,
            by=by,
            why=why,
            forced=forced,
            evidence=evidence or {},
        )


def rollback(store: Store, reader: str, *, by: str, why: str = "") -> Promotion:
    """Let whoever served before the newest standing promotion serve again. The next run refits it on newer thumbs.

    Raises:
        NoChange: no promotion stands.
    """
    with store.writing():
        stands = standing(store.promotions.listing(reader))
        if not stands:
            raise NoChange(f"nothing to roll back: no promotion of {reader}'s stands")
        last = stands[-1]
        if last.recipe.startswith(ADAPTER):
            raise NoChange(f"the last promotion was of {last.recipe}; taking it back goes by `scout policy rollback`")
        return _change(
            store, reader, Action.ROLLBACK, last.from_recipe, last.from_version, by=by, why=why, undoes=last.id
        )


def restore(store: Store, reader: str, *, by: str, why: str = "") -> Promotion:
    """Take the rollback back that was the last change.

    Raises:
        NoChange: the last change was no rollback.
    """
    with store.writing():
        last = next(iter(store.promotions.listing(reader, limit=1)), None)
        if last is None or last.action is not Action.ROLLBACK:
            raise NoChange(f"nothing to restore: the last change of {reader}'s policy was no rollback")
        if last.recipe.startswith(ADAPTER):
            raise NoChange(
                f"the last rollback was of {last.recipe}; taking it back goes by `scout policy rollback --undo`"
            )
        return _change(
            store, reader, Action.RESTORE, last.from_recipe, last.from_version, by=by, why=why, undoes=last.id
        )


def standing(newest_first: Sequence[Promotion]) -> list[Promotion]:
    """The promotions that were not rolled back, oldest first."""
    stands: list[Promotion] = []
    rolled: dict[int, Promotion] = {}
    for each in reversed(newest_first):
        if each.action is Action.PROMOTE:
            stands.append(each)
        elif each.action is Action.ROLLBACK and stands:
            rolled[each.id] = stands.pop()
        elif each.action is Action.RESTORE and each.undoes in rolled:
            stands.append(rolled[each.undoes])
    return stands


def _change(
    store: Store, reader: str, action: Action, recipe: str, version: str, *, by: str, why: str, forced: bool = False,
    evidence: Mapping[str, Any] | None = None, undoes: int | None = None,
) -> Promotion:  # fmt: skip
    champion = store.policies.champion(reader)
    assert champion is not None, "who was promoted stays in the table"
    change = Promotion(
        reader=reader, action=action, recipe=recipe, version=version, from_recipe=champion.recipe,
        from_version=champion.version, at=now(), by=by, why=why, forced=forced, evidence=evidence or {}, undoes=undoes,
    )  # fmt: skip
    change = replace(change, id=store.promotions.add(change))
    store.policies.crown(reader, version, change.at, reason=f"{action} {change.id}")
    return change


def corpus(store: Store, reader: str, day: date) -> Corpus:
    """What this installation has seen, for a policy to be fitted against."""
    picks = store.signals.picks(since=day - timedelta(days=PICK_DAYS))
    newest_picks = dict(list(picks.items())[-PICKED_ITEMS:])
    items = {item.id: item for item in store.items.recent(RECENT_ITEMS)}
    older = store.items.many([id for id in newest_picks if id not in items])
    return Corpus(
        recent=(*older.values(), *items.values()),
        picks=newest_picks,
        others=thumbed(store, store.feedback.others_thumbs(reader, OTHERS_THUMBS)),
    )


def targets_of(store: Store, settings: Settings, reader: str, day: date) -> Targets:
    """How full the lanes should be, and how many items a day there are to choose from.

    Items a day is the mean of what the last five digests considered and of what waits for the next one.
    """
    since = store.digests.last_cutoff(reader, before=day)
    waiting = store.items.waiting(since, window(day, settings)[0])
    past = [d for d in store.digests.dates(reader) if d < day][:5]
    considered = [
        snapshot["counts"].get("considered", 0) for d in past if (snapshot := store.digests.get(reader, d)) is not None
    ]
    counts = [n for n in [*considered, waiting] if n > 0]
    return Targets(
        read_per_day=settings.triage.read_per_day,
        unsure_per_day=settings.triage.unsure_per_day,
        items_per_day=sum(counts) / len(counts) if counts else float(settings.triage.read_per_day),
        recall=settings.triage.recall_of.get(reader, settings.triage.recall) or None,
    )


def fingerprint(
    store: Store, profile: Profile, targets: Targets, day: date, *, recipe: str, model: str = ""
) -> str:  # fmt: skip
    """Changes when anything that a fit depends on does; the same inputs give the same text."""
    picks = store.signals.picks(since=day - timedelta(days=PICK_DAYS))
    others = store.feedback.others_thumbs(profile.reader, OTHERS_THUMBS)
    parts = {
        "recipe": recipe,
        "subjects": [asdict(subject) for subject in profile.subjects],
        "followed": sorted(profile.followed) if profile.followed is not None else None,
        "thumbs": [(thumb.item.id, thumb.item.version, thumb.up, thumb.reasons) for thumb in profile.thumbs],
        "corrections": sorted(profile.corrections.items()),
        "liked": [(slug, item.id, item.title) for slug, item in profile.liked],
        "rules": [asdict(profile.allow), asdict(profile.block)],
        "targets": asdict(targets),
        "items": store.items.newest_seq(),
        "picks": sorted(picks),
        "others": [(word.item_id, word.value) for word in others],
    }
    if model:  # whose vectors it looks at, and how many of them
        parts["vectors"] = f"{model} {store.vectors.count(model)}"
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def champion_version(store: Store, reader: str) -> str | None:
    champion = store.policies.champion(reader)
    return champion.version if champion else None
