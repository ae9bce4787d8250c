"""Full-text search over items, ranked by BM25 with the title weighing most.

What a user types is words, never a query language: it is quoted before FTS5 sees it, so no input is a syntax error.

Ranking costs as much as there are matches. An unfiltered query that matches more than WINDOW items is ranked among the
newest of them; whoever wants an older one has more words for it. The end of a word is completed only where the words as typed find
too little, to the most common words of titles that begin so: FTS5's own way reads every place of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from scout.items import ItemKind
from scout.store.words import completions

if TYPE_CHECKING:
    from scout.store.items import Stored
    from scout.store.store import Store

MARK_START, MARK_END = "\x02", "\x03"
"""Around each match in a snippet: characters that no text holds, for a face to turn into its own emphasis."""

WINDOW = 2000


@dataclass(frozen=True, slots=True)
class Hit:
    stored: Stored
    snippet: str


MANY = 20_000
"""A source or subject with more items than that is looked up item by item; the items of a smaller one are listed first."""


def fts_query(text: str, *, last: Sequence[str] = ()) -> str:
    """User text as an FTS5 query: every word must occur, in any form of it; a part in double quotes is a phrase.

    With `last` one of these stands in the place of the last word. Returns "" where there is no word in the text.
    """
    parts = [phrase or word for phrase, word in re.findall(r'"([^"]*)"|([^\s"]+)', text)]
    terms = [term for part in parts if (term := " ".join(re.findall(r"\w+", part)))]
    quoted = [f'"{term}"' for term in terms]
    if quoted and last:
        quoted[-1] = "(" + " OR ".join(f'"{word}"' for word in last) + ")"
        return " AND ".join(quoted)
    return " ".join(quoted)


def search(
    store: Store, text: str, *, source: str | None, since: date | None, kind: ItemKind | None,
    subject: str | None, reader: str | None, limit: int, offset: int,
) -> list[Hit]:  # fmt: skip
    """The best matches first; a blank text finds nothing. `subject` is the subject that `reader`'s newest decision gave."""
    where, params = filters(store, source=source, since=since, kind=kind)
    if subject is not None:
        where.append("EXISTS (SELECT 1 FROM decisions d WHERE d.item_id = i.id AND d.reader = ? AND d.subject = ?)")
        params += [reader, subject]
    hits = _ranked(store, fts_query(text), where, params, limit=limit, offset=offset)
    if len(hits) < limit and not offset and not text.rstrip().endswith('"'):
        beginning = re.findall(r"\w+", text)[-1:]
        words = completions(store.db.conn, beginning[0]) if beginning else []
        seen = {hit.stored.seq for hit in hits}
        more = _ranked(store, fts_query(text, last=words), where, params, limit=limit, offset=0) if words else []
        hits += [hit for hit in more if hit.stored.seq not in seen][: limit - len(hits)]
    return hits


def filters(
    store: Store, *, source: str | None, since: date | None, kind: ItemKind | None
) -> tuple[list[str], list[Any]]:
    """Conditions on a row `i` of items, and the values that they bind."""
    where, params = list[str](), list[Any]()
    if source is not None:
        count = "SELECT count(*) FROM (SELECT 1 FROM item_sources WHERE source = ? LIMIT ?)"
        if store.value(count, source, MANY) < MANY:
            where.append("i.id IN (SELECT item_id FROM item_sources WHERE source = ?)")
        else:
            where.append("EXISTS (SELECT 1 FROM item_sources s WHERE s.item_id = i.id AND s.source = ?)")
        params.append(source)
    if since is not None:
        where.append("coalesce(i.published, i.first_seen) >= ?")
        params.append(since.isoformat())
    if kind is not None:
        where.append("+i.kind = ?")  # +: not by the index of kinds, since most items are of one
        params.append(kind)
    return where, params


def _ranked(store: Store, query: str, where: list[str], params: list[Any], *, limit: int, offset: int) -> list[Hit]:
    from scout.store.items import COLUMNS, stored_of

    if not query:
        return []
    oldest = 0
    if not where:  # a filter may leave few of many matches: then all are ranked
        sql = "SELECT rowid FROM items_fts WHERE items_fts MATCH ? ORDER BY rowid DESC LIMIT ?"
        matches = store.rows(sql, query, WINDOW)
        if not matches:  # ranking reads every place of every word before it finds that out
            return []
        oldest = matches[-1]["rowid"]
    columns = ", ".join(f"i.{name.strip()}" for name in COLUMNS.split(","))
    clause = "".join(f" AND {part}" for part in where)
    rows = store.rows(
        f"SELECT {columns}, snippet(items_fts, -1, char(2), char(3), '…', 24) AS snippet "
        "FROM items_fts CROSS JOIN items i ON i.seq = items_fts.rowid "
        f"WHERE items_fts MATCH ? AND items_fts.rowid >= ? AND items_fts.rank MATCH 'bm25(8.0, 1.0, 4.0)'{clause} "
        "ORDER BY items_fts.rank LIMIT ? OFFSET ?",
        query, oldest, *params, limit, offset,
    )  # fmt: skip
    return [Hit(stored_of(row), row["snippet"]) for row in rows]
