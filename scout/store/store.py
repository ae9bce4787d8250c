"""Open the database, keep it at the newest schema, and hand each noun its part.

A `Store` belongs to the thread that opened it; opening is cheap, so every thread and page opens its own. Writers take
the write lock at once (`writing()`), because a read transaction that turns into a write fails where another committed
in between. No transaction is ever held across a network or model call.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout
from sqlite_utils import Database

from scout.store.adapters import Adapters
from scout.store.archive import Archive
from scout.store.attempts import Attempts
from scout.store.copying import UpgradeFailed, upgrade
from scout.store.decisions import Decisions
from scout.store.deliveries import Deliveries
from scout.store.digests import Digests
from scout.store.evals import Evals
from scout.store.feedback import FeedbackLog
from scout.store.harvests import Harvests
from scout.store.hosts import Hosts
from scout.store.items import Items
from scout.store.jobs import Jobs
from scout.store.keys import Keys
from scout.store.ledger import Ledger
from scout.store.measures import Measures
from scout.store.migrations import migrations
from scout.store.missed import MissedPages
from scout.store.policies import Policies
from scout.store.promotions import Promotions
from scout.store.readers import Readers
from scout.store.readings import Readings
from scout.store.releases import Releases
from scout.store.research import Researches
from scout.store.runs import Runs
from scout.store.signals import Signals
from scout.store.soundness import faults
from scout.store.sources import Sources
from scout.store.stats import stats
from scout.store.summaries import Summaries
from scout.store.threads import Threads
from scout.store.training import Training
from scout.store.vectors import Vectors

BUSY_SECONDS = 10.0
LOG_BYTES = 64 << 20
"""What one large transaction made of the write-ahead log is cut back to this when it is next begun anew."""
PAGE_BYTES = 8192
"""An item's row is two to three thousand bytes: of the usual 4,096 a page would waste a tenth."""

CACHE_KB = 16_000
"""Pages kept in memory while a connection is open: with the usual 2,000 a day's writing in a large archive goes out before it is
whole, and again."""


class StoreError(Exception):
    """The database cannot be used now; the message says why and what to do."""


class Store:
    """The database at `path`.

    Raises:
        StoreError: it is absent and `create` is false, locked by another process, full, damaged or made by a newer scout.
    """

    def __init__(
        self, path: Path, *, create: bool = True, read_only: bool = False, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self.path = path
        if not create and not path.exists():
            raise StoreError(f"{path} does not exist yet; `scout run` makes it")
        with explained(path):
            if read_only:
                self.db = _connect(path, read_only=True, busy_seconds=busy_seconds)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._open(FileLock(f"{path}.lock", timeout=busy_seconds))
        self.items = Items(self)
        self.archive = Archive(self)
        self.signals = Signals(self)
        self.releases = Releases(self)
        self.sources = Sources(self)
        self.hosts = Hosts(self)
        self.harvests = Harvests(self)
        self.readers = Readers(self)
        self.feedback = FeedbackLog(self)
        self.decisions = Decisions(self)
        self.summaries = Summaries(self)
        self.ledger = Ledger(self)
        self.attempts = Attempts(self)
        self.policies = Policies(self)
        self.promotions = Promotions(self)
        self.measures = Measures(self)
        self.digests = Digests(self)
        self.deliveries = Deliveries(self)
        self.missed = MissedPages(self)
        self.runs = Runs(self)
        self.jobs = Jobs(self)
        self.readings = Readings(self)
        self.researches = Researches(self)
        self.threads = Threads(self)
        self.keys = Keys(self)
        self.vectors = Vectors(self)
        self.evals = Evals(self)
        self.training = Training(self)
        self.adapters = Adapters(self)

    def _open(self, lock: FileLock) -> None:
        """Connect and bring the schema up to date. A file that is new or old is made by one process while the others wait."""
        try:
            with nullcontext() if _is_wal(self.path) else lock:
                self.db = _connect(self.path, read_only=False, busy_seconds=lock.timeout)
                if self._is_behind():
                    with lock:
                        self._upgrade()
        except Timeout:
            raise StoreError(f"{self.path}: another process is making it; try again when that has finished") from None

    def _upgrade(self) -> None:
        """Apply what is still pending, now that no one else is at it."""
        if not migrations.pending(self.db):
            return
        try:
            upgrade(self.db, self.path)
        except UpgradeFailed as err:
            raise StoreError(f"{self.path}: {err}") from err

    def _is_behind(self) -> bool:
        known = {migration.name for migration in migrations.pending(self.db)}
        applied = {migration.name for migration in migrations.applied(self.db)}
        ours = known | {m.name for m in migrations._migrations}
        if unknown := applied - ours:
            raise StoreError(
                f"{self.path} was made by a newer scout (it has {', '.join(sorted(unknown))}); upgrade scout"
            )
        return bool(known)

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One transaction that holds the write lock from its start. Inside another one it joins that one."""
        if self.db.conn.in_transaction:
            yield self.db
            return
        with explained(self.path):
            self.db.conn.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
            except BaseException:
                self.db.conn.rollback()
                raise
            self.db.conn.commit()

    def rows(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        """The rows of a SELECT, as dictionaries."""
        with explained(self.path):
            cursor = self.db.conn.execute(sql, params)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def tuples(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """The same as they come, where there are very many."""
        with explained(self.path):
            return self.db.conn.execute(sql, params).fetchall()

    def value(self, sql: str, *params: Any) -> Any:
        """The first column of the first row, or None."""
        with explained(self.path):
            row = self.db.conn.execute(sql, params).fetchone()
        return row[0] if row else None

    def stats(self) -> dict[str, Any]:
        """The shape of `scout stats --json`."""
        return stats(self)

    def check(self) -> list[str]:
        """What is wrong with the file; empty where nothing is."""
        return faults(self.db.conn)

    def compact(self) -> None:
        """Rewrite the file without the room that deleted rows left; as much again is needed on the disk while it runs."""
        with explained(self.path):
            self.db.conn.execute("VACUUM")

    def close(self) -> None:
        self.db.conn.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_wal(path: Path) -> bool:
    """Whether the file is a database that was set up already.

    SQLite is asked: opening and closing the file ourselves would drop every lock that this process's other connections
    hold on it, another process would then take itself for the last one and remove the log that we still write to.
    """
    if not path.is_file() or not path.stat().st_size:
        return False  # connecting says what is wrong with a folder
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0)) as connection:
            return bool(connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal")
    except sqlite3.OperationalError:
        return False  # somebody is at it: wait for the lock


def _connect(path: Path, *, read_only: bool, busy_seconds: float) -> Database:
    name = f"{path.resolve().as_uri()}?mode=ro" if read_only else str(path)
    connection = sqlite3.connect(name, uri=read_only, timeout=busy_seconds, isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(f"PRAGMA cache_size={-CACHE_KB}")
    if not read_only:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")  # of a new file alone; one that exists keeps its own
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")
    return Database(connection)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite or the disk says into a StoreError that says what to do."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError, OSError) as err:
        text = str(err)
        if isinstance(err, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        hint = _hint(text)
        if hint is None:
            raise
        raise StoreError(f"{path}: {hint} ({text})") from err


def _hint(text: str) -> str | None:
    for sign, hint in (
        ("locked", "another process is writing to it; try again when that has finished"),
        ("full", "the disk is full; free some space, nothing was lost"),
        ("readonly", "it cannot be written to; check who owns the file and its folder"),
        ("unable to open", "it cannot be opened; check that its folder exists and who owns it"),
        ("No such file", "its folder cannot be made; check SCOUT_DATA_DIR"),
        ("Permission denied", "it may not be opened; check who owns the file and its folder"),
        ("Read-only file system", "its disk is mounted read-only"),
        ("No space left", "the disk is full; free some space, nothing was lost"),
        ("Not a directory", "a part of its path is a file; check SCOUT_DATA_DIR"),
        ("File exists", "a part of its path is a file; check SCOUT_DATA_DIR"),
        ("not a database", "it is not a database, or damaged; move it away or restore a backup"),
        ("malformed", "it is damaged; restore a backup"),
        ("disk I/O error", "the disk does not answer as it should"),
    ):
        if sign in text:
            return hint
    return None
