"""What a database says, without when and by which run it was said: two that ought to be the same are then equal."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from scout.store import Store

VOLATILE = {
    "first_seen", "changed_at", "seen_at", "made_at", "done_at", "at", "run", "started", "finished", "added_at", "created",
    "first_at", "last_at", "last_poll", "last_success", "next_poll", "outcome", "message", "last_request", "asked_at",
}  # fmt: skip
"""Columns that say when, or how the last poll went: one that is killed and done again is told `unchanged`."""
KEPT = {("readings", "outcome"), ("readings", "message"), ("attempts", "message")}
LOGS = {"polls", "runs", "hosts"}
"""What is written down of each run and poll: a killed run leaves one line more, as it should."""
_INNER = ("_sqlite_migrations", "sqlite_", "items_fts_", "_litestream")


def dump(path: Path) -> dict[str, list[str]]:
    """Table → its rows as text, sorted."""
    with Store(path) as store:
        tables = [
            row["name"] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        found = {}
        for table in tables:
            if table in LOGS or table.startswith(_INNER):
                continue
            rows = [_plain(table, row) for row in store.rows(f"SELECT * FROM {table}")]
            found[table] = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows)
        found["(found by searching)"] = [hit.stored.item.id for hit in store.items.search("model", limit=200)]
    return found


def _plain(table: str, row: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in row.items() if key not in VOLATILE or (table, key) in KEPT}
    if table == "items":
        plain["changed_at"] = row["changed_at"] > row["first_seen"]
    for key, value in plain.items():
        if isinstance(value, bytes):
            plain[key] = hashlib.sha256(value).hexdigest()
    if table == "sources":
        plain["state"] = re.sub(r'"(at|heard|polled)":"[^"]*"', "", str(plain["state"]))
    return plain


def differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """What stands in one and not in the other, a line each."""
    found = []
    for table in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(table, []), other.get(table, [])
        if mine != theirs:
            gone = [row for row in mine if row not in theirs]
            more = [row for row in theirs if row not in mine]
            found += [f"{table}: lost {row}" for row in gone] + [f"{table}: more {row}" for row in more]
            if not gone and not more:
                found.append(f"{table}: in another order or number ({len(mine)} and {len(theirs)})")
    return found
