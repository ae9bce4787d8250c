"""The registry of policies: which recipe serves a reader, refitted when there is something new to learn from.

A refit of the serving recipe is part of triage. Whether a *new* recipe may serve is decided elsewhere (evals/gate.py).
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict
from datetime import date, timedelta

from scout.clock import now, today
from scout.config import Settings
from scout.digest.build import window
from scout.readers import profile, thumbed
from scout.store import Store
from scout.store.policies import PolicyRow
from scout.triage import linear
from scout.triage.blob import BadBlob
from scout.triage.policy import Corpus, Policy, Profile, Targets

log = logging.getLogger("scout")

RECENT_ITEMS = 3000
"""The newest arrivals that a policy is fitted against: they give word frequencies, negatives and thresholds."""
PICKED_ITEMS = 1500
"""The newest community picks that the shared prior learns from."""
PICK_DAYS = 90
OTHERS_THUMBS = 2000
KEPT_WEIGHTS = 5


def serving(store: Store, settings: Settings, reader: str) -> Policy:
    """The policy that decides for `reader` now: the champion, refitted first if anything it learns from has changed."""
    day = today(settings)
    known = profile(store, settings, reader)
    targets = targets_of(store, settings, reader, day)
    training = fingerprint(store, known, targets, day)
    champion = store.policies.champion(reader)
    if champion and champion.training == training and champion.weights:
        try:
            return linear.LinearPolicy.from_bytes(champion.weights, known)
        except BadBlob:  # written by another version of scout, or damaged: what it learned is in the thumbs
            log.warning("policy unreadable, fitting anew", extra={"policy": champion.version})
    policy = linear.fit(known, corpus(store, reader, day), targets)
    at = now()
    with store.writing():
        store.policies.save(
            PolicyRow(
                version=policy.version, reader=reader, recipe=policy.recipe, made_at=at, training=training,
                facts=policy.facts(), weights=policy.to_bytes(),
            )
        )  # fmt: skip
        if champion is None or champion.version != policy.version:
            store.policies.crown(reader, policy.version, at, reason="first fit" if champion is None else "refit")
        store.policies.prune(reader, keep=KEPT_WEIGHTS)
    return policy


def corpus(store: Store, reader: str, day: date) -> Corpus:
    """What this installation has seen, for a policy to be fitted against."""
    picks = store.signals.picks(since=day - timedelta(days=PICK_DAYS))
    newest_picks = dict(list(picks.items())[-PICKED_ITEMS:])
    items = {item.id: item for item in store.items.recent(RECENT_ITEMS)}
    older = store.items.many([id for id in newest_picks if id not in items])
    return Corpus(
        recent=(*older.values(), *items.values()),
        picks=newest_picks,
        others=thumbed(store, store.feedback.others_thumbs(reader)[-OTHERS_THUMBS:]),
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
    )


def fingerprint(store: Store, profile: Profile, targets: Targets, day: date) -> str:
    """Changes when anything that a fit depends on does; the same inputs give the same text."""
    picks = store.signals.picks(since=day - timedelta(days=PICK_DAYS))
    others = store.feedback.others_thumbs(profile.reader)
    parts = {
        "recipe": linear.RECIPE,
        "subjects": [asdict(subject) for subject in profile.subjects],
        "followed": sorted(profile.followed) if profile.followed is not None else None,
        "thumbs": [(thumb.item.id, thumb.item.version, thumb.up, thumb.reasons) for thumb in profile.thumbs],
        "corrections": sorted(profile.corrections.items()),
        "liked": [(slug, item.id, item.title) for slug, item in profile.liked],
        "rules": [asdict(profile.allow), asdict(profile.block)],
        "targets": asdict(targets),
        "items": store.items.newest_seq(),
        "picks": sorted(picks),
        "others": [(word.item_id, word.value) for word in others[-OTHERS_THUMBS:]],
    }
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def champion_version(store: Store, reader: str) -> str | None:
    champion = store.policies.champion(reader)
    return champion.version if champion else None
