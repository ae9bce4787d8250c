"""What share of what was skipped the reader would have wanted, from a stratified sample. Pure: counts in, estimate out.

The share is the strata's shares of thumbs up, each weighted by how many items it stands for. The interval is Zou and
Donner's (2008, MOVER) from Wilson's of each stratum, narrowed as a stratum is looked through. A drawn item without a thumb
is taken to be like the thumbed ones of its stratum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.stats import wilson_interval
from scout.digest.missed import MissedPage
from scout.items import ItemId

LEAST = 5
"""Thumbs in every stratum (or all that was drawn of it) before a share is told."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A stratum, and what the reader said of what was drawn of it."""

    pool: int
    drawn: int
    thumbed: int
    ups: int


@dataclass(frozen=True, slots=True)
class Share:
    """Of what was skipped, and wanted all the same."""

    share: float
    low: float
    high: float


def counted(page: MissedPage, thumbs: Mapping[ItemId, bool]) -> list[Sampled]:
    """The strata of a page, with thumbs (up or not) on its items."""
    of = {
        stratum.name: [up for id, up in thumbs.items() if page.part_of[id] == stratum.name] for stratum in page.strata
    }
    return [Sampled(each.pool, each.drawn, len(of[each.name]), sum(of[each.name])) for each in page.strata]


def share(strata: Sequence[Sampled]) -> Share | None:
    """None while too few are thumbed.

    Raises:
        ValueError: counts that cannot be.
    """
    for each in strata:
        if not 0 <= each.ups <= each.thumbed <= each.drawn <= each.pool:
            raise ValueError(f"{each}: ups, thumbed, drawn and pool must not fall in this order")
    whole = sum(each.pool for each in strata)
    if not whole or lacking(strata):
        return None
    value = below = above = 0.0
    for each in (each for each in strata if each.pool):
        weight, found = each.pool / whole, each.ups / each.thumbed
        low, high = wilson_interval(each.ups, each.thumbed)
        left = math.sqrt((each.pool - each.thumbed) / max(1, each.pool - 1))  # what is looked through holds no surprise
        value += weight * found
        below += (weight * left * (found - low)) ** 2
        above += (weight * left * (high - found)) ** 2
    return Share(value, max(0.0, value - math.sqrt(below)), min(1.0, value + math.sqrt(above)))


def lacking(strata: Sequence[Sampled]) -> int:
    """How many thumbs are lacking before a share can be told."""
    return sum(max(0, min(LEAST, each.drawn) - each.thumbed) for each in strata)


def sentence(strata: Sequence[Sampled]) -> str:
    """What the sample says, in a sentence or two."""
    drawn, thumbed, ups, pool = (
        sum(getattr(each, name) for each in strata) for name in ("drawn", "thumbed", "ups", "pool")
    )
    sampled = f"{drawn} of {pool:,} skipped items"
    if not thumbed:
        return f"These are {sampled}, drawn by chance. Thumb them, and this line says what you would have missed."
    of = f"Of {drawn} sampled" if thumbed == drawn else f"Of the {thumbed} you thumbed ({drawn} were sampled)"
    found = share(strata)
    if found is None:
        return f"{of} you wanted {ups}. {lacking(strata)} more thumbs, and this line says what share that stands for."
    return (
        f"{of} you wanted {ups}: an estimated {_percent(found.share)} ({_percent(found.low)} to {_percent(found.high)}) of the "
        f"{pool:,} skipped this week, that is {round(found.low * pool):,} to {round(found.high * pool):,} items."
    )


def _percent(figure: float) -> str:
    return f"{100 * figure:.1f}%" if 0 < figure < 0.0095 else f"{100 * figure:.0f}%"
