"""The stage that finds what belongs together: looks up who shares a key with a new item, and keeps the links that hold.

A bounded part of the archive is looked at in each run, the newest first, so that an old and large one is joined to the
rest over some days and no digest waits for it. What a link is, is `triage.threads`'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scout.clock import now
from scout.items import ItemId
from scout.progress import SILENT, Progress
from scout.store import Store
from scout.store.items import Stored
from scout.store.rows import batches
from scout.store.threads import LOOKED
from scout.triage.duplicates import print_of
from scout.triage.novelty import Rarity, words_of
from scout.triage.threads import COMMON, Known, author_keys, band_keys, cited, link, may_share, name_keys

PER_RUN = 2_000
"""Items that one run links."""
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
    """Find the links of items that have not been looked at; how many items that were."""
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
    """Killed anywhere it does the batch again: what was looked at is noted with the links themselves."""
    at = now()
    known = {each.seq: _known(each, rarity) for each in batch}
    keys = {
        seq: _Keys(band_keys(each.print), list(author_keys(each.item)), name_keys(each.item))
        for seq, each in known.items()
    }
    store.threads.save_keys({seq: mine.all for seq, mine in keys.items()})  # first, so that two of one batch meet
    sharing = store.threads.sharing((key for mine in keys.values() for key in mine.all), most=COMMON)
    newest = store.items.newest_seq()
    pairs = _pairs(keys, sharing, since=newest - LOOKED) | _citations(store, known)
    missing = {seq for pair in pairs for seq in pair} - known.keys()
    known |= {each.seq: _known(each, rarity) for each in store.threads.items(missing)}
    rare = frozenset(sharing)
    found = [
        link(known[one], known[other], rare=rare) for one, other in sorted(pairs) if one in known and other in known
    ]
    store.threads.save([each for each in found if each], keys, at)


def _known(stored: Stored, rarity: Rarity) -> Known:
    return Known(stored.item, stored.seq, print_of(stored.item), rarity.vector(words_of(stored.item)))


def _pairs(keys: dict[int, _Keys], sharing: dict[int, list[int]], *, since: int) -> set[tuple[int, int]]:
    """Pairs of seqs that share what may make a link: any band or name, or authors enough.

    A single shared author says little, and of five years there would be thirty papers for each new one: such pairs are looked
    at only where the other came after `since`, or is of the same batch.
    """
    authors = {seq: len(mine.authors) for seq, mine in keys.items()}
    found: set[tuple[int, int]] = set()
    for seq, mine in keys.items():
        others = {other for key in (*mine.bands, *mine.names) for other in sharing.get(key, ())}
        together = Counter(other for key in mine.authors for other in sharing.get(key, ()))
        others |= {
            other
            for other, count in together.items()
            if (count > 1 or other > since or other in keys)
            and may_share(count, max(authors[seq], authors.get(other, 0)))
        }
        found |= {(min(seq, other), max(seq, other)) for other in others if other != seq}
    return found


def _citations(store: Store, known: dict[int, Known]) -> set[tuple[int, int]]:
    named: dict[int, list[ItemId]] = {seq: cited(each.item) for seq, each in known.items()}
    rows = store.items.known_rows(_flat(named.values()))
    return {
        (min(seq, rows[id].seq), max(seq, rows[id].seq))
        for seq, ids in named.items()
        for id in ids
        if id in rows and rows[id].seq != seq
    }


def _flat(lists: Iterable[list[ItemId]]) -> list[ItemId]:
    return [each for found in lists for each in found]
