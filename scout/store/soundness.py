"""Whether a database file is sound: its pages, its indexes, its references, its full-text index. Reads only, says it in words."""

from __future__ import annotations

import re
import sqlite3

_MOST = 100
_NULL = re.compile(r"NULL value in (\w+)\.(\w+)")


def faults(connection: sqlite3.Connection, *, thorough: bool = False) -> list[str]:
    """What is wrong; empty where nothing is. `thorough` also compares every index with its table, the full-text one among them,
    which takes a while and wants a connection that may write.

    Raises:
        sqlite3.DatabaseError: it is too damaged to be asked.
    """
    pragma = "integrity_check" if thorough else "quick_check"
    said = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}({_MOST})")]
    found = [each for each in said if each != "ok" and not _is_imagined(connection, each)]
    found += [f"row {row[1]} of {row[0]} refers to nothing" for row in connection.execute("PRAGMA foreign_key_check")]
    return found + _search(connection, thorough=thorough)


def _search(connection: sqlite3.Connection, *, thorough: bool) -> list[str]:
    """Whether the full-text index holds what the items say: their number, or where `thorough` every word."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'items_fts'").fetchone():
        return []
    counted = "SELECT (SELECT count(*) FROM items_fts_docsize) = (SELECT count(*) FROM items)"
    fine = bool(connection.execute(counted).fetchone()[0])
    if fine and thorough:
        try:
            connection.execute("INSERT INTO items_fts(items_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError:
            fine = False
    return [] if fine else ["the full-text index does not match the items"]


def _is_imagined(connection: sqlite3.Connection, said: str) -> bool:
    """SQLite 3.40 takes columns of a table without rowids for NULL that are not; they are looked at themselves."""
    match = _NULL.fullmatch(said)
    if match is None:
        return False
    table, column = match.groups()
    return connection.execute(f'SELECT 1 FROM "{table}" WHERE typeof("{column}") = \'null\' LIMIT 1').fetchone() is None
