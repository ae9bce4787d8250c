"""The stage that finds what belongs together: looks up who shares a key with a new item, and keeps the links that hold.

A bounded part of the archive is looked at in each run, the newest first, so that an old and large one is joined to the
rest over some days and no digest waits for it. What a link is, is `triage.threads`'.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scout.clock import now
from scout.items import ItemId
from scout.progress import SILENT, Progress
from scout.store import Store
from scout.store.items import Stored
from scout.store.keys import Seqs
from scout.store.rows import batches
from scout.triage.novelty import Rarity, words_of
from scout.triage.threads import COMMON, Known, link, may_be_same_hands, name_keys

PER_RUN = 2_000
"""Items that one run links."""
LOOKED = 20_000
"""The newest arrivals among which papers that share a single author are looked at: of a million there would be too many."""
BATCH = 500
SAMPLE = 1_500
"""The newest items, by which it is told how rare a word is."""
FEW = 200
"""Items below which an archive is too small to tell how rare a word is."""


@dataclass(frozen=True, slots=True)
class _Keys:
    bands: list[int]
    authors: list[int]
    names: list[int]

    @property
    def all(self) -> list[int]:
        return [*self.bands, *self.authors, *self.names]


def link_new(store: Store, *, progress: Progress = SILENT) -> int:
    """Find the links of items that were not looked at yet, or have another text since; how many items that were."""
    todo = store.threads.unseen(PER_RUN)
    if not todo:
        return 0
    progress.stage("threads", len(todo))
    rarity = Rarity([words_of(item) for item in store.items.recent(SAMPLE)], least=FEW)
    for batch in batches(todo, BATCH):
        _link_batch(store, batch, rarity)
        for _ in batch:
            progress.step()
    return len(todo)


def _link_batch(store: Store, batch: Sequence[Stored], rarity: Rarity) -> None:
    """Killed anywhere it does the batch again: that it was looked at is noted with the links themselves."""
    at = now()
    known = {each.seq: Known(each.item, each.seq, rarity) for each in batch}
    keys = {seq: _Keys(each.print.bands(), each.author_keys, name_keys(each.names)) for seq, each in known.items()}
    store.keys.save({seq: mine.all for seq, mine in keys.items()})  # first, so that two of one batch meet
    sharing = store.keys.sharing((key for mine in keys.values() for key in mine.all), most=COMMON)
    newest = store.items.newest_seq()
    pairs = _pairs(keys, sharing, since=newest - LOOKED) | _citations(store, known)
    missing = {seq for pair in pairs for seq in pair} - known.keys()
    known |= {each.seq: Known(each.item, each.seq, rarity) for each in store.threads.items(missing)}
    rare = frozenset(sharing)
    found = [
        link(known[one], known[other], rare=rare) for one, other in sorted(pairs) if one in known and other in known
    ]
    store.threads.save([each for each in found if each], batch, at)


def _pairs(keys: dict[int, _Keys], sharing: Mapping[int, Seqs], *, since: int) -> set[tuple[int, int]]:
    """Pairs of seqs that share what may make a link: any band or name, or authors enough.

    A single shared author says little, and of five years there would be thirty papers for each new one: such pairs are looked
    at only where the other came after `since`, or is of the same batch.
    """
    found = {
        (seq, other)
        for seq, mine in keys.items()
        for key in (*mine.bands, *mine.names)
        for other in sharing.get(key, ())
    }
    for seq, mine in keys.items():
        once, more, near = set[int](), set[int](), set[int]()
        for seqs in (sharing[key] for key in mine.authors if key in sharing):
            more |= once.intersection(seqs)
            once.update(seqs)
            near.update(seqs[bisect_right(seqs, since) :])
        found |= {(seq, other) for other in more}
        if may_be_same_hands(1, len(mine.authors)):
            near |= keys.keys() & once
            few = [other for other in near if other not in keys or may_be_same_hands(1, len(keys[other].authors))]
            found |= {(seq, other) for other in few}
    return {(min(pair), max(pair)) for pair in found if pair[0] != pair[1]}


def _citations(store: Store, known: dict[int, Known]) -> set[tuple[int, int]]:
    named = {seq: each.cited for seq, each in known.items()}
    rows = store.items.known_rows(_flat(named.values()))
    return {
        (min(seq, rows[id].seq), max(seq, rows[id].seq))
        for seq, ids in named.items()
        for id in ids
        if id in rows and rows[id].seq != seq
    }


def _flat(lists: Iterable[list[ItemId]]) -> list[ItemId]:
    return [each for found in lists for each in found]
