"""Measures routing: does the policy put a paper under the subject that stands for its primary category?

A reader has one subject a category, named after it and nothing more, and has corrected every paper from before a day; the
papers since are routed. No router is shown categories. Text, authors and comments are all there is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals import bootstrap
from evals.figures import Figure, figure_of
from evals.papers import PREFIX, Papers
from evals.peers import PEERS, Shelf, Task
from evals.ranking import Doubles
from evals.triage import targets
from scout.items import Item, Subject
from scout.progress import SILENT, Progress
from scout.triage import recipes
from scout.triage.policy import Corpus, Profile

LEAST = 20
"""A category with fewer training papers is no class: those papers are left out."""
Guess = Callable[[Papers, Sequence[str], Papers, Shelf], list[str]]
"""Training papers, their categories and test papers in; a category for each test paper out, "" for none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    train_until: date
    test_until: date | None = None
    policies: tuple[str, ...] = (recipes.DEFAULT, "tfidf-logistic", "tfidf-svm", "majority")
    seed: int = 0

    @property
    def baseline(self) -> str:
        """The first peer named, or where none is, the first policy."""
        return next((name for name in self.policies if name in ROUTERS), self.policies[0])


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    accuracy: Figure
    macro_f1: Figure
    """Mean over categories of F1, those that occur in the test papers or were guessed."""
    by_category: Mapping[str, tuple[int, float | None, float | None]]
    """Test papers, precision and recall."""
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "policy": self.name,
            "kind": "peer" if self.name in ROUTERS else "recipe",
            "accuracy": self.accuracy.to_dict(),
            "macro_f1": self.macro_f1.to_dict(),
            "categories": {
                name: {"papers": count, "precision": _short(precision), "recall": _short(recall)}
                for name, (count, precision, recall) in self.by_category.items()
            },
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    setting: Setting
    train_papers: int
    test_papers: int
    left_out: int
    """Papers of the span without a category, or of one too rare."""
    rows: tuple[Row, ...]
    predictions: tuple[Mapping[str, str], ...]
    """Of the first policy: `id`, `day`, `category`, `predicted`."""

    def to_dict(self) -> dict[str, Any]:
        until = self.setting.test_until
        return {
            "measure": "routing",
            "train_until": self.setting.train_until.isoformat(),
            "test_until": None if until is None else until.isoformat(),
            "train_papers": self.train_papers,
            "test_papers": self.test_papers,
            "left_out": self.left_out,
            "baseline": self.setting.baseline,
            "policies": [row.to_dict() for row in self.rows],
        }


def run(papers: Papers, setting: Setting, *, progress: Progress = SILENT) -> Report:
    """
    Raises:
        ValueError: there is nothing to learn from or nothing to test on.
        peers.NoExtra: a peer needs what is not installed.
    """
    before, since = papers.between(None, setting.train_until), papers.between(setting.train_until, setting.test_until)
    common = {name for name, count in Counter(map(primary, before.items)).items() if name and count >= LEAST}
    seen, labels = _labelled(before, common)
    test, truth = _labelled(since, common)
    if len(common) < 2:
        raise ValueError(
            f"fewer than two categories have {LEAST} papers before {setting.train_until}: nothing to route to"
        )
    if not len(test):
        raise ValueError(f"no paper of these categories is from {setting.train_until} or later: nothing to test on")
    for name in setting.policies:
        if name in PEERS and name in ROUTERS:
            PEERS[name].check()
    progress.stage("routing", len(setting.policies))
    shelf, guesses, seconds = Shelf(), {}, {}
    for name in setting.policies:
        started = time.perf_counter()
        guesses[name] = (ROUTERS.get(name) or _recipe(name))(seen, labels, test, shelf)
        seconds[name] = time.perf_counter() - started
        progress.step(name)
    progress.done()
    first = guesses[setting.policies[0]]
    return Report(
        setting=setting, train_papers=len(seen), test_papers=len(test),
        left_out=len(before) + len(since) - len(seen) - len(test),
        rows=_rows(guesses, truth, test, seconds, setting),
        predictions=tuple(
            {"id": item.id.removeprefix(PREFIX), "day": day.isoformat(), "category": category, "predicted": guess}
            for item, day, category, guess in zip(test.items, test.days, truth, first, strict=True)
        ),
    )  # fmt: skip


def primary(item: Item) -> str:
    """Its primary arXiv category, or nothing."""
    return item.categories[0] if item.categories else ""


def _labelled(papers: Papers, common: set[str]) -> tuple[Papers, list[str]]:
    """Papers of these categories, without them, and the categories."""
    rows = [row for row, item in enumerate(papers.items) if primary(item) in common]
    bare = tuple(replace(papers.items[row], categories=()) for row in rows)
    return Papers(bare, tuple(papers.days[row] for row in rows)), [primary(papers.items[row]) for row in rows]


def _recipe(name: str) -> Guess:
    def guess(seen: Papers, labels: Sequence[str], test: Papers, shelf: Shelf) -> list[str]:
        slugs = {category: category.lower().replace(".", "-") for category in sorted(set(labels))}
        subjects = tuple(Subject(slug, category) for category, slug in slugs.items())
        corrections = {item.id: slugs[label] for item, label in zip(seen.items, labels, strict=True)}
        profile = Profile("routing", subjects, corrections=corrections)
        policy = recipes.RECIPES[name].fit(profile, Corpus(seen.items), targets(seen))
        category_of = {slug: category for category, slug in slugs.items()}
        return [category_of.get(decision.subject, "") for decision in policy.decide(test.items)]

    return guess


def _logistic(seen: Papers, labels: Sequence[str], test: Papers, shelf: Shelf) -> list[str]:
    from sklearn.linear_model import LogisticRegression

    known, unknown = shelf.words(Task(seen, (), test), "logistic")
    model = LogisticRegression(max_iter=300).fit(known, labels)
    return [str(guess) for guess in model.predict(unknown)]


def _svm(seen: Papers, labels: Sequence[str], test: Papers, shelf: Shelf) -> list[str]:
    from sklearn.svm import LinearSVC

    known, unknown = shelf.words(Task(seen, (), test), "sanity")
    return [str(guess) for guess in LinearSVC(C=0.1, random_state=0).fit(known, labels).predict(unknown)]


def _majority(seen: Papers, labels: Sequence[str], test: Papers, shelf: Shelf) -> list[str]:
    return [Counter(labels).most_common(1)[0][0]] * len(test)


ROUTERS: Mapping[str, Guess] = {"tfidf-logistic": _logistic, "tfidf-svm": _svm, "majority": _majority}


def _rows(
    guesses: Mapping[str, Sequence[str]], truth: Sequence[str], test: Papers, seconds: Mapping[str, float],
    setting: Setting,
) -> tuple[Row, ...]:  # fmt: skip
    names = sorted({*truth, *(guess for each in guesses.values() for guess in each)})
    days = sorted(set(test.days))
    weights = bootstrap.drawn(len(days), seed=setting.seed)
    counted = {name: _confusion(each, truth, test.days, names) for name, each in guesses.items()}
    drawn = {name: (_accuracy(table, weights), _macro_f1(table, weights)) for name, table in counted.items()}
    base = setting.baseline
    rows = []
    for name in guesses:
        accuracy, macro_f1 = (
            figure_of(mine, None if name == base else theirs)
            for mine, theirs in zip(drawn[name], drawn[base], strict=True)
        )
        rows.append(Row(name, accuracy, macro_f1, _by_category(counted[name].sum(axis=0), names), seconds[name]))
    return tuple(rows)


def _confusion(
    guesses: Sequence[str], truth: Sequence[str], days: Sequence[date], names: Sequence[str]
) -> NDArray[np.int64]:
    """[days, true, guessed]"""
    place = {name: number for number, name in enumerate(names)}
    day_of = {day: number for number, day in enumerate(sorted(set(days)))}
    found = np.zeros((len(day_of), len(names), len(names)), dtype=np.int64)
    for guess, true, day in zip(guesses, truth, days, strict=True):
        found[day_of[day], place[true], place[guess]] += 1
    return found


def _accuracy(confusion: NDArray[np.int64], weights: Doubles) -> Doubles:
    right: Doubles = weights @ np.trace(confusion, axis1=1, axis2=2)
    share: Doubles = right / (weights @ confusion.sum(axis=(1, 2)))
    return share


def _macro_f1(confusion: NDArray[np.int64], weights: Doubles) -> Doubles:
    """scikit-learn's: 2 · right / (true + guessed) of each category that occurs as either, and the mean of them."""
    right = weights @ np.diagonal(confusion, axis1=1, axis2=2)
    total = weights @ (confusion.sum(axis=1) + confusion.sum(axis=2))
    occurs = total > 0
    scores = np.where(occurs, 2 * right / np.maximum(total, 1), 0.0)
    found: Doubles = scores.sum(axis=1) / occurs.sum(axis=1)
    return found


def _by_category(
    confusion: NDArray[np.int64], names: Sequence[str]
) -> dict[str, tuple[int, float | None, float | None]]:
    found = {}
    for row, name in enumerate(names):
        right, true, guessed = confusion[row, row], int(confusion[row].sum()), int(confusion[:, row].sum())
        if name:
            found[name] = (true, float(right / guessed) if guessed else None, float(right / true) if true else None)
    return found


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
