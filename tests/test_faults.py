"""Disk full, read-only folders, clocks that jump, two runs at once, readers who write meanwhile: each has a clear outcome."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from thread_samples import paper

from scout import clock, pipeline
from scout.cli.app import app
from scout.config import Settings
from scout.exit_codes import Exit
from scout.ingest import to_poll
from scout.items import Aspect, Feedback, SourceKind
from scout.keeping import backup
from scout.locks import held
from scout.store import Store, StoreError
from scout.store import store as store_module
from scout.store.copying import copy

AT = datetime(2025, 12, 2, 7, tzinfo=UTC)
NO_SOURCES = {"SCOUT_ARXIV__ENABLED": "0", "SCOUT_HUGGINGFACE__ENABLED": "0", "SCOUT_SOURCES__DEFAULTS": "0"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A day's worth of papers and no source to ask."""
    for name, value in {**NO_SOURCES, "SCOUT_TODAY": "2025-12-02"}.items():
        monkeypatch.setenv(name, value)
    found = Settings()
    with Store(found.database) as store:
        store.items.add([paper(n) for n in range(30)], AT)
    return found


def run(settings: Settings, **changes: object) -> pipeline.RunReport:
    with Store(settings.database) as store:
        return pipeline.run(store, settings.model_copy(update=changes))


# --- the disk


FULL = """
import resource, sys
from scout.cli import main
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv = ["scout", "run"]
main()
"""


def test_a_run_that_may_write_no_more_ends_with_75_and_the_next_one_completes_it(settings: Settings) -> None:
    """A limit on the size of files stands in for the end of the disk; every file meets it, the log among them."""
    with Store(settings.database) as store:
        store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    limit = 150_000
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(limit)], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == Exit.LATER, ended.stderr
    assert "disk" in ended.stderr
    with Store(settings.database) as store:
        assert store.check() == []
        assert store.items.count() == 30
    assert run(settings).code is Exit.DONE
    with Store(settings.database) as store:
        assert store.digests.get("me", date(2025, 12, 2)) is not None


def test_a_full_disk_leaves_no_half_a_backup_behind(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_write", full)
    with pytest.raises(StoreError, match="the disk is full"):
        backup.make(settings, settings.data_dir / "backups", at=AT)
    assert list((settings.data_dir / "backups").iterdir()) == []


def test_a_run_is_done_though_its_backup_finds_no_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object, **more: object) -> None:
        raise StoreError("the disk is full; free some space, nothing was lost")

    monkeypatch.setattr(backup, "make", full)
    ended = CliRunner().invoke(app, ["run"])
    assert (ended.exit_code, "no backup was made" in ended.stderr) == (0, True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """No one may write there; root may anyway, and then gives up being root for a while."""
    modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")]}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in folder.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            modes.setdefault(parent, parent.stat().st_mode)
            parent.chmod(parent.stat().st_mode | 0o055)
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)
        for path, mode in modes.items():
            path.chmod(mode)


def test_a_read_only_folder_is_named_with_what_to_do(settings: Settings) -> None:
    with Store(settings.database) as store:
        store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with read_only(settings.data_dir):
        ended = CliRunner().invoke(app, ["run"])
    assert ended.exit_code == Exit.CONFIG
    assert "check who owns it" in ended.stderr
    assert run(settings).code is Exit.DONE


# --- the clock


def test_a_clock_moved_back_holds_no_source_up(settings: Settings) -> None:
    """A poll noted for tomorrow by a clock that was a year ahead is not waited for."""
    ahead = AT + timedelta(days=365)
    with Store(settings.database) as store:
        store.sources.add("lab", SourceKind.FEED, "https://lab.example/feed", at=ahead)
        store.db.conn.execute(
            "UPDATE sources SET last_poll = ?, next_poll = ?, cooling_until = ? WHERE id = 'lab'",
            tuple(time.isoformat(timespec="microseconds") for time in (ahead, ahead, ahead + timedelta(days=1))),
        )
        assert [row.id for row in to_poll(store.sources.all(), settings, AT, only=None, due=True)] == ["lab"]


def test_a_day_made_by_a_clock_a_year_ahead_takes_nothing_from_today(settings: Settings) -> None:
    """Its digest holds what was there; what arrives after the clock is right again is in the next one."""
    assert run(settings, today=date(2026, 12, 2)).code is Exit.DONE
    with Store(settings.database) as store:
        store.items.add([paper(100 + n) for n in range(5)], AT)
    report = run(settings, today=date(2025, 12, 3))
    assert report.code is Exit.DONE
    assert report.digests[0].shown > 0
    with Store(settings.database) as store:
        assert store.check() == []


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Paris", date(2025, 3, 30), 23),
        ("Europe/Paris", date(2025, 10, 26), 25),
        ("UTC", date(2025, 10, 26), 24),
    ],
    ids=["spring", "autumn", "no change"],
)
def test_a_day_on_which_clocks_change_begins_and_ends_at_midnight(zone: str, day: date, hours: int) -> None:
    settings = Settings()
    settings = settings.model_copy(
        update={"digest": settings.digest.model_copy(update={"timezone": zone, "max_age_days": 1})}
    )
    begins = pipeline.window(day + timedelta(days=1), settings)[0]
    _, ends = pipeline.window(day, settings)
    assert (ends.astimezone(UTC) - begins.astimezone(UTC)) == timedelta(hours=hours)


def test_a_clock_that_goes_back_amid_a_run_loses_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(AT + timedelta(days=400) - timedelta(days=n) for n in range(10_000))
    monkeypatch.setattr(clock, "now", lambda: next(times))
    monkeypatch.setattr(pipeline, "now", lambda: next(times))
    assert run(settings).code is Exit.DONE
    with Store(settings.database) as store:
        assert len(store.decisions.of("me", [paper(n).id for n in range(30)])) == 30
        assert store.check() == []


# --- several at once


def test_a_second_run_and_one_longer_than_its_interval_are_told_to_come_later(settings: Settings) -> None:
    with held(settings, "run"):
        ended = CliRunner().invoke(app, ["run"])
    assert ended.exit_code == Exit.LATER
    assert "another scout run is under way" in ended.stderr
    assert CliRunner().invoke(app, ["run"]).exit_code == 0


def test_thumbs_given_while_a_run_writes_all_land_once(settings: Settings) -> None:
    given = 60
    errors: list[Exception] = []

    def read_on() -> None:
        try:
            with Store(settings.database) as store:
                for n in range(given):
                    word = Feedback("me", paper(n % 30).id, Aspect.THUMB, "up", AT, token=f"t{n // 2}")
                    store.feedback.add(word)
        except Exception as err:
            errors.append(err)

    reader = threading.Thread(target=read_on)
    reader.start()
    report = run(settings)
    reader.join()
    assert (errors, report.code) == ([], Exit.DONE)
    with Store(settings.database) as store:
        assert store.value("SELECT count(*) FROM feedback") == given // 2
        assert store.check() == []


def test_a_writer_that_holds_the_lock_too_long_is_told_of_and_nothing_is_half_done(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            Store(settings.database, busy_seconds=0.05) as store,
            pytest.raises(StoreError, match="another process is writing"),
        ):
            store.items.add([paper(200)], AT)
        other.execute("ROLLBACK")
    with Store(settings.database) as store:
        assert store.items.count() == 30


# --- the log of writes


def test_the_write_ahead_log_stays_small_while_someone_reads_and_writes(settings: Settings) -> None:
    """Reads are short here: pages are checkpointed under way, and the log begins again from its start."""
    wal = settings.database.with_name("scout.db-wal")
    largest = 0
    with Store(settings.database) as writer, Store(settings.database) as reader:
        for n in range(24):
            writer.items.add([paper(1000 + n * 100 + k, text="word " * 400) for k in range(100)], AT)
            assert reader.items.count() == 30 + (n + 1) * 100
            largest = max(largest, wal.stat().st_size)
        total = writer.value("PRAGMA page_count") * writer.value("PRAGMA page_size")
    assert total > 8_000_000
    assert largest < 16_000_000
    assert not wal.exists()


def test_a_log_that_one_large_write_made_long_is_cut_back(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOG_BYTES", 200_000)
    wal = settings.database.with_name("scout.db-wal")
    with Store(settings.database) as store:
        store.items.add([paper(1000 + n, text="word " * 6000) for n in range(400)], AT)
        assert wal.stat().st_size > 9_000_000
        store.readers.ensure("me", AT)  # the log is begun anew
        store.readers.ensure("ada", AT)
        assert wal.stat().st_size <= 200_000


def test_a_backup_that_takes_long_holds_up_no_writer(settings: Settings, tmp_path: Path) -> None:
    def write(done: int, total: int) -> None:
        with Store(settings.database, busy_seconds=0.2) as store:
            store.readers.ensure(f"reader {done}", AT)

    copy(settings.database, tmp_path / "copy.db", step=write)
    with Store(tmp_path / "copy.db") as store:
        assert [row.name for row in store.readers.all()] == []
