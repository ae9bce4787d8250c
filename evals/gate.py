"""May a new policy serve a reader? Two policies' probabilities on the same held-out thumbs in, a verdict with evidence out.

Pure. The caller sees to it that both probabilities are from before the thumb: of fits that saw only earlier days. The
challenger passes when its log-loss is lower by more than chance (paired, by days: thumbs of one day go together) and its
ranking (AUC) is not worse by more than chance. With too few thumbs nothing is decided, and the verdict says what is missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from evals.ranking import Bools, Doubles, auc
from evals.stats import Difference, needed_items, paired_difference

LEAST_THUMBS, LEAST_OF_A_KIND, LEAST_DAYS = 60, 12, 6
"""Held-out thumbs, those of the rarer kind, and days with any, below which nothing is decided."""
ALPHA = 0.05
WEEKLY_ALPHA = 0.01
"""For a challenge that is repeated on its own: who asks every week is let through by chance more often."""
CLOSEST = 0.001
"""Probabilities are kept so far from 0 and 1, so that no single thumb decides."""
DRAWS = 2_000
_SIGNIFICANT = 6


@dataclass(frozen=True, slots=True)
class Held:
    """A held-out thumb and what both foresaw."""

    day: date
    up: bool
    champion: float
    challenger: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure of both; `better` is how much better the challenger is, whichever way the measure goes."""

    champion: float
    challenger: float
    better: float
    low: float
    high: float
    p: float

    def to_dict(self) -> dict[str, float | None]:
        return {
            name: round(figure, _SIGNIFICANT) if math.isfinite(figure) else None
            for name in ("champion", "challenger", "better", "low", "high", "p")
            if (figure := getattr(self, name)) is not None
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    passed: bool
    decided: bool
    """False where there was too little to decide on."""
    reason: str
    """In a sentence for whoever asked."""
    thumbs: int
    ups: int
    days: int
    alpha: float
    log_loss: Compared | None = None
    auc: Compared | None = None
    needed: int | None = None
    """Thumbs that would show a difference of this size four times in five; None where it is the wrong way or shown."""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The evidence as it is kept with a promotion."""
        return {
            "passed": self.passed, "decided": self.decided, "reason": self.reason, "thumbs": self.thumbs,
            "ups": self.ups, "days": self.days, "alpha": self.alpha,
            "log_loss": self.log_loss and self.log_loss.to_dict(), "auc": self.auc and self.auc.to_dict(),
            "needed": self.needed, "notes": list(self.notes),
        }  # fmt: skip


def judge(held: Sequence[Held], *, alpha: float = ALPHA, seed: int = 0) -> Verdict:
    """The verdict on a challenger.

    Raises:
        ValueError: a probability is none.
    """
    for each in held:
        if not (0 <= each.champion <= 1 and 0 <= each.challenger <= 1):
            raise ValueError(f"a thumb of {each.day} has {each.champion} and {each.challenger} for probabilities")
    thumbs, ups, days = len(held), sum(each.up for each in held), len({each.day for each in held})
    if missing := shortfall(thumbs, ups, days):
        return Verdict(False, False, f"nothing is decided: {missing}", thumbs, ups, days, alpha)
    labels = np.array([each.up for each in held], dtype=np.bool_)
    ours = np.array([each.champion for each in held])
    theirs = np.array([each.challenger for each in held])
    clusters = [each.day for each in held]
    loss = paired_difference(_log_loss(ours, labels).tolist(), _log_loss(theirs, labels).tolist(), clusters)
    losses = Compared(
        float(_log_loss(ours, labels).mean()),
        float(_log_loss(theirs, labels).mean()),
        loss.mean,
        loss.low,
        loss.high,
        loss.p,
    )
    ranks = _auc_difference(ours, theirs, labels, clusters, seed)
    passed, reason = _decide(losses, ranks, alpha)
    return Verdict(
        passed,
        True,
        reason,
        thumbs,
        ups,
        days,
        alpha,
        losses,
        ranks,
        None if passed else _needed(loss, alpha),
        _notes(held),
    )


def shortfall(thumbs: int, ups: int, days: int) -> str:
    """What there is too little of, or "" for nothing."""
    if not thumbs:
        return "no thumb is held out; give some over the coming days"
    rarer, kind = min((ups, "up"), (thumbs - ups, "down"))
    if not rarer:
        return f"all {thumbs} held-out thumbs are {'down' if kind == 'up' else 'up'}, and one kind alone cannot tell two policies apart"
    if days == 1:
        return f"all {thumbs} held-out thumbs are of one day, and {LEAST_DAYS} days are needed to tell luck from skill"
    said = []
    if thumbs < LEAST_THUMBS:
        said.append(f"{thumbs} held-out thumbs where {LEAST_THUMBS} are needed")
    if rarer < LEAST_OF_A_KIND:
        said.append(f"{rarer} thumbs {kind} where {LEAST_OF_A_KIND} are needed")
    if days < LEAST_DAYS:
        said.append(f"{days} days where {LEAST_DAYS} are needed")
    return ", ".join(said)


def _log_loss(probabilities: Doubles, labels: Bools) -> Doubles:
    """Per thumb, in nats."""
    kept = np.clip(probabilities, CLOSEST, 1 - CLOSEST)
    losses: Doubles = -np.log(np.where(labels, kept, 1 - kept))
    return losses


def _auc_difference(ours: Doubles, theirs: Doubles, labels: Bools, clusters: Sequence[date], seed: int) -> Compared:
    """Interval and p by bootstrap over whole days; draws with one kind of thumb alone are drawn again."""
    days = sorted(set(clusters))
    of_day = [np.flatnonzero(np.array([each == day for each in clusters])) for day in days]
    rng, apart = np.random.default_rng(seed), list[float]()
    while len(apart) < DRAWS:
        rows = np.concatenate([of_day[place] for place in rng.integers(0, len(days), len(days))])
        a, b = auc(theirs[rows], labels[rows]), auc(ours[rows], labels[rows])
        if a is not None and b is not None:
            apart.append(a - b)
    drawn = np.array(apart)
    low, high = np.quantile(drawn, [0.025, 0.975])
    beyond = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    champion, challenger = auc(ours, labels) or 0.0, auc(theirs, labels) or 0.0  # never None: both kinds are there
    return Compared(
        champion, challenger, challenger - champion, float(low), float(high), min(1.0, 2 * (beyond + 1) / (DRAWS + 1))
    )


def _decide(losses: Compared, ranks: Compared, alpha: float) -> tuple[bool, str]:
    told = f"log-loss {losses.champion:.3f} → {losses.challenger:.3f} (p {losses.p:.2g}), AUC {ranks.champion:.3f} → {ranks.challenger:.3f}"
    if losses.better <= 0:
        return False, f"the challenger foresees these thumbs no better: {told}"
    if losses.p >= alpha:
        return False, f"the challenger may be better by chance alone: {told}; p must be below {alpha:g}"
    if ranks.high < 0:
        return False, f"the challenger's probabilities fit better, but it ranks worse: {told}"
    return True, f"the challenger foresees these thumbs better: {told}"


def _needed(loss: Difference, alpha: float) -> int | None:
    if loss.mean <= 0 or not math.isfinite(loss.se):
        return None
    return needed_items(loss.mean, loss.se**2 * loss.n, alpha=alpha)


def _notes(held: Sequence[Held]) -> tuple[str, ...]:
    said = []
    counts: dict[date, int] = {}
    for each in held:
        counts[each.day] = counts.get(each.day, 0) + 1
    day = max(counts, key=lambda one: counts[one])
    if counts[day] > len(held) / 2:
        said.append(f"{counts[day]} of {len(held)} held-out thumbs are of {day}: the interval is wide for it")
    return tuple(said)
