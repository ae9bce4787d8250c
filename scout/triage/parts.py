"""What a fit of the linear recipe decided, and the same as bytes: what is stored is what serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scout.items import Subject
from scout.triage import blob
from scout.triage.boosting import Trees
from scout.triage.calibration import Scaling
from scout.triage.features import WIDTH, Floats, Space
from scout.triage.habits import Habits
from scout.triage.landscape import Landscape
from scout.triage.lanes import Thresholds
from scout.triage.policy import Rules
from scout.triage.record import Record
from scout.triage.refinement import Refinement
from scout.triage.relevance import Community, Match, Taste
from scout.triage.routing import Router
from scout.triage.vectors import Projection


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a fit decided."""

    recipe: str
    reader: str
    space: Space
    router: Router
    match: Match
    community: Community
    taste: Taste
    thresholds: Thresholds
    allow: Rules
    block: Rules
    facts: Mapping[str, Any]


_TREES, _RECORD = ("columns", "cuts", "steps"), ("keys", "ups", "seen")


def pack(parts: Parts) -> bytes:
    taste, router = parts.taste, parts.router
    head = {
        "recipe": parts.recipe,
        "reader": parts.reader,
        "subjects": [asdict(subject) for subject in router.subjects],
        "category_worth": dict(router.category_worth),
        "followed": parts.match.followed.tolist(),
        "match": [parts.match.spread, taste.match],
        "community": [parts.community.centre, parts.community.picks, taste.community],
        "base": taste.base,
        "scaling": [taste.scaling.slope, taste.scaling.shift],
        "thresholds": [parts.thresholds.read, parts.thresholds.unsure],
        "rules": [asdict(parts.allow), asdict(parts.block)],
        "facts": parts.facts,
    }
    arrays: dict[str, NDArray[Any]] = {
        "idf": parts.space.idf.astype(np.float16),
        "keyword_worth": router.keyword_worth,
        "habit_columns": router.habits.columns,
        "habit_weights": router.habits.weights.astype(np.float16),
        "habit_base": router.habits.base,
        "habit_trust": np.array([router.habits.trust]),
        "centre": router.centre,
        "spread": router.spread,
        "match_centres": parts.match.centres,
        "taste_subjects": taste.subjects,
        "landscape.words": parts.space.landscape.words,
        "landscape.directions": parts.space.landscape.directions.astype(np.float16),
        "landscape.centre": parts.space.landscape.centre,
    }
    if projection := parts.space.projection if parts.space.projection.model else None:
        head["embedding"] = projection.model
        arrays |= {"embedding.centre": projection.centre, "embedding.directions": projection.directions}
    if refined := taste.refinement:
        head["refinement"] = [refined.scaling.slope, refined.scaling.shift, refined.record.rate]
        arrays |= {f"trees.{name}": getattr(refined.trees, name) for name in _TREES}
        arrays |= {f"record.{name}": getattr(refined.record, name) for name in _RECORD}
    for name, table in (
        ("prototypes", router.prototypes),
        ("corrections", router.corrections),
        ("own", sparse.csr_matrix(taste.own)),
        ("community", sparse.csr_matrix(parts.community.weights)),
    ):
        arrays |= {f"{name}.data": table.data, f"{name}.indices": table.indices, f"{name}.indptr": table.indptr}
    return blob.pack(head, arrays)


def unpack(weights: bytes) -> Parts:
    head, arrays = blob.unpack(weights)

    def table(name: str) -> Any:
        indptr = arrays[f"{name}.indptr"]
        shape = (len(indptr) - 1, WIDTH)
        return sparse.csr_matrix((arrays[f"{name}.data"], arrays[f"{name}.indices"], indptr), shape=shape)

    def row(name: str) -> Floats:
        dense: Floats = table(name).toarray()[0].astype(np.float32)
        return dense

    allow, block = (Rules(**{key: tuple(words) for key, words in rules.items()}) for rules in head["rules"])
    match_spread, match_weight = head["match"]
    centre, picks, community_weight = head["community"]
    router = Router(
        tuple(_subject(entry) for entry in head["subjects"]), arrays["keyword_worth"], head["category_worth"],
        table("prototypes"), arrays["centre"], arrays["spread"], table("corrections"), _habits(arrays, head),
    )  # fmt: skip
    match = Match(np.array(head["followed"], dtype=bool), arrays["match_centres"], match_spread)
    taste = Taste(
        row("own"), head["base"], match_weight, community_weight, arrays["taste_subjects"], Scaling(*head["scaling"]),
        _refinement(head, arrays),
    )  # fmt: skip
    landscape = Landscape(
        arrays["landscape.words"], arrays["landscape.directions"].astype(np.float32), arrays["landscape.centre"]
    )
    space = Space(arrays["idf"].astype(np.float32), landscape, _projection(head, arrays))
    return Parts(
        head["recipe"], head["reader"], space, router, match, Community(row("community"), centre, picks), taste,
        Thresholds(*head["thresholds"]), allow, block, head["facts"],
    )  # fmt: skip


def _projection(head: Mapping[str, Any], arrays: blob.Arrays) -> Projection:
    if "embedding" not in head:
        return Projection.none()
    return Projection(head["embedding"], arrays["embedding.centre"], arrays["embedding.directions"])


def _habits(arrays: Mapping[str, NDArray[Any]], head: Mapping[str, Any]) -> Habits:
    if "habit_columns" not in arrays:  # written before habits were counted
        return Habits.none(len(head["subjects"]) + 1)
    return Habits(
        arrays["habit_columns"],
        arrays["habit_weights"].astype(np.float32),
        arrays["habit_base"],
        float(arrays["habit_trust"][0]),
    )


def _refinement(head: Mapping[str, Any], arrays: blob.Arrays) -> Refinement | None:
    if "refinement" not in head:
        return None
    slope, shift, rate = head["refinement"]
    record = Record(**{name: arrays[f"record.{name}"] for name in _RECORD}, rate=rate)
    return Refinement(Scaling(slope, shift), record, Trees(**{name: arrays[f"trees.{name}"] for name in _TREES}))


def _subject(entry: dict[str, Any]) -> Subject:
    made = Subject(**entry)
    return replace(made, keywords=tuple(made.keywords), categories=tuple(made.categories), liked=tuple(made.liked))
