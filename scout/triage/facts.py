"""What can be told of a fit: how many thumbs it had, how often it foresaw them, and the strongest things it learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scout.triage.explain import Names
from scout.triage.features import CATEGORY
from scout.triage.lanes import Thresholds
from scout.triage.relevance import Community, Taste
from scout.triage.routing import Batch
from scout.triage.training import Pool

STRONGEST = 12
_DAYS = 60
_OFTEN = 25
"""Having occurred more often than this makes a feature no more telling."""


def gather(pool: Pool, community: Community, taste: Taste, thresholds: Thresholds) -> dict[str, Any]:
    """JSON-able: `thumbs`, `positives`, `agreement` (a list of {day, agreement, n}, the share of thumbs foreseen by a
    model that had seen only earlier ones), `held_out` (the same over all days), `thresholds`, `calibration`, `trust`
    (weight of subject match and of community picks), `picks`, `recent`, `learned` (`up` and `down`: {feature, weight},
    the log-odds that a feature adds where it occurs)."""
    days: dict[str, list[bool]] = {}
    for day, probability, up in taste.forward:
        days.setdefault(day.isoformat() if day else "", []).append((probability >= 0.5) == up)
    every = [right for day in days.values() for right in day]
    return {
        "thumbs": len(pool.thumbs.rows),
        "positives": int(pool.thumbs.labels.sum()),
        "agreement": [
            {"day": day, "agreement": round(sum(right) / len(right), 4), "n": len(right)}
            for day, right in sorted(days.items())[-_DAYS:]
        ],
        "held_out": {"agreement": round(sum(every) / len(every), 4) if every else None, "n": len(every)},
        "thresholds": {"read": round(thresholds.read, 6), "unsure": round(thresholds.unsure, 6)},
        "calibration": {"slope": round(taste.scaling.slope, 4), "shift": round(taste.scaling.shift, 4)},
        "trust": {"subjects": round(taste.match, 4), "community": round(taste.community, 4)},
        "picks": community.picks,
        "recent": pool.recent,
        "learned": _learned(pool, taste),
    }


def _learned(pool: Pool, taste: Taste) -> Mapping[str, list[dict[str, Any]]]:
    rows = pool.thumbs.join(pool.liked).rows
    thumbed = pool.batch.features[rows]
    total = np.bincount(thumbed.indices, weights=thumbed.data, minlength=len(taste.own))
    often = np.bincount(thumbed.indices, minlength=len(taste.own))
    strength = taste.own * total / np.maximum(often, 1)
    # What a feature adds, and how often it has: a lone author of one thumbed paper is no news.
    order = np.argsort(-np.abs(strength) * np.sqrt(np.minimum(often, _OFTEN)), kind="stable")
    order = order[order < CATEGORY.end][: 6 * STRONGEST]
    order = order[strength[order] != 0]
    found: dict[str, float] = {}  # in order of importance
    for column in order.tolist():
        at = int(np.flatnonzero(thumbed.indices == column)[0])
        item = pool.batch.items[rows[int(np.searchsorted(thumbed.indptr, at, side="right")) - 1]]
        name = Names(Batch.of([item], pool.space).read, [item]).of(0, [column])[0]
        found[name] = found.get(name, 0.0) + float(strength[column])
    return {
        "up": [{"feature": name, "weight": round(value, 4)} for name, value in found.items() if value > 0][:STRONGEST],
        "down": [{"feature": name, "weight": round(value, 4)} for name, value in found.items() if value < 0][
            :STRONGEST
        ],
    }
