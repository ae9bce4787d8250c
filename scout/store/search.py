"""Full-text search over items, ranked by BM25 with the title weighing most.

What a user types is words, never a query language: it is quoted before FTS5 sees it, so no input is a syntax error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from scout.items import ItemKind

if TYPE_CHECKING:
    from scout.store.items import Stored
    from scout.store.store import Store

MARK_START, MARK_END = "\x02", "\x03"
"""Around each match in a snippet: characters that no text holds, for a face to turn into its own emphasis."""


@dataclass(frozen=True, slots=True)
class Hit:
    stored: Stored
    snippet: str


def fts_query(text: str) -> str:
    """User text as an FTS5 query: every word must occur, the last one also as the beginning of a word.

    A part in double quotes is a phrase. Returns "" where there is no word in it.
    """
    parts = [phrase or word for phrase, word in re.findall(r'"([^"]*)"|([^\s"]+)', text)]
    terms = [" ".join(re.findall(r"\w+", part)) for part in parts]
    quoted = [f'"{term}"' for term in terms if term]
    if quoted and not text.rstrip().endswith('"') and len(terms[-1]) > 2:
        quoted[-1] += "*"
    return " ".join(quoted)


def search(
    store: Store, text: str, *, source: str | None, since: date | None, kind: ItemKind | None,
    subject: str | None, reader: str | None, limit: int, offset: int,
) -> list[Hit]:  # fmt: skip
    """The best matches first. `subject` is the subject that `reader`'s newest decision gave.

    A blank text finds nothing. Ranking touches only the index; rows and snippets are read for the page alone.
    """
    from scout.store.items import COLUMNS, stored_of

    query = fts_query(text)
    if not query:
        return []
    where, params = list[str](), list[Any]([query])
    if source is not None:
        where.append("i.id IN (SELECT item_id FROM item_sources WHERE source = ?)")
        params.append(source)
    if since is not None:
        where.append("coalesce(i.published, i.first_seen) >= ?")
        params.append(since.isoformat())
    if kind is not None:
        where.append("i.kind = ?")
        params.append(kind)
    if subject is not None:
        where.append("i.id IN (SELECT item_id FROM decisions WHERE reader = ? AND subject = ?)")
        params += [reader, subject]
    join = "JOIN items i ON i.seq = items_fts.rowid" if where else ""
    clause = "".join(f" AND {part}" for part in where)
    ranked = store.rows(
        f"SELECT items_fts.rowid AS seq FROM items_fts {join} WHERE items_fts MATCH ?{clause} "  # noqa: S608
        "AND items_fts.rank MATCH 'bm25(8.0, 1.0, 4.0)' ORDER BY items_fts.rank LIMIT ? OFFSET ?",
        *params, limit, offset,
    )  # fmt: skip
    hits = []
    columns = ", ".join(f"i.{name.strip()}" for name in COLUMNS.split(","))
    for found in ranked:
        row = store.rows(
            f"SELECT {columns}, snippet(items_fts, -1, char(2), char(3), '…', 24) AS snippet "  # noqa: S608
            "FROM items_fts JOIN items i ON i.seq = items_fts.rowid WHERE items_fts MATCH ? AND items_fts.rowid = ?",
            query, found["seq"],
        )[0]  # fmt: skip
        hits.append(Hit(stored_of(row), row["snippet"]))
    return hits
