"""What the Policy page and the weekly page read, each with one look at the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from dashboard.actions import Board
from dashboard.charts import AgreementDay, MeasurePoint, ReliabilityBin
from dashboard.data import agreement, words
from evals.missed import Sampled, counted
from evals.ranking import Reliability, reliability
from evals.stats import wilson_interval
from scout import policies, weekly
from scout.config import Settings
from scout.digest.missed import MissedPage, week_of
from scout.items import Aspect, Item, ItemId
from scout.store import Store
from scout.store.measures import Measure
from scout.store.promotions import Action, Challenge, Promotion
from scout.triage.recipes import DEFAULT

SHOWN = 2_000
"""The newest things put before a reader that the reliability plot looks at."""
LEAST = 30
"""Thumbs from which there is something to plot."""


@dataclass(frozen=True, slots=True)
class PolicyPage:
    recipe: str
    version: str
    made_at: datetime
    thumbs: int
    agreement: tuple[AgreementDay, ...]
    reliability: tuple[ReliabilityBin, ...]
    """Empty where there are too few thumbs."""
    error: float | None
    """Expected calibration error."""
    measures: tuple[MeasurePoint, ...]
    challenges: tuple[Challenge, ...]
    promotions: tuple[Promotion, ...]
    """The newest first."""
    can_roll_back: Promotion | None
    """What a rollback would take back."""
    can_restore: bool
    newer_default: str | None
    """The default recipe, where this reader is on another."""


def policy_page(store: Store, reader: str) -> PolicyPage | None:
    """What there is to tell of who decides for the reader; None before the first fit."""
    champion = store.policies.champion(reader)
    if champion is None:
        return None
    bins, error = reliable(store, reader)
    changes = store.promotions.listing(reader)
    stands = policies.standing(changes)
    return PolicyPage(
        recipe=champion.recipe,
        version=champion.version,
        made_at=champion.made_at,
        thumbs=int(champion.facts.get("thumbs") or 0),
        agreement=tuple(agreement(store, reader)),
        reliability=bins,
        error=error,
        measures=tuple(measured(store)),
        challenges=tuple(store.promotions.challenges(reader)),
        promotions=tuple(changes),
        can_roll_back=stands[-1] if stands else None,
        can_restore=bool(changes) and changes[0].action is Action.ROLLBACK,
        newer_default=DEFAULT if champion.recipe != DEFAULT else None,
    )


def reliable(store: Store, reader: str) -> tuple[tuple[ReliabilityBin, ...], float | None]:
    """What was foreseen of the items put before the reader against the thumbs they got, in bins of equally many."""
    ids = list(dict.fromkeys(seen.item_id for seen in store.digests.impressions(reader, missed=True)[-SHOWN:]))
    decisions, current = store.decisions.of(reader, ids), store.feedback.current(reader, ids)
    pairs = [
        (decisions[id].probability, word.value == "up")
        for id in ids
        if id in decisions and (word := current.get(id, {}).get(Aspect.THUMB)) and word.value in ("up", "down")
    ]
    if len(pairs) < LEAST:
        return (), None
    found = reliability(np.array([foreseen for foreseen, _ in pairs]), np.array([up for _, up in pairs]))
    return (_bins(found), found.ece) if found else ((), None)


def _bins(found: Reliability) -> tuple[ReliabilityBin, ...]:
    bins = []
    for each in found.bins:
        low, high = wilson_interval(round(each.found * each.papers), each.papers)
        bins.append(ReliabilityBin(each.foreseen, each.found, low, high, each.papers))
    return tuple(bins)


def measured(store: Store) -> list[MeasurePoint]:
    """What `scout eval triage` found, a point a figure."""
    return [
        MeasurePoint(each.at, each.recipe, figure, value, _asked(each))
        for each in store.measures.listing("triage")
        for figure, value in each.figures.items()
        if value is not None
    ]


def _asked(each: Measure) -> str:
    """What was measured, so that only like is drawn beside like."""
    about = each.about
    days = [str(about[name]) for name in ("train_until", "test_until") if about.get(name)]
    tested = f"tested from {' to '.join(days)}" if days else ""
    labels = f"{about['labels']} thumbs" if about.get("labels") else ""
    shown = "as shown" if about.get("as_shown") else ""
    return ", ".join(filter(None, (each.name, tested, labels, shown)))


@dataclass(frozen=True, slots=True)
class Weekly:
    page: MissedPage
    weeks: tuple[date, ...]
    """The weeks that have a page, the newest first."""
    items: Mapping[ItemId, Item]
    board: Board


def weekly_page(store: Store, settings: Settings, reader: str, *, day: date, asked: date | None) -> Weekly | None:
    """The page of the week asked for where there is one, else this week's, drawn now if need be; None with nothing skipped."""
    made = weekly.find(store, reader=reader, week=week_of(asked)) if asked else None
    made = made or weekly.page(store, settings, reader=reader, day=day)
    if made is None and (weeks := store.missed.weeks(reader)):
        made = weekly.find(store, reader=reader, week=weeks[0])
    if made is None:
        return None
    ids = [entry.id for entry in made.entries]
    return Weekly(made, tuple(store.missed.weeks(reader)), store.items.many(ids), words(store, reader, ids))


def sampled(store: Store, reader: str, page: MissedPage) -> list[Sampled]:
    """The strata with the thumbs of now."""
    return counted(page, weekly.thumbs(store, reader, page))


def worth(evidence: Mapping[str, Any], challenger: str) -> Mapping[str, Any] | None:
    """The off-policy estimate that a challenge kept; None where it had none."""
    found = evidence.get("off_policy") or {}
    return found.get(challenger)


def figures_of(points: Sequence[MeasurePoint]) -> list[str]:
    """The figures there are, in the order in which they first occur."""
    return list(dict.fromkeys(point.figure for point in points))


def settings_of(points: Sequence[MeasurePoint]) -> list[str]:
    """What was measured, the newest first."""
    return list(dict.fromkeys(point.asked for point in reversed(points)))
