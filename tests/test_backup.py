"""A backup holds everything, is found whole or told damaged, and comes back; what it replaces stays beside it."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from kill_dump import dump
from thread_samples import paper

from scout.cli.app import app
from scout.config import Keeping, Settings
from scout.items import Aspect, Feedback
from scout.keeping import backup, restoring
from scout.locks import Locked, held
from scout.store import Store
from scout.triage import blob

AT = datetime(2025, 12, 2, 7, tzinfo=UTC)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A data folder with a bit of everything."""
    config = tmp_path / "etc" / "scout.toml"
    config.parent.mkdir()
    config.write_text("[triage]\nread_per_day = 7\n")
    monkeypatch.setenv("SCOUT_CONFIG", str(config))
    settings = Settings(data_dir=tmp_path / "data", config=config)
    with Store(settings.database) as store:
        store.items.add([paper(n) for n in range(5)], AT)
        store.readers.ensure("me", AT)
        store.feedback.add(Feedback("me", paper(1).id, Aspect.THUMB, "up", AT))
    for name in (
        "adapters/mine/weights.bin",
        "evals/runs/one.jsonl",
        "archive/2025-01.parquet",
        "log.jsonl",
        "run.lock",
    ):
        file = settings.data_dir / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode() * 100)
    return settings


def made(settings: Settings, **names: str) -> Path:
    return backup.make(settings, backup.folder_of(settings), at=AT, **names)


def rewritten(file: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    """A copy in which each file is what `change` makes of its name and content; None leaves it out."""
    other = file.with_name("changed.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for info in old.infolist():
            if found := change(info.filename, old.read(info)):
                new.writestr(*found)
    return other


def test_a_backup_restored_elsewhere_is_the_same_database_with_the_same_files(here: Settings, tmp_path: Path) -> None:
    file = made(here)
    assert file.stat().st_mode & 0o077 == 0  # settings may hold a key
    done = restoring.restore(here, file, tmp_path / "new", replace=False)
    assert dump(tmp_path / "new" / "scout.db") == dump(here.database)
    for name in ("adapters/mine/weights.bin", "evals/runs/one.jsonl", "archive/2025-01.parquet"):
        assert (tmp_path / "new" / name).read_bytes() == (here.data_dir / name).read_bytes()
    assert not (tmp_path / "new" / "log.jsonl").exists()
    assert done.aside is None
    assert done.settings is not None
    assert "read_per_day = 7" in done.settings.read_text()
    assert done.counts["feedback"] == 1


def test_what_is_written_while_a_backup_is_made_is_left_out_and_not_held_up(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scout.store.copying.PAGES", 1)
    written = []

    def write(done: int, total: int) -> None:
        if not written:
            with Store(here.database, busy_seconds=0.5) as store:
                written.append(store.feedback.add(Feedback("me", paper(2).id, Aspect.THUMB, "down", AT)))

    from scout.store.copying import copy

    copy(here.database, tmp_path / "copy.db", step=write)
    with Store(tmp_path / "copy.db") as one, Store(here.database) as other:
        assert written
        assert (one.value("SELECT count(*) FROM feedback"), other.value("SELECT count(*) FROM feedback")) == (1, 2)
        assert one.check() == []


def test_a_backup_made_now_is_whole(here: Settings) -> None:
    report = restoring.check_file(made(here))
    assert report.problems == ()
    assert report.counts["items"] == 5
    assert restoring.check_here(here).problems == ()


@pytest.mark.parametrize("cut", [1, 200, 5000])
def test_a_backup_that_was_cut_off_is_told(here: Settings, cut: int) -> None:
    file = made(here)
    file.write_bytes(file.read_bytes()[:-cut])
    with pytest.raises(restoring.BadBackup, match="cut off"):
        restoring.check_file(file)


def test_changed_bytes_are_told_and_not_restored(here: Settings, tmp_path: Path) -> None:
    def change(name: str, content: bytes) -> tuple[str, bytes]:
        return name, content.replace(b"weights", b"Weights") if "adapters" in name else content

    file = rewritten(made(here), change)
    assert any("weights.bin is damaged" in line for line in restoring.check_file(file).problems)
    with pytest.raises(restoring.BadBackup, match="not whole"):
        restoring.restore(here, file, tmp_path / "new", replace=False)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["data/../../evil", "/etc/evil", "data/a/../../b", "other", "data/c:evil"])
def test_a_file_that_would_land_elsewhere_is_refused(here: Settings, tmp_path: Path, name: str) -> None:
    def change(old: str, content: bytes) -> tuple[str, bytes]:
        if old != backup.MANIFEST:
            return (name if "adapters" in old else old), content
        return old, content.replace(b"data/adapters/mine/weights.bin", name.encode())

    with pytest.raises(restoring.BadBackup, match="no backup of scout does"):
        restoring.restore(here, rewritten(made(here), change), tmp_path / "new", replace=False)
    assert not (tmp_path / "new").exists()


def test_lost_rows_lost_files_and_unreadable_policies_are_told(here: Settings) -> None:
    with Store(here.database) as store:
        store.db.conn.execute(
            "INSERT INTO policies (version, reader, recipe, made_at, weights) VALUES ('linear-2:x', 'me', 'linear-2', '', ?)",
            (blob.pack({}, {})[:-5],),
        )
        store.policies.crown("me", "linear-2:x", AT, reason="")

    def change(name: str, content: bytes) -> tuple[str, bytes] | None:
        if name == backup.MANIFEST:
            return name, content.replace(b'"items": 5', b'"items": 6')
        return None if "evals" in name else (name, content)

    problems = " ".join(restoring.check_file(rewritten(made(here), change)).problems)
    assert "linear-2:x cannot be read" in problems
    assert "one.jsonl is missing" in problems
    assert "rows differ" in problems


def test_a_damaged_database_is_told_by_verify(here: Settings) -> None:
    with sqlite3.connect(here.database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("INSERT INTO items_fts(items_fts) VALUES ('delete-all')")
    connection.close()
    found = CliRunner(env=env(here)).invoke(app, ["verify"])
    assert found.exit_code == 1
    assert "full-text index does not match" in found.output


def test_what_is_in_the_way_is_kept_beside_what_is_restored(here: Settings) -> None:
    file = made(here)
    kept = file.rename(here.data_dir.parent / file.name)
    with Store(here.database) as store:
        store.items.add([paper(9)], AT)
    with pytest.raises(restoring.InTheWay, match="--replace"):
        restoring.restore(here, kept, here.data_dir, replace=False)
    done = restoring.restore(here, kept, here.data_dir, replace=True)
    assert done.aside is not None
    with Store(here.database) as now, Store(done.aside / "scout.db") as before:
        assert (now.items.count(), before.items.count()) == (5, 6)


def test_nothing_is_replaced_while_a_run_is_at_it(here: Settings) -> None:
    file = made(here)
    with held(here, "run"), pytest.raises(Locked):
        restoring.restore(here, file, here.data_dir, replace=True)
    assert here.database.exists()
    assert list(here.data_dir.parent.glob("*restoring*")) == []


def test_the_copy_made_before_an_upgrade_can_be_restored_too(here: Settings, tmp_path: Path) -> None:
    from scout.store.copying import copy

    copy(here.database, tmp_path / "before.db")
    assert restoring.check_file(tmp_path / "before.db").problems == ()
    restoring.restore(here, tmp_path / "before.db", tmp_path / "new", replace=False)
    assert dump(tmp_path / "new" / "scout.db") == dump(here.database)


def test_what_is_no_backup_is_told(here: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"hello")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("x", "y")
    for file in ("a.zip", "b.zip"):
        with pytest.raises(restoring.BadBackup, match="no backup of scout"):
            restoring.check_file(tmp_path / file)


def test_automatic_backups_come_when_due_and_the_oldest_go(here: Settings) -> None:
    settings = here.model_copy(update={"keeping": Keeping(backup_days=7, backups=2)})
    asked = made(settings)
    days = [AT + timedelta(days=n) for n in (0, 3, 7, 14, 15)]
    assert [backup.automatic(settings, day) is not None for day in days] == [True, False, True, True, False]
    left = backup.listing(backup.folder_of(settings))
    assert [backup.made_at(file) for file in left if file != asked] == [AT + timedelta(days=7), AT + timedelta(days=14)]
    assert asked in left


def test_a_backup_of_a_day_that_has_not_come_holds_none_up(here: Settings) -> None:
    assert backup.automatic(here, AT + timedelta(days=365))
    assert backup.automatic(here, AT)


def env(settings: Settings) -> dict[str, str]:
    return {"SCOUT_DATA_DIR": str(settings.data_dir), "SCOUT_CONFIG": str(settings.config)}


def test_the_commands_make_check_and_restore(here: Settings, tmp_path: Path) -> None:
    runner = CliRunner(env=env(here))
    told = runner.invoke(app, ["backup", "--to", str(tmp_path / "other"), "--json"])
    file = json.loads(told.stdout)["file"]
    assert Path(file).parent == tmp_path / "other"
    assert "Nothing is wrong" in runner.invoke(app, ["verify", file]).output
    assert json.loads(runner.invoke(app, ["verify", "--json"]).stdout)["problems"] == []
    refused = runner.invoke(app, ["restore", file])
    assert (refused.exit_code, "--replace" in refused.output) == (1, True)
    done = runner.invoke(app, ["restore", file, "--to", str(tmp_path / "new")])
    assert (done.exit_code, "SCOUT_DATA_DIR" in done.output) == (0, True)
