"""The only SQL. One file a noun; `Store` opens the database and hands each of them its connection."""

from scout.store.store import Store, StoreError

__all__ = ["Store", "StoreError"]
