"""A database that several processes open for the first time at once is made once, and all of them get it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from scout.store import Store, StoreError

OPEN = """
import sys
from pathlib import Path
from scout.store import Store
print("ready", flush=True)
sys.stdin.readline()
with Store(Path(sys.argv[1])) as store:
    print(store.items.count())
"""


def test_processes_that_make_a_database_at_once_all_get_it(tmp_path: Path) -> None:
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(tmp_path / "scout.db")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    ended = [opener.communicate(timeout=60) for opener in openers]
    assert ended == [("0\n", "")] * 4


def test_one_that_waits_for_another_in_vain_says_so(tmp_path: Path) -> None:
    with FileLock(tmp_path / "scout.db.lock"), pytest.raises(StoreError, match="making it"):
        Store(tmp_path / "scout.db", busy_seconds=0.05)


def test_a_folder_in_the_databases_place_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "scout.db").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "scout.db")
