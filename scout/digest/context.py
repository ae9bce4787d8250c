"""What is to be said of items beside themselves: where the same text also stands, what they are to what the reader has
read, how they changed. Looks into the store; what a link or a relation is, is triage's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from scout.digest.choose import Candidate
from scout.items import Aspect, Item, ItemId, ItemKind, Lane
from scout.links import UNRELATED, Link, LinkKind, Place, Relation
from scout.store import Store
from scout.triage.changes import change, note
from scout.triage.novelty import Nearness, Shelf, words_of
from scout.triage.relation import READ, relation

SHELF = 200
"""The newest items that a reader was shown: what an item may tell again."""
THUMBS = 1_000
"""The newest thumbs that are looked at; of a hundred thousand it would take a second."""
FEWEST = 30
"""Distinct words below which an item says too little to be called a repeat for its words."""
_LANES = {Lane.READ: 0, Lane.UNSURE: 1, Lane.SKIP: 2}


@dataclass(frozen=True, slots=True)
class Folded:
    """Candidates of which each text is there once."""

    kept: list[Candidate]
    also: Mapping[ItemId, tuple[Place, ...]]
    count: int
    """How many were left out: another of the same text is shown, or was."""


@dataclass(frozen=True, slots=True)
class Context:
    also: tuple[Place, ...] = ()
    relation: Relation = UNRELATED
    changed: str = ""
    """What its newest version changed, in a line; empty where there is one version."""


@dataclass(frozen=True, slots=True)
class Step:
    """An item of a thread, with the link by which it came in."""

    item: Item
    first_seen: datetime
    link: Link

    @property
    def day(self) -> date:
        return (self.item.published or self.first_seen).date()


def fold(store: Store, reader: str, candidates: Sequence[Candidate]) -> Folded:
    """One candidate for each text, of the better lane, a paper before a post; none whose text the reader was shown.

    Nothing is deleted: what is left out is named with the one that stays, and found by searching.
    """
    links = store.threads.links([candidate.item.id for candidate in candidates])
    same = {id: [_end(link, id) for link in found if link.kind is LinkKind.DUPLICATE] for id, found in links.items()}
    same = {id: others for id, others in same.items() if others}
    others = {other for found in same.values() for other in found}
    shown = store.digests.shown(reader, others) | (store.feedback.hidden(reader) & others)
    taken: set[ItemId] = set()
    kept: list[ItemId] = []
    for candidate in sorted(candidates, key=_first):
        id = candidate.item.id
        if any(other in shown or other in taken for other in same.get(id, ())):
            continue
        taken.add(id)
        kept.append(id)
    places = store.items.many(others)
    also = {
        id: tuple(_place(places[other]) for other in sorted(same[id]) if other in places) for id in kept if id in same
    }
    left = [candidate for candidate in candidates if candidate.item.id in taken]
    return Folded(left, also, len(candidates) - len(left))


def contexts(
    store: Store, reader: str, items: Sequence[Item], also: Mapping[ItemId, tuple[Place, ...]]
) -> dict[ItemId, Context]:
    """What is to be said of each of these items."""
    ids = [item.id for item in items]
    links = store.threads.links(ids)
    read = known(
        store, reader, {end for found in links.values() for link in found for end in (link.later, link.earlier)}
    )
    lately = store.items.many([id for id in list(read)[-SHELF:] if id not in ids])
    shelf = Shelf([item for item in lately.values() if len(words_of(item)) >= FEWEST])
    near = {item.id: shelf.nearness(item) for item in items if len(words_of(item)) >= FEWEST}
    named = {end for found in links.values() for link in found for end in (link.later, link.earlier) if end in read}
    titles = {id: item.title for id, item in (lately | store.items.many(named - lately.keys())).items()}
    return {
        item.id: Context(
            also.get(item.id, ()),
            relation(item.id, links.get(item.id, ()), read, near.get(item.id, Nearness()), titles),
            changed(store, item),
        )
        for item in items
    }


def about(store: Store, reader: str, item: Item) -> Context:
    """The same of one item, whether or not it was in a digest."""
    links = store.threads.links([item.id]).get(item.id, [])
    same = store.items.many([_end(link, item.id) for link in links if link.kind is LinkKind.DUPLICATE])
    return contexts(store, reader, [item], {item.id: tuple(_place(same[id]) for id in sorted(same))})[item.id]


def thread(store: Store, id: ItemId) -> list[Step]:
    """What belongs together with an item, the oldest first, itself left out; empty where nothing does."""
    links = store.threads.thread(id)
    rows = store.items.known_rows({end for link in links for end in (link.later, link.earlier)} - {id})
    steps = [
        Step(stored.item, stored.first_seen, next(link for link in links if other in (link.later, link.earlier)))
        for other, stored in rows.items()
    ]
    return sorted(steps, key=lambda step: (step.item.published or step.first_seen, step.item.id))


def known(store: Store, reader: str, linked: Collection[ItemId] = ()) -> dict[ItemId, str]:
    """What the reader was shown or spoke of, the oldest first → what became of it; of thumbs the newest, and those on `linked`."""
    liked, saved, disliked, shown = READ
    said, newest = store.feedback.current(reader, linked), store.feedback.newest_thumbs(reader, THUMBS)
    thumbs = [word for words in said.values() if (word := words.get(Aspect.THUMB)) and word.value in ("up", "down")]
    read = dict.fromkeys([word.item_id for word in thumbs], shown)  # first: they may be old
    read |= {impression.item_id: shown for impression in store.digests.impressions(reader)}
    read |= {word.item_id: liked if word.value == "up" else disliked for word in [*thumbs, *newest]}
    return read | {word.item_id: saved for word in store.feedback.saved(reader) if read.get(word.item_id) != liked}


def changed(store: Store, item: Item) -> str:
    """What the newest version of an item changed, in a line; empty where it has no earlier one."""
    past = store.items.versions(item.id)
    return note(change(past[-1].title, past[-1].text, item.title, item.text)) if past else ""


def _first(candidate: Candidate) -> tuple[int, bool, float, ItemId]:
    item, decision = candidate.item, candidate.decision
    return _LANES[decision.lane], item.kind is not ItemKind.PAPER, -decision.probability, item.id


def _end(link: Link, id: ItemId) -> ItemId:
    return link.earlier if link.later == id else link.later


def _place(item: Item) -> Place:
    return Place(item.id, item.title, item.url, item.source)
