"""Measures policies on real picks, forward in time: what was picked before a day is known, and every paper since is ranked.

`run` gives thumbs, asks recipes and peers to score the test papers, and hands back figures with intervals by day. The picks
of the reader measured are its only labels; those of other readers, upvotes and what a community said are no input.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from evals import bootstrap
from evals.papers import PREFIX, Papers
from evals.peers import PEERS, Shelf, Task
from evals.ranking import Bools, Doubles, Ranked
from evals.shown import Walk, walk
from evals.triage_report import Counted, Fits, Prediction, Report, notes, rows_of
from scout.items import Item, Lane, Subject
from scout.progress import SILENT, Progress
from scout.subjects import DEFAULT_SUBJECTS
from scout.triage import recipes
from scout.triage.policy import Corpus, Policy, Profile, Targets, Thumbed

RECENT = 3000
"""The newest papers that a recipe is fitted against, as `scout triage` does."""
USUAL_DAYS = 20
"""Days whose mean number of papers says what a day brings."""
SUBJECTS = tuple(Subject(**entry) for entry in DEFAULT_SUBJECTS)
"""What ships: a reader of this measure has chosen nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is asked."""

    pick: str
    train_until: date
    """The first test day."""
    test_until: date | None = None
    """The first day that is no test day any more; None for the end of the papers."""
    policies: tuple[str, ...] = (recipes.DEFAULT, *PEERS)
    """Names of recipes and peers. The first is the one measured: predictions are its own."""
    labels: int | None = None
    """So many thumbs, half of them up, drawn by chance; None for all there are."""
    as_shown: bool = False
    """Thumbs only on what the digest of the first recipe named showed, day by day."""
    every: int = 1
    """Fit anew on every such day of that walk."""
    draws: int = 5
    """How often `labels` are drawn; figures are means over the draws."""
    seed: int = 0

    @property
    def baseline(self) -> str:
        """Whom intervals compare with: the first peer named, or where none is, the first policy."""
        return next((name for name in self.policies if name in PEERS), self.policies[0])

    def to_dict(self) -> dict[str, Any]:
        return {
            "train_until": self.train_until.isoformat(),
            "test_until": None if self.test_until is None else self.test_until.isoformat(),
            "labels": self.labels,
            "as_shown": self.as_shown,
            "draws": 1 if self.labels is None else self.draws,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Scored:
    """What one fit of one policy says of the test papers."""

    scores: Doubles
    lanes: tuple[Lane, ...]
    """Empty for a peer: it has none."""
    seconds: float


def run(
    papers: Papers, picked: frozenset[str], setting: Setting, *, shelf: Shelf | None = None, progress: Progress = SILENT
) -> Report:  # fmt: skip
    """The figures of every policy named. A `shelf` kept between calls with the same `papers` saves making features anew.

    Raises:
        ValueError: there is nothing to test on, or nothing to learn from.
        peers.NoExtra: a peer needs what is not installed.
    """
    seen, test = papers.between(None, setting.train_until), papers.between(setting.train_until, setting.test_until)
    _check(papers, seen, test, setting)
    for name in setting.policies:
        if name in PEERS:
            PEERS[name].check()
    labels = np.array([item.id in picked for item in test.items], dtype=bool)
    shelf = shelf or Shelf()
    walked = _walked(seen, picked, setting, progress) if setting.as_shown else None
    given = _thumbs(seen, picked, setting, walked)
    progress.stage(f"ranking for {setting.pick}", len(setting.policies) * len(given))
    scored: dict[str, list[Scored]] = {name: [] for name in setting.policies}
    for name in setting.policies:
        for draw, thumbs in enumerate(given):
            task = Task(seen, thumbs, test, setting.seed + draw)
            scored[name].append(_scored(name, task, shelf, reader=setting.pick))
            progress.step(name)
    progress.done()
    counted = _counted(papers, seen, test, picked, given[0])
    return _report(setting, test, labels, counted, scored, walked)


def _check(papers: Papers, seen: Papers, test: Papers, setting: Setting) -> None:
    if not len(papers):
        raise ValueError("there are no papers in the file")
    span = f"the papers are from {papers.days[0]} to {papers.days[-1]}"
    if not len(seen):
        raise ValueError(f"no paper is from before {setting.train_until}, so there is nothing to learn from: {span}")
    if not len(test):
        until = f" and before {setting.test_until}" if setting.test_until else ""
        raise ValueError(
            f"no paper is from {setting.train_until} or later{until}, so there is nothing to test on: {span}"
        )


def targets(seen: Papers) -> Targets:
    """Lanes of the default length, for days like the last ones."""
    days = sorted(set(seen.days))[-USUAL_DAYS:]
    usual = sum(day >= days[0] for day in seen.days) / len(days) if days else 300.0
    return Targets(20.0, 10.0, max(1.0, usual))


def fitted(recipe: str, reader: str, seen: Papers, thumbs: Sequence[Thumbed]) -> Policy:
    """A recipe's fit to these thumbs, for a reader of the default subjects, with the newest papers as what is usual."""
    profile = Profile(reader, SUBJECTS, thumbs=tuple(thumbs))
    return recipes.RECIPES[recipe].fit(profile, Corpus(seen.items[-RECENT:]), targets(seen))


def _scored(name: str, task: Task, shelf: Shelf, *, reader: str) -> Scored:
    started = time.perf_counter()
    if name in PEERS:
        return Scored(PEERS[name].score(task, shelf), (), time.perf_counter() - started)
    decisions = fitted(name, reader, task.seen, task.thumbs).decide(task.test.items)
    scores = np.array([decision.probability for decision in decisions], dtype=np.float64)
    return Scored(scores, tuple(decision.lane for decision in decisions), time.perf_counter() - started)


def _walked(seen: Papers, picked: frozenset[str], setting: Setting, progress: Progress) -> Walk:
    recipe = next((name for name in setting.policies if name in recipes.RECIPES), None)
    if recipe is None:
        raise ValueError("only a recipe has a digest to show, and none is named: add one to --policy")
    slugs = [subject.slug for subject in SUBJECTS]
    return walk(
        seen, picked, lambda earlier, thumbs: fitted(recipe, setting.pick, earlier, thumbs),
        reader=setting.pick, subjects=slugs, every=setting.every, progress=progress,
    )  # fmt: skip


def _thumbs(seen: Papers, picked: frozenset[str], setting: Setting, walked: Walk | None) -> list[tuple[Thumbed, ...]]:
    """The thumbs of each draw."""
    if walked is not None and setting.labels is None:
        return [walked.thumbs]
    every = walked.thumbs if walked is not None else tuple(_thumb(item, picked) for item in seen.items)
    if setting.labels is None:
        return [every]
    return [_balanced(every, setting.labels, setting.seed + draw) for draw in range(max(1, setting.draws))]


def _thumb(item: Item, picked: frozenset[str]) -> Thumbed:
    assert item.published is not None
    return Thumbed(item, item.id in picked, (), item.published)


def _balanced(thumbs: Sequence[Thumbed], count: int, seed: int) -> tuple[Thumbed, ...]:
    """`count` of the thumbs, half of them up, or as many as there are, in order of time."""
    rng = np.random.default_rng(seed)
    groups = [[thumb for thumb in thumbs if thumb.up is up] for up in (True, False)]
    wanted = (count // 2, count - count // 2)
    drawn = [
        group[place]
        for group, size in zip(groups, wanted, strict=True)
        for place in rng.choice(len(group), min(size, len(group)), replace=False).tolist()
    ]
    return tuple(sorted(drawn, key=lambda thumb: (thumb.at, thumb.item.id)))


def _counted(
    papers: Papers, seen: Papers, test: Papers, picked: frozenset[str], thumbs: Sequence[Thumbed]
) -> Counted:  # fmt: skip
    return Counted(
        train_papers=len(seen),
        train_picks=sum(item.id in picked for item in seen.items),
        thumbs=len(thumbs),
        thumbs_up=sum(thumb.up for thumb in thumbs),
        test_papers=len(test),
        test_picks=sum(item.id in picked for item in test.items),
        test_days=len(set(test.days)),
        first_test_day=test.days[0],
        last_test_day=test.days[-1],
        repeated=papers.repeated,
        without_text=seen.without_text + test.without_text,
    )


def _report(
    setting: Setting, test: Papers, labels: Bools, counted: Counted, scored: Mapping[str, Sequence[Scored]],
    walked: Walk | None,
) -> Report:  # fmt: skip
    fits = {
        name: Fits(
            ranked=[Ranked.of(each.scores, labels, test.days) for each in every],
            lanes=None if name in PEERS else [each.lanes for each in every],
            probabilities=name not in PEERS or PEERS[name].probabilities,
            is_recipe=name not in PEERS,
            seconds=sum(each.seconds for each in every),
        )
        for name, every in scored.items()
    }
    weights = bootstrap.drawn(counted.test_days, draws=bootstrap.DRAWS, seed=setting.seed)
    rows = rows_of(fits, baseline=setting.baseline, weights=weights)
    first, fit = scored[setting.policies[0]][0], fits[setting.policies[0]]
    return Report(
        pick=setting.pick,
        asked=setting.to_dict(),
        baseline=setting.baseline,
        counted=counted,
        rows=rows,
        walk=walked,
        notes=notes(counted, rows, walked),
        predictions=tuple(
            Prediction(item.id.removeprefix(PREFIX), day, float(score), lane, is_probability=fit.probabilities)
            for item, day, score, lane in zip(
                test.items, test.days, first.scores, first.lanes or (None,) * len(test), strict=True
            )
        ),
    )
