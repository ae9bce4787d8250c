"""Thumbs as a reader would have given them: only on what a policy's digest showed, walking forward a day at a time.

Every morning the policy is fitted on the thumbs so far, decides on the day's papers, and a digest is chosen of them as scout
chooses it, exploration included; the reader then thumbs everything in it, up what they picked and down the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby

from evals.papers import Papers
from scout.config import DigestSettings
from scout.digest.choose import Candidate, choose
from scout.items import Item
from scout.progress import SILENT, Progress
from scout.triage.policy import Policy, Thumbed

Fit = Callable[[Papers, tuple[Thumbed, ...]], Policy]
"""The papers of earlier days and the thumbs on them in, a policy out."""


@dataclass(frozen=True, slots=True)
class Met:
    """One day of the walk."""

    day: date
    papers: int
    picks: int
    shown: int
    picks_shown: int


@dataclass(frozen=True, slots=True)
class Walk:
    thumbs: tuple[Thumbed, ...]
    days: tuple[Met, ...]


def walk(
    papers: Papers, picked: frozenset[str], fit: Fit, *, reader: str, subjects: Sequence[str], every: int = 1,
    progress: Progress = SILENT,
) -> Walk:  # fmt: skip
    """Walk through `papers`, fitting anew on every `every`-th day."""
    thumbs: list[Thumbed] = []
    met: list[Met] = []
    policy: Policy | None = None
    days = sorted(set(papers.days))
    progress.stage(f"{reader}, a day at a time", len(days))
    for number, (day, group) in enumerate(groupby(range(len(papers)), key=lambda row: papers.days[row])):
        today = [papers.items[row] for row in group]
        if policy is None or number % every == 0:
            policy = fit(papers.between(None, day), tuple(thumbs))
        shown = _shown(policy, today, reader=reader, day=day, subjects=subjects)
        at = datetime.combine(day, time(18), UTC)
        thumbs += [Thumbed(item, item.id in picked, (), at) for item in shown]
        met.append(
            Met(
                day,
                len(today),
                sum(item.id in picked for item in today),
                len(shown),
                sum(i.id in picked for i in shown),
            )
        )
        progress.step(day.isoformat())
    return Walk(tuple(thumbs), tuple(met))


def _shown(policy: Policy, today: Sequence[Item], *, reader: str, day: date, subjects: Sequence[str]) -> list[Item]:
    candidates = [Candidate(item, decision) for item, decision in zip(today, policy.decide(today), strict=True)]
    chosen = choose(candidates, limits=DigestSettings(), subjects=subjects, reader=reader, day=day)
    return [choice.item for choice in chosen]
