"""What past digests could have shown, what they did show, with what probability, and what the reader said of it.

Rebuilt from arrivals, decisions, impressions and the weekly pages. An item's propensity is the probability with which it
came before the reader at all: by its digest, or else by the page of its week.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from scout import weekly
from scout.config import Settings
from scout.digest.build import window
from scout.digest.choose import is_ruled
from scout.digest.missed import REST, MissedPage
from scout.items import Aspect, Decision, Impression, Item, ItemId, Lane, Slot
from scout.store import Store
from scout.triage import risk


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that one digest considered."""

    item: Item
    day: date
    decision: Decision
    propensity: float
    chosen: bool
    """Whether the policy put it in the digest to be read; not chance, a wish for a thumb alone, nor the weekly page."""
    shown: bool
    up: bool | None
    """What the reader says of it now; None where it was not shown, or no thumb was given."""


class Log:
    """A reader's past, a day at a time."""

    def __init__(self, store: Store, settings: Settings, reader: str) -> None:
        self.store, self.settings, self.reader = store, settings, reader
        self.cutoffs = store.digests.cutoffs(reader)
        self.impressions: dict[ItemId, Impression] = {}
        """The first of each item."""
        for seen in store.digests.impressions(reader, missed=True):
            self.impressions.setdefault(seen.item_id, seen)
        pages = (weekly.find(store, reader=reader, week=week) for week in store.missed.weeks(reader))
        self.pages = [page for page in pages if page]
        thumbs = store.feedback.current(reader, list(self.impressions))
        self.thumbs = {
            id: word.value == "up"
            for id, words in thumbs.items()
            if (word := words.get(Aspect.THUMB)) and word.value in ("up", "down")
        }

    def candidates(self, day: date) -> list[Candidate]:
        """What the digest of `day` considered; empty where there was none."""
        if day not in self.cutoffs:
            return []
        arrived = self.store.items.arrived(
            self.store.digests.last_cutoff(self.reader, before=day), window(day, self.settings)[0],
            until_seq=self.cutoffs[day],
        )  # fmt: skip
        items = {stored.item.id: stored.item for stored in arrived}
        shown = [seen.item_id for seen in self.impressions.values() if seen.digest_date == day and not _is_missed(seen)]
        items |= self.store.items.many([id for id in shown if id not in items])
        decisions = self.store.decisions.of(self.reader, items)
        for id in weekly.doubles(self.store, self.reader, [id for id in decisions if id not in self.impressions]):
            del decisions[id]  # folded into its twin: it was no candidate
        page = next((page for page in self.pages if page.since <= day <= page.day), None)
        rate = self._explored(day)
        return [
            self._candidate(items[id], day, decision, rate, page)
            for id, decision in decisions.items()
            if not self._was_shown_before(id, day)
        ]

    def _candidate(self, item: Item, day: date, decision: Decision, rate: float, page: MissedPage | None) -> Candidate:
        seen = self.impressions.get(item.id)
        in_digest = seen is not None and not _is_missed(seen)
        lane = seen.lane if seen else decision.lane
        if seen is not None and in_digest and lane is not Lane.SKIP:
            propensity = seen.propensity
        elif lane is Lane.SKIP and not is_ruled(decision):
            by_page = _stratum_rate(page, item.id, decision.probability)
            of_digest = seen.propensity if seen is not None and in_digest else rate
            propensity = 1 - (1 - of_digest) * (1 - by_page)
        else:
            propensity = 0.0  # cut by a cap, or blocked
        return Candidate(
            item=item,
            day=day,
            decision=decision,
            propensity=propensity,
            chosen=in_digest and lane is not Lane.SKIP,
            shown=seen is not None and propensity > 0,
            up=self.thumbs.get(item.id) if seen else None,
        )

    def _explored(self, day: date) -> float:
        """With what probability chance showed each skipped item of that day."""
        rates = (
            seen.propensity
            for seen in self.impressions.values()
            if seen.digest_date == day and seen.lane is Lane.SKIP and seen.slot is Slot.DIGEST
        )
        return next(rates, 0.0)

    def _was_shown_before(self, id: ItemId, day: date) -> bool:
        seen = self.impressions.get(id)
        return seen is not None and not _is_missed(seen) and seen.digest_date < day


def told_of_skipped(store: Store, reader: str) -> str:
    """What the reader's thumbs on items that chance took from the skip lane say of all of it; "" while they are too few.

    Thumbs on the weekly page, which draws more from some parts of the lane, are `evals.missed`'s.
    """
    drawn = [
        seen.item_id
        for seen in store.digests.impressions(reader)
        if seen.lane is Lane.SKIP and seen.slot is Slot.DIGEST and seen.propensity < 1
    ]
    words = store.feedback.current(reader, drawn)
    thumbs = [word.value for id in dict.fromkeys(drawn) if (word := words.get(id, {}).get(Aspect.THUMB))]
    said = [value == "up" for value in thumbs if value in ("up", "down")]  # the rest was taken back
    return risk.told_of_skipped(sum(said), len(said))


def days_of(store: Store, reader: str) -> Mapping[ItemId, date]:
    """Item → the day on which it was first put before the reader."""
    found: dict[ItemId, date] = {}
    for seen in store.digests.impressions(reader, missed=True):
        found.setdefault(seen.item_id, seen.digest_date)
    return found


def _is_missed(seen: Impression) -> bool:
    return seen.slot is Slot.MISSED


def _stratum_rate(page: MissedPage | None, id: ItemId, probability: float) -> float:
    """With what probability that week's page showed it, had the digest not."""
    if page is None:
        return 0.0
    name = page.part_of.get(id)
    for stratum in page.strata:
        if stratum.name == name or (name is None and (probability >= stratum.at_least or stratum.name == REST)):
            return stratum.propensity
    return 0.0
