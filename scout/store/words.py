"""The words of titles and authors, with how many items have them: what the beginning of a word may be completed to.

FTS5 completes a beginning by reading every place of every word that begins so, which takes seconds in a large archive.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterable

from sqlite_utils import Database

LONGEST = 30
SHORTEST = 2
COMPLETIONS = 5
"""Words that a beginning is completed to at the most, the most common ones."""
_BATCH = 20_000


def words_of(text: str) -> set[str]:
    """Distinct words, folded as full-text search folds them: no capitals, no accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return {word for word in re.findall(r"[^\W_]+", plain) if SHORTEST <= len(word) <= LONGEST}


def count_words(connection: sqlite3.Connection, texts: Iterable[str]) -> None:
    """Count a title with its authors' names, one text an item, within the caller's transaction."""
    counted = Counter(word for text in texts for word in words_of(text))
    connection.executemany(
        "INSERT INTO words (word, items) VALUES (?, ?) ON CONFLICT(word) DO UPDATE SET items = items + excluded.items",
        sorted(counted.items()),
    )


def count_titles(db: Database) -> None:
    """Count all items that are stored, for a table that is new."""
    cursor = db.conn.execute("SELECT title || ' ' || author_names FROM items")
    while rows := cursor.fetchmany(_BATCH):
        count_words(db.conn, (row[0] for row in rows))


def completions(connection: sqlite3.Connection, beginning: str) -> list[str]:
    """The most common words that begin so, itself left out; none where the beginning is too short to say anything."""
    folded = words_of(beginning)
    if len(folded) != 1:
        return []
    (word,) = folded
    rows = connection.execute(
        "SELECT word FROM words WHERE word > ? AND word < ? ORDER BY items DESC, word LIMIT ?",
        (word, word + "\U0010ffff", COMPLETIONS),
    )
    return [row[0] for row in rows]
