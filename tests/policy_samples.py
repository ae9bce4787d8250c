"""A reader with weeks of digests and thumbs, decided by recipes that are quick to fit: what they know is plain to see."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scout import pipeline, policies, weekly
from scout.config import Settings, load
from scout.items import Aspect, Decision, Feedback, Item, ItemId, ItemKind, Lane
from scout.store import Store
from scout.triage import recipes
from scout.triage.blob import BadBlob
from scout.triage.policy import Corpus, Profile, Targets
from scout.triage.recipes import Recipe
from scout.triage.vectors import NONE, Vectors

READER = "me"
FIRST = date(2025, 11, 3)
WORDS = ("verifier", "leaf", "protein", "market", "galaxy", "enzyme", "glacier", "pixel")
LIKED = WORDS[:2]


@dataclass
class Fits:
    """What each fit was told, for tests to look at."""

    seen: list[tuple[str, Profile, Corpus]] = field(default_factory=list)


class Counting:
    """Foresees by the share of thumbs up on the words of a title, or, where it is dull, by nothing at all."""

    sees = ""

    def __init__(self, recipe: str, reader: str, rates: dict[str, float], thumbs: int) -> None:
        self.recipe, self._reader, self._rates, self._thumbs = recipe, reader, rates, thumbs
        digest = hashlib.blake2b(self.to_bytes(), digest_size=6).hexdigest()
        self.version = f"{recipe}:{digest}"

    def to_bytes(self) -> bytes:
        return json.dumps([self.recipe, self._reader, self._rates, self._thumbs]).encode()

    def facts(self) -> dict[str, Any]:
        return {"thumbs": self._thumbs, "positives": 0, "thresholds": {"read": 0.3, "unsure": 0.2}}

    def decide(self, items: Sequence[Item], vectors: Vectors = NONE) -> list[Decision]:
        return [self._decide(item) for item in items]

    def _decide(self, item: Item) -> Decision:
        noise = int.from_bytes(hashlib.blake2b(item.id.encode(), digest_size=2).digest(), "big") / 65536
        rate = self._rates.get(item.title.split()[0].lower(), 0.1)
        probability = min(0.98, max(0.02, rate + 0.06 * (noise - 0.5)))
        place = noise if not self._rates else probability  # without a word on anything, it shows by lot
        lane = Lane.READ if place > 0.9 or (self._rates and probability > 0.3) else Lane.SKIP
        return Decision(item.id, self._reader, self.version, "other", {"other": 1.0}, round(probability, 6), lane)


def counting(name: str, fits: Fits, *, dull: bool) -> Recipe:
    def fit(profile: Profile, corpus: Corpus, targets: Targets) -> Counting:
        fits.seen.append((name, profile, corpus))
        rates: dict[str, float] = {}
        for word in () if dull else WORDS:
            said = [thumb.up for thumb in profile.thumbs if thumb.item.title.lower().startswith(word)]
            if said:
                rates[word] = (sum(said) + 0.5) / (len(said) + 1)
        return Counting(name, profile.reader, rates, len(profile.thumbs))

    def load_(weights: bytes, profile: Profile) -> Counting:
        try:
            recipe, reader, rates, thumbs = json.loads(weights)
        except ValueError as err:
            raise BadBlob(str(err)) from err
        return Counting(recipe, reader, rates, thumbs)

    return Recipe(name, fit, load_)


def two_recipes(monkeypatch: pytest.MonkeyPatch) -> Fits:
    """Two recipes, `dull-1`, which learns nothing and is the default, and `keen-1`."""
    made = Fits()
    monkeypatch.setitem(recipes.RECIPES, "dull-1", counting("dull-1", made, dull=True))
    monkeypatch.setitem(recipes.RECIPES, "keen-1", counting("keen-1", made, dull=False))
    default(monkeypatch, "dull-1")
    return made


def default(monkeypatch: pytest.MonkeyPatch, recipe: str) -> None:
    """What new readers start with from now on."""
    from scout.cli import policy_judging

    for module in (recipes, policies, policy_judging):
        monkeypatch.setattr(module, "DEFAULT", recipe)


def item(number: int, day: date) -> Item:
    word = WORDS[number % len(WORDS)]
    return Item(
        f"arxiv:{day:%y%m}.{day.day:02d}{number:03d}", ItemKind.PAPER, f"{word.title()} study {number}",
        f"https://arxiv.org/abs/{number}", f"A {word} is looked at. It is {word}.", "arxiv",
        published=datetime(day.year, day.month, day.day, 1, tzinfo=UTC),
    )  # fmt: skip


def is_liked(id: ItemId) -> bool:
    return WORDS[int(id[-3:]) % len(WORDS)] in LIKED


@contextmanager
def lived(
    monkeypatch: pytest.MonkeyPatch, *, days: int = 10, a_day: int = 80, thumbs: bool = True, always: bool | None = None,
    look: bool = False,
) -> Iterator[tuple[Store, Settings]]:  # fmt: skip
    """A store in which someone has read for some days: digests as the pipeline makes them, and a thumb on most of it.

    `always` gives every thumb that way; `look` opens the weekly page on Fridays and thumbs it too.
    """
    monkeypatch.setenv("SCOUT_DIGEST__EXPLORE", "6")
    monkeypatch.setenv("SCOUT_DIGEST__PER_SUBJECT", "30")
    settings, rng = load(), random.Random(0)
    with Store(settings.database) as store:
        store.readers.ensure(READER, moment(FIRST))
        for day in weekdays(days):
            monkeypatch.setenv("SCOUT_TODAY", day.isoformat())
            settings = load()
            store.items.add([item(number, day) for number in range(a_day)], moment(day))
            pipeline.triage(store, settings, READER)
            pipeline.digest(store, settings, READER)
            if look and day.weekday() == 4:
                weekly.page(store, settings, reader=READER, day=day)
            for seen in store.digests.impressions(READER, day=day, missed=True) if thumbs else ():
                if rng.random() < 0.9:
                    thumb(store, seen.item_id, day, up=is_liked(seen.item_id) if always is None else always)
        yield store, settings


@contextmanager
def weeks(folder: Path, **how: Any) -> Iterator[tuple[Store, Settings]]:
    """`lived`, as `how` says, in a folder of its own: once for the tests of a module, each of which copies it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCOUT_DATA_DIR", str(folder))
        patch.setenv("SCOUT_CONFIG", str(folder / "scout.toml"))
        two_recipes(patch)
        with lived(patch, **how) as lived_in:
            yield lived_in


@contextmanager
def copied(monkeypatch: pytest.MonkeyPatch, folder: Path, **values: str) -> Iterator[tuple[Store, Settings]]:
    """A store of a test's own, which begins as the one of `weeks` ended; settings by their names without `SCOUT_`."""
    for name, value in values.items():
        monkeypatch.setenv(f"SCOUT_{name}", value)
    settings = load()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "scout.db", settings.database)
    with Store(settings.database) as store:
        yield store, settings


def weekdays(count: int) -> list[date]:
    days = (FIRST + timedelta(days=number) for number in range(2 * count + 7))
    return [day for day in days if day.weekday() < 5][:count]


def moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 8, tzinfo=UTC)


def thumb(store: Store, id: ItemId, day: date, *, up: bool) -> None:
    store.feedback.add(Feedback(READER, id, Aspect.THUMB, "up" if up else "down", moment(day), origin="dashboard"))
