"""What keeps a day's linking the same in a large archive: lists of keys, and a queue of what is to be linked; a migration like
those of `schema`.
"""

from __future__ import annotations

from sqlite_utils import Database

from scout.store.schema import _run, migrations


@migrations()
def m0020_keys(db: Database) -> None:
    """The keys that are there stay where new ones come; runs move them into the lists."""
    _run(
        db,
        "CREATE TABLE thread_lists (key INTEGER PRIMARY KEY, seqs BLOB NOT NULL)",  # see `scout.store.keys`
        "CREATE TABLE thread_todo (seq INTEGER PRIMARY KEY, changed_at TEXT NOT NULL)",  # whose links are to be looked for
        """
        INSERT INTO thread_todo SELECT i.seq, i.changed_at FROM items i LEFT JOIN thread_seen t ON t.seq = i.seq
        WHERE t.seq IS NULL OR i.changed_at > t.at
        """,
        "DROP TABLE thread_seen",
        """
        CREATE TRIGGER thread_todo_new AFTER INSERT ON items BEGIN
            INSERT INTO thread_todo (seq, changed_at) VALUES (new.seq, new.changed_at);
        END
        """,
        """
        CREATE TRIGGER thread_todo_changed AFTER UPDATE OF changed_at ON items WHEN new.changed_at IS NOT old.changed_at BEGIN
            INSERT OR REPLACE INTO thread_todo (seq, changed_at) VALUES (new.seq, new.changed_at);
        END
        """,
        """
        CREATE TRIGGER thread_todo_gone AFTER DELETE ON items BEGIN
            DELETE FROM thread_todo WHERE seq = old.seq;
        END
        """,
    )


@migrations()
def m0021_merging(db: Database) -> None:
    """The full-text index is merged after a run (`scout.store.merging`) and no longer amid writing an item."""
    _run(
        db,
        "INSERT INTO items_fts(items_fts, rank) VALUES ('automerge', 0)",
        "INSERT INTO items_fts(items_fts, rank) VALUES ('crisismerge', 64)",  # where for long no run came to merge
    )


__all__ = ["migrations"]
