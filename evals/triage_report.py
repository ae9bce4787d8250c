"""What `triage` found, as figures and as JSON. No NaN gets out: what cannot be told is null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from evals import bootstrap, ranking
from evals.figures import Figure, figure_of, rounded
from evals.ranking import Bools, Doubles, Ranked
from evals.shown import Walk
from scout.items import Lane

FIGURES = ("auc", "average_precision", "p_at_10", "recall_at_20", "ece", "brier_skill")
"""In the order of the table."""


@dataclass(frozen=True, slots=True)
class LaneShare:
    papers: float
    picks: float

    def to_dict(self, papers: int, picks: int) -> dict[str, Any]:
        return {
            "papers": round(self.papers, 2),
            "share": rounded(self.papers / papers if papers else None),
            "picks": round(self.picks, 2),
            "precision": rounded(self.picks / self.papers if self.papers else None),
            "recall": rounded(self.picks / picks if picks else None),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One policy."""

    name: str
    is_recipe: bool
    figures: Mapping[str, Figure]
    reliability: ranking.Reliability | None
    """Of all draws together; None where scores are no probabilities."""
    lanes: Mapping[Lane, LaneShare] | None
    """Papers and picks, in the mean of the draws; None where it has no lanes."""
    days: tuple[ranking.Day, ...]
    """In the mean of the draws."""
    seconds: float
    """To fit and to score, all draws together."""

    @property
    def abstained(self) -> float | None:
        """Share of papers in the unsure lane."""
        every = sum(share.papers for share in (self.lanes or {}).values())
        return self.lanes[Lane.UNSURE].papers / every if self.lanes and every else None

    @property
    def right(self) -> float | None:
        """Share of the others that were picked and in the read lane, or not picked and in the skip lane."""
        if not self.lanes or not (decided := self.lanes[Lane.READ].papers + self.lanes[Lane.SKIP].papers):
            return None
        skipped = self.lanes[Lane.SKIP]
        return (self.lanes[Lane.READ].picks + skipped.papers - skipped.picks) / decided

    def to_dict(self, papers: int, picks: int) -> dict[str, Any]:
        return {
            "policy": self.name,
            "kind": "recipe" if self.is_recipe else "peer",
            **{name: self.figures[name].to_dict() if name in self.figures else None for name in FIGURES},
            "reliability": _reliability(self.reliability),
            "lanes": None if self.lanes is None else {
                str(lane): share.to_dict(papers, picks) for lane, share in self.lanes.items()
            } | {"abstained": rounded(self.abstained), "right": rounded(self.right)},
            "days": [
                {"day": day.day.isoformat(), "papers": day.papers, "picks": day.picks,
                 "p_at_10": rounded(day.precision), "recall_at_20": rounded(day.recall)}
                for day in self.days
            ],
            "seconds": round(self.seconds, 2),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fits:
    """A policy's rankings of the test papers, one a draw."""

    ranked: Sequence[Ranked]
    lanes: Sequence[Sequence[Lane]] | None
    """None where it has none."""
    probabilities: bool
    is_recipe: bool
    seconds: float


def rows_of(fits: Mapping[str, Fits], *, baseline: str, weights: Doubles) -> tuple[Row, ...]:
    """A row a policy. `weights` are draws of days (`bootstrap.drawn`), the same for every policy, so that they pair."""
    drawn = {name: _by_draw(each, weights) for name, each in fits.items()}
    return tuple(
        Row(
            name=name,
            is_recipe=each.is_recipe,
            figures={
                figure: figure_of(values, None if name == baseline else drawn[baseline].get(figure))
                for figure, values in drawn[name].items()
            },
            reliability=_pooled(each) if each.probabilities else None,
            lanes=None if each.lanes is None else _lanes(each.lanes, each.ranked[0].labels),
            days=_mean_days(each.ranked),
            seconds=each.seconds,
        )
        for name, each in fits.items()
    )


def _by_draw(fits: Fits, weights: Doubles) -> dict[str, Doubles]:
    """Each figure for every draw of days: the mean over the draws of thumbs."""
    told = [bootstrap.figures(ranked, probabilities=fits.probabilities) for ranked in fits.ranked]
    return {name: np.mean([each[name](weights) for each in told], axis=0) for name in told[0]}


def _pooled(fits: Fits) -> ranking.Reliability | None:
    scores = np.concatenate([ranked.scores for ranked in fits.ranked])
    return ranking.reliability(scores, np.concatenate([ranked.labels for ranked in fits.ranked]))


def _lanes(draws: Sequence[Sequence[Lane]], labels: Bools) -> dict[Lane, LaneShare]:
    found = {}
    for lane in Lane:
        held = np.array([[each is lane for each in lanes] for lanes in draws], dtype=bool).reshape(len(draws), -1)
        found[lane] = LaneShare(float(held.sum()) / len(draws), float((held & labels).sum()) / len(draws))
    return found


def _mean_days(ranked: Sequence[Ranked]) -> tuple[ranking.Day, ...]:
    every = [ranking.days(each) for each in ranked]
    return tuple(
        ranking.Day(
            same[0].day, same[0].papers, same[0].picks,
            _mean([day.precision for day in same]), _mean([day.recall for day in same]),
        )
        for same in zip(*every, strict=True)
    )  # fmt: skip


def _mean(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return sum(told) / len(told) if told else None


def _reliability(found: ranking.Reliability | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "slope": rounded(found.slope),
        "bins": [
            {"papers": each.papers, "foreseen": rounded(each.foreseen, 6), "found": rounded(each.found, 6)}
            for each in found.bins
        ],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the figures rest on."""

    train_papers: int
    train_picks: int
    thumbs: int
    """Of the first draw; all draws have as many."""
    thumbs_up: int
    test_papers: int
    test_picks: int
    test_days: int
    first_test_day: date
    last_test_day: date
    repeated: int
    without_text: int

    def to_dict(self) -> dict[str, Any]:
        return {
            "train": {"papers": self.train_papers, "picks": self.train_picks, "thumbs": self.thumbs, "up": self.thumbs_up},
            "test": {
                "papers": self.test_papers, "picks": self.test_picks,
                "base_rate": rounded(self.test_picks / self.test_papers),
                "days": self.test_days,
                "first_day": self.first_test_day.isoformat(), "last_day": self.last_test_day.isoformat(),
            },
            "repeated": self.repeated,
            "without_abstract": self.without_text,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prediction:
    id: str
    """As in the papers' file."""
    day: date
    score: float
    lane: Lane | None
    is_probability: bool

    def to_dict(self) -> dict[str, Any]:
        told = {"id": self.id, "day": self.day.isoformat(), "probability": self.score, "lane": self.lane}
        return told if self.is_probability else told | {"probability": None, "score": self.score}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One reader's table."""

    pick: str
    asked: Mapping[str, Any]
    """The setting, as JSON."""
    baseline: str
    counted: Counted
    rows: tuple[Row, ...]
    walk: Walk | None
    predictions: tuple[Prediction, ...]
    """Of the first policy, in its first draw, a test paper each."""
    notes: tuple[str, ...]
    """What a reader of the figures must know, in sentences."""

    def row(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    def to_dict(self) -> dict[str, Any]:
        counted = self.counted
        return {
            "pick": self.pick,
            **self.asked,
            "baseline": self.baseline,
            **counted.to_dict(),
            "policies": [row.to_dict(counted.test_papers, counted.test_picks) for row in self.rows],
            "walk": None if self.walk is None else [
                {"day": met.day.isoformat(), "papers": met.papers, "picks": met.picks, "shown": met.shown,
                 "picks_shown": met.picks_shown}
                for met in self.walk.days
            ],
            "notes": list(self.notes),
        }  # fmt: skip


_ENOUGH = 10
"""Picks in the test period below which a ranking that looks like chance says nothing of the reader."""


def _is_by_chance(row: Row, counted: Counted) -> bool:
    auc = row.figures.get("auc")
    learned = 0 < counted.thumbs_up < counted.thumbs and counted.test_picks >= _ENOUGH
    return learned and auc is not None and auc.value is not None and auc.interval is not None and auc.interval[0] <= 0.5


def _turned(row: Row) -> str:
    return (
        f"{row.name} ranked the test papers no better than chance (AUC {row.figures['auc'].value:.3f}): the reader turned, what was "
        "picked before saying nothing of what is picked now, or there were too few thumbs."
    )


def notes(counted: Counted, rows: Sequence[Row], walk: Walk | None) -> tuple[str, ...]:
    """What is odd about the input, and what therefore is null."""
    found = []
    if not counted.test_picks:
        found.append("No test paper was picked, so a ranking cannot be judged: everything that needs a pick is null.")
    elif counted.test_picks == counted.test_papers:
        found.append(
            "Every test paper was picked, so there is nothing to rank them above: AUC and Brier skill are null."
        )
    elif not any(day.counts for day in rows[0].days):
        found.append(f"No test day has {ranking.LEAST_PAPERS} papers and a pick, so P@10 and recall@20 are null.")
    if not counted.thumbs:
        found.append("There was no thumb to learn from: a recipe ranks by the default subjects, a peer by nothing.")
    elif not 0 < counted.thumbs_up < counted.thumbs:
        found.append(
            f"All thumbs to learn from are {'up' if counted.thumbs_up else 'down'}: peers learn nothing of them."
        )
    found += [_turned(row) for row in rows if row.is_recipe and _is_by_chance(row, counted)]
    if counted.test_days == 1:
        found.append("There is one test day, so intervals by day have no width.")
    if counted.repeated:
        found.append(f"{counted.repeated} lines repeat the id of an earlier one and were left out.")
    if counted.without_text:
        found.append(f"{counted.without_text} papers have no abstract and are ranked by the rest.")
    if walk is not None:
        shown, picked = (sum(getattr(met, name) for met in walk.days) for name in ("shown", "picks_shown"))
        found.append(
            f"Walking {len(walk.days)} training days, the digests showed {shown} papers, {picked} of them picks of "
            f"{sum(met.picks for met in walk.days)}."
        )
    return tuple(found)
