"""Items under suspicion of making the server fail, kept from run to run: who is, how often it was proven, when to give up.

An item is suspected when it was under way as the server went away, and blamed when it failed with nothing else under way.
Another text, prompt or model begins anew; an answer clears it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from scout.clock import now
from scout.items import Item
from scout.store import Store
from scout.store.attempts import Attempt
from scout.store.ledger import Key
from scout.store.summaries import text_hash

log = logging.getLogger("scout")

RUNS = 2
"""An item that was blamed in so many runs is given up on."""


class Suspects:
    def __init__(self, store: Store, key: Key, items: Sequence[Item], *, run: str | None) -> None:
        self._store, self._key, self._run = store, key, run
        known = store.attempts.of(key, [item.id for item in items])
        self._items = {i.id: i for i in items if i.id in known and known[i.id].text_hash == text_hash(i)}
        self._failures = {id: known[id].failures for id in self._items}

    def __contains__(self, id: object) -> bool:
        return id in self._items

    def __len__(self) -> int:
        return len(self._items)

    def in_turn(self) -> list[Item]:
        """The least suspect first, so that most are cleared before one does harm."""
        return sorted(self._items.values(), key=lambda item: self._failures[item.id])

    def suspect(self, item: Item, message: str) -> None:
        self._items[item.id] = item
        self._note(item, self._failures.setdefault(item.id, 0), message)

    def blame(self, item: Item, message: str) -> str:
        """Count a failure that was the item's own, at most one a run; why it is given up on, empty while it is not."""
        failures = self._failures[item.id] + 1
        log.warning("failed alone", extra={"item": item.id, "error": message})
        if failures >= RUNS:
            return f"given up on: in {failures} runs it failed with nothing else under way ({message})"
        self._note(item, failures, message)
        return ""

    def clear(self, item: Item) -> None:
        """It has its outcome; in the transaction that writes that down."""
        self._store.attempts.forget(self._key, item.id)
        self._items.pop(item.id, None)

    def _note(self, item: Item, failures: int, message: str) -> None:
        attempt = Attempt(item.id, text_hash(item), failures, message)
        self._store.attempts.note(self._key, attempt, now(), run=self._run)
