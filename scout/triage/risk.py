"""How low the line must lie for a promised share of what a reader would thumb up to stay above it, and how sure that is.

The k-th smallest score of n held-out thumbs up is a one-sided tolerance limit (Wilks 1941): it keeps at least `recall` of
the positives to come with the wanted confidence wherever P(Binomial(n, 1 - recall) >= k) >= confidence. Nothing is
assumed of the scores; the same as testing lines from low to high with exact binomial tests until one fails (Learn then
Test with fixed sequence, Angelopoulos et al. 2021, arXiv 2110.01052). It does assume that thumbs up to come are like the
ones held out. Pure; who asks and what becomes of the line is `lanes`' and `linear`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy import stats

from scout.triage.logistic import Doubles

CONFIDENCE = 0.95
ASSUMPTION = (
    "That stands on what you will thumb up being like them: where your interests or the field move, it can fail until new "
    "thumbs have come."
)
"""What a reader must know of a promise; it failed once in five measured, see docs/uncertainty.md."""
A_DAY = 0.5
"""At most this share of the thumbs up that a promise rests on may be of one day: a day's mood is one observation."""


_TELLING = 10


@dataclass(frozen=True, slots=True)
class Promise:
    """What can be promised of a line, or why nothing can."""

    recall: float
    confidence: float
    held_out: int
    """Thumbs up that were scored before they were known."""
    line: float | None
    """The score from which an item is shown; None where nothing can be promised."""
    crowded: bool = False
    """Whether too many of these thumbs are of one day."""

    @property
    def needed(self) -> int:
        return needed(self.recall, confidence=self.confidence)

    def sentence(self) -> str:
        """The promise in words and figures, or what it lacks."""
        share, sure = _percent(self.recall), _percent(self.confidence)
        if self.line is not None:
            return (
                f"With {sure} confidence, the read and unsure lanes hold at least {share} of what you would thumb up, "
                f"measured on {self.held_out} thumbs up that were held out. {ASSUMPTION}"
            )
        if self.crowded:
            return (
                f"No promise of {share} recall yet: most of the {self.held_out} thumbs up that were held out are of one "
                f"day. Thumb on other days too."
            )
        return (
            f"No promise of {share} recall yet: that takes {self.needed} thumbs up scored before they were given, and "
            f"there are {self.held_out}. Until then the lanes aim at their sizes a day."
        )


def needed(recall: float, *, confidence: float = CONFIDENCE) -> int:
    """Held-out thumbs up from which `recall` can be promised at all: 29 for 0.9 with 95% confidence."""
    return math.ceil(math.log1p(-confidence) / math.log(recall))


def line(scores: Doubles, recall: float, *, confidence: float = CONFIDENCE) -> float | None:
    """The highest of these scores of positives that keeps `recall` of those to come; None where they are too few.

    Raises:
        ValueError: recall or confidence is not between 0 and 1.
    """
    if not 0 < recall < 1 or not 0 < confidence < 1:
        raise ValueError(f"recall and confidence must lie between 0 and 1, not {recall} and {confidence}")
    count = len(scores)
    ranks = np.arange(1, count + 1)
    kept = ranks[stats.binom.sf(ranks - 1, count, 1 - recall) >= confidence]
    return float(np.sort(scores)[kept[-1] - 1]) if len(kept) else None


def promise(
    forward: Sequence[tuple[date | None, float, bool]], recall: float, *, confidence: float = CONFIDENCE
) -> Promise:
    """What held-out thumbs (day, score before it was known, up or down) allow to promise."""
    ups = [(day, score) for day, score, up in forward if up]
    crowded = len(ups) >= needed(recall, confidence=confidence) and _share_of_a_day(day for day, _ in ups) > A_DAY
    scores = np.array([score for _, score in ups], dtype=np.float64)
    found = None if crowded else line(scores, recall, confidence=confidence)
    return Promise(recall, confidence, len(ups), found, crowded)


def recall_bound(kept: int, positives: int, *, confidence: float = CONFIDENCE) -> float:
    """The lower bound of Clopper and Pearson (1934) for the share kept."""
    return float(stats.beta.ppf(1 - confidence, kept, positives - kept + 1)) if kept else 0.0


def missed_bound(ups: int, shown: int, *, confidence: float = CONFIDENCE) -> float:
    """The upper bound of Clopper and Pearson for the share of the skip lane that would be thumbed up.

    `shown` are items that chance took from it, every one as likely, and the reader judged; `ups` the thumbs up among them.
    """
    return float(stats.beta.ppf(confidence, ups + 1, shown - ups)) if ups < shown else 1.0


def told_of_skipped(ups: int, shown: int) -> str:
    """`missed_bound` in a sentence; "" below `_TELLING` items, of which nothing much can be said."""
    if shown < _TELLING:
        return ""
    return (
        f"Of {shown} skipped items that chance put into digests and you thumbed, you wanted {ups}: with {_percent(CONFIDENCE)} "
        f"confidence no more than {_percent(missed_bound(ups, shown))} of what is skipped is like that."
    )


def _share_of_a_day(days: Iterable[date | None]) -> float:
    counts: dict[date | None, int] = {}
    for day in days:
        counts[day] = counts.get(day, 0) + 1
    return max(counts.values(), default=0) / max(1, sum(counts.values()))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".rstrip("0").rstrip(".") + "%"
