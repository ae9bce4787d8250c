"""Several processes at one database: what one commits, the others see, whoever opens and closes meanwhile."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from scout.store import Store

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from scout.store import Store

path = Path(sys.argv[1])
store = Store(path)
Store(path).close()  # as a worker's threads do while it runs
print("open", flush=True)
sys.stdin.readline()
store.readers.ensure("written later", datetime.now(UTC))
print("written", flush=True)
sys.stdin.readline()
"""


def test_what_a_long_lived_process_writes_is_seen_after_others_opened_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "scout.db"
    with Store(path) as store:
        store.readers.ensure("me", datetime.now(UTC))
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        Store(path).close()
        writer.stdin.write("\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "written\n"
        with Store(path) as store:
            assert store.readers.get("written later") is not None
        writer.stdin.close()
    with Store(path) as store:
        assert store.readers.get("written later") is not None
