"""Which items a model reads for a reader: chosen once a digest, written down, so that a later run goes on with the same ones."""

from __future__ import annotations

from scout.clock import now, today
from scout.config import Settings
from scout.digest.build import window
from scout.items import ItemId, Lane
from scout.store import Store
from scout.store.ledger import SHORTLIST, Key
from scout.triage import llm

_LANES = {Lane.READ: 0, Lane.UNSURE: 1, Lane.SKIP: 2}


def shortlist(store: Store, settings: Settings, reader: str, *, limit: int) -> list[ItemId]:
    """The items of the next digest that a model shall read, best first; chosen once, and filled up to `limit`."""
    after = store.digests.last_cutoff(reader, before=today(settings))
    arrived = [stored.item.id for stored in store.items.arrived(after, window(today(settings), settings)[0])]
    decisions = store.decisions.of(reader, arrived)
    key = Key(stage=SHORTLIST, reader=reader)
    chosen = store.ledger.done(key, arrived)
    hidden = store.feedback.hidden(reader)

    def place(id: ItemId) -> tuple[int, float, ItemId]:
        return _LANES[decisions[id].lane], -decisions[id].probability, id

    free = [
        id for id in decisions if id not in chosen and id not in hidden and not llm.is_blocked(decisions[id])
    ]  # fmt: skip
    added = sorted(free, key=place)[: max(0, limit - len(chosen))]
    store.ledger.mark(key, added, now())
    return sorted([*(id for id in chosen if id in decisions), *added], key=place)
