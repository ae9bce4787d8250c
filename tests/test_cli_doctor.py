"""`scout doctor`: what it finds, what it says to do, and that it changes nothing."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import imap_server
import pytest
import scripted_server
from cli_help import fill, scout

from scout.config import load
from scout.items import OutcomeKind, SourceKind
from scout.store import Store
from scout.store.sources import PollRow

NOW = datetime.now(UTC)


def findings(*options: str) -> tuple[int, dict[str, dict[str, str]]]:
    result = scout("doctor", "--json", *options)
    return result.code, {found["check"]: found for found in result.json}


def test_before_the_first_run_nothing_fails_and_nothing_is_made(tmp_path: Path) -> None:
    code, found = findings()
    assert code == 0
    assert found["database"]["level"] == "warn"
    assert "scout run" in found["database"]["todo"]
    assert not (tmp_path / "data").exists()


def test_a_healthy_setup_is_all_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCOUT_CONFIG")
    fill()
    with Store(load().database) as store:
        store.runs.finish(store.runs.start("run", NOW), NOW, exit_code=0, message="2 new")
    code, found = findings()
    assert code == 0
    assert {check: f["level"] for check, f in found.items()} == dict.fromkeys(
        ("configuration", "time zone", "subjects", "dashboard", "data folder", "disk", "database", "schema", "full-text search",
         "sources", "runs"), "ok",
    )  # fmt: skip


def test_people_see_what_to_do_under_what_is_wrong() -> None:
    shown = scout("doctor").out.splitlines()
    at = next(number for number, line in enumerate(shown) if line.startswith("warn  database"))
    assert shown[at + 1].strip() == "`scout run` makes it."


def test_a_wrong_key_is_78_and_the_only_finding() -> None:
    Path(os.environ["SCOUT_CONFIG"]).write_text("[digest]\nunsure = -1\n")
    code, found = findings()
    assert code == 78
    assert list(found) == ["configuration"]
    assert "digest.unsure" in found["configuration"]["message"]


def test_a_day_set_by_hand_is_worth_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_TODAY", "2025-12-02")
    assert findings()[1]["time zone"]["level"] == "warn"


def test_a_data_folder_that_is_a_file_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "file" / "data"))
    code, found = findings()
    assert (code, found["data folder"]["level"]) == (1, "fail")


def test_little_disk_space_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for free, level in ((10**12, "ok"), (10**8, "warn"), (10**6, "fail")):
        monkeypatch.setattr("shutil.disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        assert findings()[1]["disk"]["level"] == level


def test_a_damaged_database_fails_and_is_left_as_it_is() -> None:
    fill()
    with Store(load().database) as store:
        store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = load().database
    data = bytearray(path.read_bytes())
    for page in range(4, len(data) // 4096):
        data[page * 4096 : page * 4096 + 2000] = b"\xff" * 2000
    path.write_bytes(data)
    code, found = findings()
    assert (code, found["database"]["level"]) == (1, "fail")
    assert "backup" in found["database"]["todo"]
    assert path.read_bytes() == data


def test_a_full_text_index_that_lacks_an_item_fails() -> None:
    fill()
    with sqlite3.connect(load().database) as db:
        db.execute("DROP TRIGGER items_fts_insert")
        db.execute(
            "INSERT INTO items (id, kind, title, source, first_seen, changed_at) VALUES ('x', 'post', 't', 's', '', '')"
        )
    assert findings()[1]["full-text search"]["level"] == "fail"


def test_a_database_of_a_newer_scout_fails() -> None:
    fill()
    with sqlite3.connect(load().database) as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('scout', 'm9999_x', '')")
    code, found = findings()
    assert (code, found["schema"]["todo"]) == (1, "Upgrade scout.")


def test_sources_that_fail_and_runs_that_stopped_are_named() -> None:
    fill()
    with Store(load().database) as store:
        store.sources.add("bad", SourceKind.FEED, "https://bad.example/feed", at=NOW)
        poll = PollRow(
            source="bad", run=None, started=NOW, seconds=1.0, outcome=OutcomeKind.UNREADABLE, message="no feed", status=200,
            new=0, updated=0, bytes=1,
        )  # fmt: skip
        store.sources.record(poll, state={}, failures=1, next_poll=NOW, cooling_until=None)
        then = NOW - timedelta(days=5)
        store.runs.finish(store.runs.start("run", then), then, exit_code=0, message="fine")
    code, found = findings()
    assert code == 0, "one bad source is no failure of the setup"
    assert "bad: no feed" in found["sources"]["message"]
    assert "scout schedule" in found["runs"]["todo"]


def test_without_a_network_net_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_ARXIV__RSS_URL", "https://arxiv.invalid/rss")
    monkeypatch.setenv("SCOUT_HUGGINGFACE__URL", "https://hub.invalid")
    code, found = findings("--net")
    assert code == 0
    assert [found[name]["level"] for name in ("arXiv", "the Hub")] == ["warn", "warn"]


def test_net_logs_in_to_the_mailbox_and_asks_the_model_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_ARXIV__RSS_URL", "https://arxiv.invalid/rss")
    monkeypatch.setenv("SCOUT_HUGGINGFACE__URL", "https://hub.invalid")
    with imap_server.serving(imap_server.Box()) as box, scripted_server.serving() as server:
        for name, value in {
            "HOST": "127.0.0.1", "PORT": str(box.port), "SECURITY": "none", "USER": box.user, "PASSWORD": "right",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"SCOUT_MAIL__IMAP__{name}", value)
        monkeypatch.setenv("SCOUT_MODEL__BASE_URLS", json.dumps([server.base_url]))
        found = findings("--net")[1]
        assert [found[name]["level"] for name in ("mailbox login", "model")] == ["ok", "ok"]
        assert "embedding model" not in found
        assert not any("FETCH" in command for command in box.said)
        assert server.chats == []

        monkeypatch.setenv("SCOUT_MAIL__IMAP__PASSWORD", "wrong")
        monkeypatch.setenv("SCOUT_MODEL__NAME", "another")
        wrong = findings("--net")[1]
        assert [wrong[name]["level"] for name in ("mailbox login", "model")] == ["warn", "warn"]
        assert "wrong" not in wrong["mailbox login"]["message"]
        assert "not another" in wrong["model"]["message"]
    gone = findings("--net")[1]
    assert server.base_url in gone["model"]["message"]
    assert "model.base_urls" in gone["model"]["todo"]
