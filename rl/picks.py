"""Whether an adapter learns real thumbs: a reader's picks, forward in time, beside what plain methods make of the same ones.

Which papers are thumbs, which are watched during training and which are the test is drawn here, and so are the scores of the
policies an adapter is compared with. Training is `rl.thumbs`'; the picks measured are the only labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from evals import bootstrap, triage
from evals.papers import Papers
from evals.peers import PEERS, Shelf, Task
from evals.ranking import Ranked
from evals.stats import Interval
from rl import guesses
from rl.rewards import Label
from scout.items import Item
from scout.triage import recipes
from scout.triage.policy import Profile, Thumbed

YARDSTICK = "tfidf-logistic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is asked."""

    pick: str
    train_until: date
    """The first day that may be tested."""
    test_until: date | None = None
    labels: int = 400
    """Thumbs, half of them up."""
    watched: int = 100
    """Thumbs from before the test that training is watched by and never sees, half of them up."""
    tests: int = 300
    """Papers tested, half of them picks."""
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "pick": self.pick, "train_until": self.train_until.isoformat(),
            "test_until": self.test_until and self.test_until.isoformat(),
            "labels": self.labels, "watched": self.watched, "tests": self.tests, "seed": self.seed,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """The papers of a measurement; no two of its parts share one."""

    seen: Papers
    """All from before the test, labelled or not."""
    thumbs: tuple[Thumbed, ...]
    watched: tuple[Thumbed, ...]
    tests: tuple[Thumbed, ...]

    @property
    def asked(self) -> tuple[Item, ...]:
        return tuple(thumb.item for thumb in (*self.watched, *self.tests))


@dataclass(frozen=True, slots=True)
class Row:
    """How well one ranks the tests."""

    name: str
    auc: float | None
    interval: Interval | None
    """Days drawn anew."""
    against: Interval | None
    """Of its AUC less the yardstick's, on the same days."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name, "auc": self.auc,
            "interval": self.interval and [*self.interval],
            "against_yardstick": self.against and [*self.against],
        }  # fmt: skip


def drawn(papers: Papers, picked: frozenset[str], setting: Setting) -> Drawn:
    """
    Raises:
        ValueError: there are too few picks, or too few other papers, for what is asked.
    """
    seen, later = papers.between(None, setting.train_until), papers.between(setting.train_until, setting.test_until)
    draw = np.random.default_rng(setting.seed)
    known = _balanced(seen, picked, setting.labels + setting.watched, draw, f"before {setting.train_until}")
    tests = _balanced(later, picked, setting.tests, draw, f"from {setting.train_until} on")
    ups, downs = ([thumb for thumb in known if thumb.up is up] for up in (True, False))
    half = (setting.labels + 1) // 2
    train, watched = ups[:half] + downs[: setting.labels - half], ups[half:] + downs[setting.labels - half :]
    return Drawn(seen, *(tuple(sorted(part, key=lambda t: (t.at, t.item.id))) for part in (train, watched, tests)))


def _balanced(
    papers: Papers, picked: frozenset[str], count: int, draw: np.random.Generator, where: str
) -> list[Thumbed]:
    found = []
    for up, wanted in ((True, (count + 1) // 2), (False, count // 2)):
        kind = [item for item in papers.items if (item.id in picked) is up]
        if len(kind) < wanted:
            raise ValueError(
                f"{wanted} papers {'picked' if up else 'not picked'} {where} are asked for; there are {len(kind)}"
            )
        found += [_thumb(kind[place], up) for place in draw.permutation(len(kind))[:wanted].tolist()]
    return found


def _thumb(item: Item, up: bool) -> Thumbed:
    assert item.published is not None
    return Thumbed(item, up, (), item.published)


def labelled(thumbs: Sequence[Thumbed]) -> list[tuple[Item, Label]]:
    return [(thumb.item, Label(up=thumb.up, reasons=thumb.reasons)) for thumb in thumbs]


def profile() -> Profile:
    """The reader of the measure: the default subjects, and nothing chosen."""
    return Profile("measured", triage.SUBJECTS)


def estimates(found: Drawn, recipe: str, seed: int) -> Mapping[str, float]:
    """What the embedded policy says of each paper, by its id. Of a thumb, by a policy that was not taught that thumb."""

    def fit(thumbs: Sequence[Thumbed], items: Sequence[Item]) -> dict[str, float]:
        return embedded(recipe, found.seen, thumbs, items)

    return guesses.out_of_fold(found.thumbs, fit, seed=seed) | fit(found.thumbs, found.asked)


def guessed(
    found: Drawn, recipe: str, said: Mapping[str, float], count: int, *, seed: int
) -> tuple[tuple[Item, Label], ...]:
    """Guesses at unlabelled papers from before the test.

    Args:
        said: what `estimates` says.
    """
    known = {thumb.item.id for thumb in (*found.thumbs, *found.watched)}
    free = [item for item in found.seen.items if item.id not in known]
    thought = embedded(recipe, found.seen, found.thumbs, free)
    return guesses.spread(thought, said, free, found.thumbs, count, seed=seed)


def embedded(recipe: str, seen: Papers, thumbs: Sequence[Thumbed], items: Sequence[Item]) -> dict[str, float]:
    """Probabilities by a recipe fitted to these thumbs."""
    decisions = triage.fitted(recipe, "measured", seen, thumbs).decide(items)
    return {item.id: decision.probability for item, decision in zip(items, decisions, strict=True)}


def yardstick(found: Drawn) -> dict[str, float] | None:
    """Scores of the tests by TF-IDF with logistic regression on the same thumbs; None where scikit-learn is absent."""
    from evals.peers import available

    if YARDSTICK not in available([YARDSTICK])[0]:
        return None
    tests = Papers(tuple(t.item for t in found.tests), tuple(t.at.date() for t in found.tests))
    scores = PEERS[YARDSTICK].score(Task(found.seen, found.thumbs, tests), Shelf())
    return {item.id: float(score) for item, score in zip(tests.items, scores, strict=True)}


def rows(tests: Sequence[Thumbed], scored: Mapping[str, Mapping[str, float]], *, seed: int = 0) -> tuple[Row, ...]:
    """A row for each who scored the tests, the differences against `YARDSTICK` where it is among them."""
    days = [thumb.at.date() for thumb in tests]
    weights = bootstrap.drawn(len(set(days)), seed=seed)
    up = [thumb.up for thumb in tests]
    values = {}
    for name, scores in scored.items():
        ranked = Ranked.of([scores[thumb.item.id] for thumb in tests], up, days)
        values[name] = bootstrap.figures(ranked, probabilities=False)["auc"](weights)
    base = values.get(YARDSTICK)
    return tuple(
        Row(
            name,
            float(each[0]) if np.isfinite(each[0]) else None,
            bootstrap.interval(each),
            None if base is None or name == YARDSTICK else bootstrap.interval(each - base),
        )
        for name, each in values.items()
    )


def shortened(thumbs: Sequence[Thumbed], chars: int) -> tuple[Thumbed, ...]:
    """The same with less of each text."""
    return tuple(replace(thumb, item=replace(thumb.item, text=thumb.item.text[:chars])) for thumb in thumbs)


DEFAULT_RECIPE = recipes.DEFAULT
