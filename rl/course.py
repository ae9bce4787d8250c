"""What a reader's thumbs make of a training run: which teach, which watch, which judge, and whether it is worth beginning.

    older thumbs ─► learn (four fifths) · watched during training (a fifth)      newer thumbs ─► never seen: the gate's

No torch: this is looked at before anything heavy is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from evals import gate
from rl.rewards import Label
from scout.config import Settings
from scout.items import Item
from scout.logged import days_of
from scout.readers import profile
from scout.store import Store
from scout.triage.policy import Profile, Thumbed

WATCHED = 5
"""Of the older thumbs of each kind every fifth watches."""
BATCH = 10
"""Thumbs a step, by kto."""
LEAST_OF_A_KIND = 8
"""Thumbs up, and down, to learn from."""


@dataclass(frozen=True, slots=True)
class Course:
    profile: Profile
    learn: tuple[Thumbed, ...]
    watched: tuple[Thumbed, ...]
    held_out: tuple[Thumbed, ...]
    since: date | None
    """The first day of those held out; None where there is none."""
    held_out_days: int
    missing: str
    """Why nothing should be trained; empty where it may be."""
    guesses: tuple[tuple[Item, Label], ...] = ()
    """Learned beside the thumbs (`rl.guesses`)."""

    def facts(self) -> dict[str, Any]:
        return {
            **{
                name: {"thumbs": len(part), "up": sum(one.up for one in part)}
                for name, part in (("learn", self.learn), ("watched", self.watched), ("held_out", self.held_out))
            },
            "held_out_since": self.since and self.since.isoformat(), "held_out_days": self.held_out_days,
            "missing": self.missing, "guesses": len(self.guesses),
        }  # fmt: skip

    def fingerprint(self, settings: Settings) -> str:
        """Changes when anything that an adapter is made of does."""
        about = (
            [(one.item.id, one.item.version, one.up, one.reasons) for one in (*self.learn, *self.watched)],
            settings.train.model_dump(
                exclude={"suites", "suite_items", "suite_epochs", "parity_days", "parity_tokens"}
            ),
            [(subject.slug, subject.name, subject.description) for subject in self.profile.subjects],
        )
        return hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=12).hexdigest()


def course(store: Store, settings: Settings, reader: str) -> Course:
    """The reader's thumbs, by the day on which their item was put before them, cut between whole days."""
    known, days = profile(store, settings, reader), days_of(store, reader)
    dated = sorted(
        ((days.get(one.item.id, one.at.date()), one.at, one) for one in known.thumbs if one.item.title),
        key=lambda each: each[:2],
    )
    since = first_held_out([day for day, _, _ in dated], settings.train.held_out)
    older = [one for day, _, one in dated if since is None or day < since]
    newer = [one for day, _, one in dated if since is not None and day >= since]
    watched = {
        one.item.id for up in (True, False) for one in [each for each in older if each.up is up][WATCHED - 1 :: WATCHED]
    }
    learn = tuple(one for one in older if one.item.id not in watched)
    watching = tuple(one for one in older if one.item.id in watched)
    count = len({day for day, _, _ in dated if since is not None and day >= since})
    return Course(known, learn, watching, tuple(newer), since, count, _missing(learn, newer, count, settings))


def first_held_out(days: Sequence[date], share: float) -> date | None:
    """The day from which on at least that share of the thumbs is held out; None where all are of one day."""
    counts, passed = sorted(Counter(days).items(), reverse=True), 0
    for day, count in counts[:-1]:
        passed += count
        if passed >= share * len(days):
            return day
    return counts[-2][0] if len(counts) > 1 else None


def _missing(learn: Sequence[Thumbed], held_out: Sequence[Thumbed], days: int, settings: Settings) -> str:
    least, ups = settings.train.least_thumbs, sum(one.up for one in learn)
    if len(learn) < least:
        return f"{len(learn)} thumbs to learn from, where train.least_thumbs asks for {least}"
    rarer, kind = min((ups, "up"), (len(learn) - ups, "down"))
    if rarer < LEAST_OF_A_KIND:
        return f"{rarer} thumbs {kind} to learn from, where {LEAST_OF_A_KIND} are needed"
    short = gate.shortfall(len(held_out), sum(one.up for one in held_out), days)
    return f"no adapter could be judged yet: {short}" if short else ""
