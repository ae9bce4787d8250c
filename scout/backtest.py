"""What recipes would have foreseen of a reader's past, each fitted only on what was known before the days it is asked of.

The later two thirds of the thumbs are cut into a few blocks of whole days; for each block every recipe is fitted on the
thumbs, arrivals and community picks from before it, then asked about the block. The day of a thumb is the day on which its
item was put before the reader, else the day on which the thumb was given. Subjects and rules are those of today.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from scout import embedding, policies
from scout.config import Settings
from scout.digest.choose import Candidate as Choosable
from scout.digest.choose import choose
from scout.items import Item, ItemId
from scout.logged import Candidate, Log, days_of
from scout.progress import SILENT, Progress
from scout.readers import profile, thumbed
from scout.store import Store
from scout.triage.policy import Corpus, Policy, Profile, Targets, Thumbed
from scout.triage.recipes import RECIPES

BLOCKS = 4
WARM_UP = 1 / 3
"""Of the thumbs, so many only teach."""


@dataclass(frozen=True, slots=True)
class Dated:
    thumb: Thumbed
    day: date


@dataclass(frozen=True, slots=True)
class Block:
    """Days that are asked about with one fit of each recipe."""

    start: date
    until: date
    """Exclusive."""
    thumbs: tuple[Dated, ...]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A held-out thumb."""

    item_id: ItemId
    day: date
    up: bool
    probabilities: Mapping[str, float]
    """By recipe."""


@dataclass(frozen=True, slots=True)
class Slotted:
    """A candidate of a past digest, and which recipes would have shown it."""

    candidate: Candidate
    by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Backtest:
    thumbs: tuple[Foreseen, ...]
    slots: tuple[Slotted, ...]


def plan(store: Store, settings: Settings, reader: str, *, blocks: int = BLOCKS) -> tuple[Block, ...]:
    """The blocks that a reader's thumbs make: cheap, so that one can see whether it is worth fitting anything."""
    days = days_of(store, reader)
    dated = [
        Dated(thumb, days.get(thumb.item.id, thumb.at.date())) for thumb in profile(store, settings, reader).thumbs
    ]
    dated.sort(key=lambda one: (one.day, one.thumb.at))
    counts = sorted(Counter(one.day for one in dated).items())
    starts = _starts(counts, blocks)
    ends = [*starts[1:], counts[-1][0] + timedelta(days=1)] if starts else []
    return tuple(
        Block(start, end, tuple(one for one in dated if start <= one.day < end))
        for start, end in zip(starts, ends, strict=True)
    )


def _starts(counts: Sequence[tuple[date, int]], blocks: int) -> list[date]:
    """First days of blocks of about equally many thumbs. All thumbs on one day are one block, with nothing before it."""
    whole = sum(count for _, count in counts)
    if len(counts) < 2:
        return [day for day, _ in counts]
    size, passed, starts = whole * (1 - WARM_UP) / blocks, counts[0][1], list[date]()
    for day, count in counts[1:]:
        if passed >= WARM_UP * whole + len(starts) * size:
            starts.append(day)
        passed += count
    return starts[:blocks] or [counts[-1][0]]


def run(
    store: Store, settings: Settings, reader: str, blocks: Sequence[Block], recipes: Sequence[str], *,
    progress: Progress = SILENT,
) -> Backtest:  # fmt: skip
    """Ask every recipe about the thumbs and the digests of each block."""
    past = Past(store, settings, reader)
    thumbs: list[Foreseen] = []
    slots: list[Slotted] = []
    progress.stage(f"looking back for {reader}", len(blocks) * len(recipes))
    for block in blocks:
        considered = [past.log.candidates(day) for day in past.log.cutoffs if block.start <= day < block.until]
        fits = {}
        for name in recipes:
            fits[name] = past.fit(name, block.start)
            progress.step(name)
        thumbs += _foreseen(block, fits)
        for candidates in considered:
            slots += _slotted(past, candidates, fits)
    return Backtest(tuple(thumbs), tuple(slots))


def foreseen(
    store: Store, settings: Settings, reader: str, blocks: Sequence[Block], recipe: str, *, progress: Progress = SILENT,
) -> tuple[Foreseen, ...]:  # fmt: skip
    """What one recipe would have said of the thumbs of each block; its digests are left out."""
    past = Past(store, settings, reader)
    thumbs: list[Foreseen] = []
    progress.stage(f"looking back for {reader}", len(blocks))
    for block in blocks:
        thumbs += _foreseen(block, {recipe: past.fit(recipe, block.start)})
        progress.step(recipe)
    return tuple(thumbs)


def _foreseen(block: Block, fits: Mapping[str, Policy]) -> list[Foreseen]:
    items = [one.thumb.item for one in block.thumbs]
    told = {name: [decision.probability for decision in fit.decide(items)] for name, fit in fits.items()}
    return [
        Foreseen(one.thumb.item.id, one.day, one.thumb.up, {name: told[name][place] for name in told})
        for place, one in enumerate(block.thumbs)
    ]


def _slotted(past: Past, candidates: Sequence[Candidate], fits: Mapping[str, Policy]) -> list[Slotted]:
    items = [candidate.item for candidate in candidates]
    if not items:
        return []
    by: dict[ItemId, set[str]] = {item.id: set() for item in items}
    for name, fit in fits.items():
        pairs = [Choosable(item, decision) for item, decision in zip(items, fit.decide(items), strict=True)]
        chosen = choose(
            pairs, limits=past.limits, subjects=past.subjects, reader=past.profile.reader, day=candidates[0].day
        )
        for choice in chosen:
            by[choice.item.id].add(name)
    return [Slotted(candidate, frozenset(by[candidate.item.id])) for candidate in candidates]


class Past:
    """What was known of a reader on past days, for recipes to be fitted on."""

    def __init__(self, store: Store, settings: Settings, reader: str) -> None:
        self.store, self.settings = store, settings
        self.profile = profile(store, settings, reader)
        self.log = Log(store, settings, reader)
        self.limits = settings.digest.model_copy(update={"explore": 0})
        self.subjects = tuple(subject.slug for subject in settings.subject_list())
        self._days = days_of(store, reader)
        self._others = thumbed(store, store.feedback.others_thumbs(reader))

    def fit(self, recipe: str, day: date, *, thumbs: Sequence[Thumbed] | None = None) -> Policy:
        """The recipe as it would have been fitted on the morning of `day`, its arrivals there and no word on them yet.

        Args:
            thumbs: had these been all, of those from before the day.
        """
        known, corpus = self._profile(day, self.profile.thumbs if thumbs is None else thumbs), self.corpus(day)
        if not RECIPES[recipe].vectors:
            return RECIPES[recipe].fit(known, corpus, self._targets(day))
        model = embedding.model_of(self.store, self.settings)
        fit = RECIPES[recipe].fit(
            known, policies.with_vectors(self.store, known, corpus, model), self._targets(day)
        )  # fmt: skip
        return embedding.Seeing(fit, self.store)

    def _profile(self, day: date, thumbs: Sequence[Thumbed]) -> Profile:
        def is_past(id: ItemId, given: date) -> bool:
            return self._days.get(id, given) < day

        past = tuple(thumb for thumb in thumbs if is_past(thumb.item.id, thumb.at.date()))
        corrections = {id: slug for id, slug in self.profile.corrections.items() if is_past(id, date.min)}
        return replace(self.profile, thumbs=past, corrections=corrections)

    def corpus(self, day: date) -> Corpus:
        """What had arrived by then."""
        store = self.store
        arrived = [cutoff for one, cutoff in self.log.cutoffs.items() if one <= day]
        until = max(arrived, default=next(iter(self.log.cutoffs.values()), None))
        picks = store.signals.picks(since=day - timedelta(days=policies.PICK_DAYS), before=day)
        newest_picks = dict(list(picks.items())[-policies.PICKED_ITEMS :])
        items: dict[ItemId, Item] = {
            item.id: item for item in store.items.recent(policies.RECENT_ITEMS, until_seq=until)
        }
        older = store.items.many([id for id in newest_picks if id not in items])
        others = tuple(thumb for thumb in self._others if thumb.at.date() < day)
        return Corpus((*older.values(), *items.values()), newest_picks, others[-policies.OTHERS_THUMBS :])

    def _targets(self, day: date) -> Targets:
        """Today's wishes, with as many items a day as the digests up to then considered."""
        past = [one for one in self.log.cutoffs if one <= day][-5:] or list(self.log.cutoffs)[:1]
        counts = [
            snapshot["counts"].get("considered", 0)
            for one in past
            if (snapshot := self.store.digests.get(self.profile.reader, one)) is not None
        ]
        usual = [count for count in counts if count] or [self.settings.triage.read_per_day]
        wished = policies.targets_of(self.store, self.settings, self.profile.reader, day)
        return replace(wished, items_per_day=sum(usual) / len(usual))
