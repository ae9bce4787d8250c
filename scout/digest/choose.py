"""Choose what a digest shows, in which order, and with what probability. Pure: the same input gives the same digest.

The read lane comes first, by subject, each subject capped; the unsure lane last. A few items of the skip lane are added
by chance (exploration), so that the policy can later be judged on what it would not have shown: their propensity is the
probability with which chance chose them. What a cap leaves out is counted, never silently dropped.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from scout.config import DigestSettings
from scout.items import OTHER, Decision, Item, Lane
from scout.triage import asking

RULE = "rule:"
"""How the features of the reader's own block and allow rules begin."""

_NO_DATE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    item: Item
    decision: Decision


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate that is shown."""

    item: Item
    decision: Decision
    propensity: float = 1.0
    position: int = 0
    """From 1, in the order of display."""
    asks: bool = False
    """Whether a thumb on it would teach most."""


@dataclass(frozen=True, slots=True)
class Chosen:
    blocks: Mapping[str, tuple[Choice, ...]]
    """By subject slug, in the order of display; no empty ones."""
    unsure: tuple[Choice, ...]
    counts: Mapping[str, int]

    def __iter__(self) -> Iterator[Choice]:
        for block in self.blocks.values():
            yield from block
        yield from self.unsure


def choose(
    candidates: Sequence[Candidate], *, limits: DigestSettings, subjects: Sequence[str], reader: str, day: date
) -> Chosen:
    """What the digest of `day` shows `reader` out of `candidates`.

    `subjects` are the slugs in the reader's order; a decision for any other subject goes under `other`, which is last.
    """
    lanes: dict[Lane, list[Candidate]] = {lane: [] for lane in Lane}
    for candidate in sorted(candidates, key=_likeliest_first):
        lanes[candidate.decision.lane].append(candidate)

    by_subject: dict[str, list[Choice]] = defaultdict(list)
    for candidate in lanes[Lane.READ]:
        by_subject[_subject(candidate, subjects)].append(Choice(candidate.item, candidate.decision))
    kept = {slug: block[: limits.per_subject] for slug, block in by_subject.items()}
    explored = explore(lanes[Lane.SKIP], slots=limits.explore, reader=reader, day=day)
    for choice in explored:
        kept.setdefault(_subject(choice, subjects), []).append(choice)
    unsure = [Choice(candidate.item, candidate.decision) for candidate in lanes[Lane.UNSURE][: limits.unsure]]

    position = iter(range(1, len(candidates) + 1))
    blocks = {slug: _numbered(kept[slug], position) for slug in (*subjects, OTHER) if slug in kept}
    last = _numbered(unsure, position)
    shown_read = sum(len(block) for block in kept.values()) - len(explored)
    return Chosen(
        blocks=blocks,
        unsure=last,
        counts={
            "read": len(lanes[Lane.READ]),
            "unsure": len(lanes[Lane.UNSURE]),
            "skipped": len(lanes[Lane.SKIP]),
            "shown": shown_read + len(explored) + len(last),
            "explored": len(explored),
            "read_left_out": len(lanes[Lane.READ]) - shown_read,
            "unsure_left_out": len(lanes[Lane.UNSURE]) - len(last),
        },
    )


def marked(chosen: Chosen, candidates: Sequence[Candidate], known: Sequence[Item], *, most: int) -> Chosen:
    """The same, with at most `most` entries marked as those where a thumb would teach most; see `triage.asking`.

    What is shown stays what it was, and so do the chances with which it is. `known` are items thumbed before.
    """
    open_to_learn = [(choice.item, choice.decision) for choice in chosen if not is_ruled(choice.decision)]
    inside = {choice.item.id for choice in chosen}
    others = [candidate.item for candidate in candidates if candidate.item.id not in inside]
    asked = set(asking.choose(open_to_learn, others, known, most=most))

    def mark(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        return tuple(replace(choice, asks=choice.item.id in asked) for choice in choices)

    blocks = {slug: mark(block) for slug, block in chosen.blocks.items()}
    return replace(chosen, blocks=blocks, unsure=mark(chosen.unsure), counts={**chosen.counts, "asked": len(asked)})


def explore(skipped: Iterable[Candidate], *, slots: int, reader: str, day: date) -> list[Choice]:
    """`slots` of `skipped` by chance, without replacement, every one as likely: propensity k/n.

    What the reader's own rules block is not up for chance. The draw is the same however often and in whatever order it
    is made: each item's lot is a hash of reader, day and item, and the smallest lots win.
    """
    eligible = [candidate for candidate in skipped if not is_ruled(candidate.decision)]
    winners = sorted(eligible, key=lambda candidate: _lot(reader, day, candidate.item.id))[:slots]
    return [Choice(winner.item, winner.decision, propensity=len(winners) / len(eligible)) for winner in winners]


def is_ruled(decision: Decision) -> bool:
    """Whether one of the reader's rules, and not the learned score, settled it."""
    return any(part.feature.startswith(RULE) for part in decision.why)


def _subject(candidate: Candidate | Choice, subjects: Sequence[str]) -> str:
    slug = candidate.decision.subject
    return slug if slug in subjects else OTHER


def _likeliest_first(candidate: Candidate) -> tuple[float, float, str]:
    newest = (candidate.item.published or _NO_DATE) - _NO_DATE
    return (-candidate.decision.probability, -newest.total_seconds(), candidate.item.id)


def _lot(reader: str, day: date, item_id: str) -> bytes:
    return hashlib.sha256(f"{day.isoformat()}\0{reader}\0{item_id}".encode("utf-8", "surrogatepass")).digest()


def _numbered(choices: Iterable[Choice], position: Iterator[int]) -> tuple[Choice, ...]:
    return tuple(replace(choice, position=next(position)) for choice in choices)
