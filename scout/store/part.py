"""What each noun's part of the store has: the store it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scout.store.store import Store


class Part:
    def __init__(self, store: Store) -> None:
        self.store = store
