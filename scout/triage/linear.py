"""The embedded policy: routing, relevance, lanes and reasons from words alone. No GPU, no model to download.

`fit` is deterministic: the same profile, corpus and targets give the same bytes, and the version is their hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from scout.items import OTHER, Contribution, Decision, Item, Lane
from scout.triage import blob, facts, honest, relevance, routing, training
from scout.triage.explain import OWN, Extra, Scale, explain
from scout.triage.features import TOPIC
from scout.triage.logistic import Doubles
from scout.triage.parts import Parts, pack, unpack
from scout.triage.policy import Corpus, Profile, Targets
from scout.triage.refinement import GROUPS, Sight
from scout.triage.relevance import Known, Layers, Match, Taste
from scout.triage.routing import Batch
from scout.triage.rules import Matcher
from scout.triage.settings import LINEAR_2, Settings
from scout.triage.topics import Carriers
from scout.triage.training import Pool
from scout.triage.vectors import NONE, Vectors

_CHUNK = 500
_SURE = 12.0
"""Log-odds beyond which nothing is told apart: probabilities are kept to six places, and none is 0 or 1."""


class LinearPolicy:
    """A fitted policy. Immutable; safe to share between threads."""

    def __init__(self, weights: bytes) -> None:
        """
        Raises:
            blob.BadBlob: the bytes are not a policy.
        """
        self._bytes = weights
        self._parts = unpack(weights)
        self._allow, self._block = Matcher.of(self._parts.allow), Matcher.of(self._parts.block)
        self.recipe = self._parts.recipe
        self.version = f"{self.recipe}:{hashlib.blake2b(weights, digest_size=6).hexdigest()}"
        taste, community = self._parts.taste, self._parts.community
        self._slope, shift = taste.scaling.slope, taste.scaling.shift
        if taste.refinement:
            shift += self._slope * (taste.refinement.scaling.shift + taste.refinement.trees.root())
            self._slope *= taste.refinement.scaling.slope
        self._scale = Scale(
            own=(self._slope * taste.own).astype(np.float32),
            community=(self._slope * taste.community * community.weights).astype(np.float32),
            base=self._slope * taste.base + shift,
        )

    def to_bytes(self) -> bytes:
        return self._bytes

    @staticmethod
    def from_bytes(weights: bytes, profile: Profile, settings: Settings = LINEAR_2) -> LinearPolicy:
        """The policy these bytes are. What it knows of subjects and rules is as it was when fitted.

        Raises:
            blob.BadBlob: not a policy of this recipe, or one of another reader.
        """
        policy = LinearPolicy(weights)
        if policy.recipe != settings.name:
            raise blob.BadBlob(
                f"these weights are of recipe {policy.recipe}, not {settings.name}; the policy has to be fitted again"
            )
        if policy._parts.reader != profile.reader:
            raise blob.BadBlob(f"these weights are those of reader {policy._parts.reader!r}, not of {profile.reader!r}")
        return policy

    def facts(self) -> dict[str, Any]:
        """What there is to tell of this fit, as JSON: see `facts.gather`."""
        return dict(self._parts.facts)

    @property
    def sees(self) -> str:
        """The model whose vectors it looks at; empty for none."""
        return self._parts.space.projection.model

    def decide(self, items: Sequence[Item], vectors: Vectors = NONE) -> list[Decision]:
        """`vectors` are what `sees` made of these items, as far as that is known."""
        return [
            decision
            for start in range(0, len(items), _CHUNK)
            for decision in self._decide(items[start : start + _CHUNK], vectors)
        ]

    def _decide(self, items: Sequence[Item], vectors: Vectors) -> list[Decision]:
        parts, batch = self._parts, Batch.of(items, self._parts.space, vectors)
        evidence = parts.router.evidence(batch)
        matched = parts.match.parts(evidence)
        layers = Layers(
            matched.sum(axis=1), parts.community.scores(batch.features), parts.router.shares(batch, evidence)
        )
        linear = parts.taste.logits(batch.features, layers)
        sight = Sight.of(items, batch.features) if parts.taste.refinement else None
        logits = np.clip(parts.taste.scaled(linear, sight), -_SURE, _SURE)
        extra, placed = self._extra_parts(matched, layers, linear, sight)
        carriers = Carriers.of(batch.features, parts.space.landscape)
        whys = explain(batch, self._scale, carriers, Extra(self._extra_names(), extra, placed), logits)
        blocked, allowed = self._block.matches(items, batch.read), self._allow.matches(items, batch.read)
        slugs = parts.router.slugs
        rounded = np.round(layers.shares, 4)
        found = []
        for row, (item, probability) in enumerate(zip(items, special.expit(logits).tolist(), strict=True)):
            lane, why = parts.thresholds.lane(probability), whys[row]
            if rule := blocked.get(row):
                lane, why = Lane.SKIP, (Contribution(f"rule: block {rule}", 0.0), *why)
            elif rule := allowed.get(row):
                lane, why = Lane.READ, (Contribution(f"rule: allow {rule}", 0.0), *why)
            best = int(layers.shares[row].argmax())
            shares = rounded[row].tolist()
            shares[best] = round(1.0 - (sum(shares) - shares[best]), 4)
            found.append(
                Decision(
                    item_id=item.id, reader=parts.reader, policy=self.version, subject=slugs[best],
                    subjects=dict(zip(slugs, shares, strict=True)), probability=round(probability, 6), lane=lane, why=why,
                )
            )  # fmt: skip
        return found

    def _extra_names(self) -> list[str]:
        """What the columns of `_extra_parts` are called."""
        subjects = [f"subject: {name}" for name in (*(subject.name for subject in self._parts.router.subjects), OTHER)]
        return subjects + ([f"{OWN}{name}" for name in GROUPS] if self._parts.taste.refinement else [])

    def _extra_parts(
        self, matched: Doubles, layers: Layers, linear: Doubles, sight: Sight | None
    ) -> tuple[Doubles, Doubles]:
        """[items, names]: log-odds of what is no feature: subjects, and what the trees add; [items, directions]: of the latter,
        what they add for an item's place."""
        taste = self._parts.taste
        of_match = np.pad(taste.match * matched, ((0, 0), (0, 1)))
        parts: Doubles = self._slope * (of_match + layers.shares * taste.subjects)
        if taste.refinement and sight:
            added = taste.scaling.slope * taste.refinement.parts(linear, sight)
            return np.hstack([parts, added[:, : len(GROUPS)]]), added[:, len(GROUPS) :]
        return parts, np.zeros((len(parts), TOPIC.size))


def fit(profile: Profile, corpus: Corpus, targets: Targets, settings: Settings = LINEAR_2) -> LinearPolicy:
    """The policy that this reader's thumbs, corrections and subjects ask for, given what this installation has seen."""
    pool = training.gather(profile, corpus, landscape=settings.landscape, vectors=settings.vectors)
    recent = pool.batch.part(range(pool.recent))
    corrected = routing.corrected_items(profile.corrections, pool.batch.items)
    router = routing.fit(profile.subjects, recent, pool.space, profile.liked, corrected)
    evidence = router.evidence(pool.batch)
    followed = np.array([profile.followed is None or s.slug in profile.followed for s in profile.subjects], dtype=bool)
    match = Match.fit(followed, evidence[pool.usual])
    community, owed = relevance.fit_community(pool.batch.features, pool.community, pool.usual)
    layers = Layers(
        match.parts(evidence).sum(axis=1), community.scores(pool.batch.features), router.shares(pool.batch, evidence)
    )
    sight = Sight.of(pool.batch.items, pool.batch.features) if settings.growth else None
    known = Known(pool.batch.features, layers, sight)
    taste = relevance.fit_taste(
        known, pool.thumbs, pool.liked, usual=layers.part(pool.usual), rate=targets.base_rate, growth=settings.growth
    )
    settled = honest.settle(taste, pool, *_usual_day(pool, known, taste, owed, targets), targets)
    told = facts.gather(pool, community, settled.taste, settled.thresholds) | settled.facts(profile.thumbs)
    parts = Parts(
        settings.name,
        profile.reader,
        pool.space,
        router,
        match,
        community,
        settled.taste,
        settled.thresholds,
        profile.allow,
        profile.block,
        told,
    )
    return LinearPolicy(pack(parts))


def _usual_day(pool: Pool, known: Known, taste: Taste, owed: Doubles, targets: Targets) -> tuple[Doubles, Doubles]:
    """Logits that a day brings, and how much each says of it.

    Earlier items stand for the days to come, and are taken as if nobody had picked or thumbed them yet. The newest day's
    are what is about to be decided, picks that are known by now included; they count half of all.
    """
    logits = taste.logits(known.features, known.layers)
    said = pool.thumbs.join(pool.liked)
    width = relevance.width_of(len(said.rows))
    logits[said.rows] -= relevance.own_part(pool.batch.features[said.rows], said, logits[said.rows], width=width)
    count = len(pool.usual)
    newest = min(count, max(1, round(targets.items_per_day)))
    earlier = pool.usual[: count - newest]
    logits[earlier] -= taste.community * owed[earlier]
    own = np.full(len(logits), np.nan)
    own[pool.thumbs.rows] = pool.thumbs.labels
    sight = known.sight.part(pool.usual) if known.sight else None
    scaled = taste.scaled(logits[pool.usual], sight, own[pool.usual])
    weights = np.concatenate([np.full(len(earlier), 1 / max(1, len(earlier))), np.full(newest, 1 / max(1, newest))])
    return scaled, weights
