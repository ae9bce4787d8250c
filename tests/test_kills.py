"""Runs killed with SIGKILL end, with the next run, where a run ends that nobody disturbed. `make kills` does 200 rounds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kill_dump import differences, dump

from scout.clock import now
from scout.store import Store


def test_a_handful_of_killed_runs_end_as_an_undisturbed_one() -> None:
    """In a process of its own: what it forks must not carry pytest's threads and files."""
    harness = Path(__file__).parent / "kill_rounds.py"
    found = subprocess.run(
        [sys.executable, str(harness), "--rounds", "2", "--seed", "4", "--brief"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "2 rounds" in found.stdout
    assert "0 different" in found.stdout


def test_the_comparison_sees_a_row_that_is_lost_and_one_that_is_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "scout.db"
    with Store(path) as store:
        store.readers.ensure("me", now())
        store.readers.ensure("ada", now())
        whole = dump(path)
        store.db.conn.execute("DELETE FROM readers WHERE name = 'ada'")
        assert [line.split(":")[0] for line in differences(whole, dump(path))] == ["readers"]
        store.db.conn.execute("INSERT INTO champions (reader, version, at) VALUES ('me', 'a', '')")
        once = dump(path)
        store.db.conn.execute("INSERT INTO champions (reader, version, at) SELECT reader, version, at FROM champions")
        assert differences(once, dump(path)) != []
