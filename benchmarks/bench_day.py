"""A day of the replayed world, cold, then once more: wall time, peak memory of all processes, and what was answered 304.

Needs the replayed world beside the checkout (`../shared/world/serve.py`); without it prints nothing and says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from benchmarks.figures import figure

SERVE = Path(__file__).resolve().parents[2] / "shared" / "world" / "serve.py"
DAY = "2025-12-02"


def watched(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Run a command; its wall time in seconds and the peak of resident memory of it and its children together, in MB."""
    started = time.perf_counter()
    process = psutil.Popen(command, env=env, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(member.memory_info().rss for member in family))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    return time.perf_counter() - started, peak / 1e6


def main() -> None:
    if not SERVE.exists():
        print("the replayed world is not beside this checkout; nothing measured", file=sys.stderr)
        return
    world = subprocess.Popen([sys.executable, str(SERVE), "--date", DAY], stdout=subprocess.PIPE, text=True)
    assert world.stdout is not None
    url = world.stdout.readline().strip()
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(url, Path(folder))
    finally:
        world.terminate()
        world.wait(timeout=10)


def measure(url: str, folder: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("SCOUT_")} | {
        "SCOUT_DATA_DIR": str(folder / "data"),
        "SCOUT_CONFIG": str(folder / "scout.toml"),
        "SCOUT_ARXIV__RSS_URL": f"{url}/arxiv/rss",
        "SCOUT_ARXIV__API_URL": f"{url}/arxiv/api/query",
        "SCOUT_HUGGINGFACE__URL": f"{url}/hf",
        "SCOUT_SOURCES__DEFAULTS": "0",
        "SCOUT_NET__ALLOW_LOOPBACK": "1",
        "SCOUT_TODAY": DAY,
    }
    (folder / "feeds.opml").write_bytes(urllib.request.urlopen(f"{url}/feeds.opml", timeout=30).read())
    scout = [sys.executable, "-m", "scout"]
    subprocess.run(
        [*scout, "sources", "import", str(folder / "feeds.opml")], env=env, check=True, stdout=subprocess.DEVNULL
    )
    seconds, megabytes = watched([*scout, "run"], env)
    stats = json.loads(
        subprocess.run([*scout, "stats", "--json"], env=env, check=True, capture_output=True, text=True).stdout
    )
    figure(f"cold day ({stats['items']['total']} items): wall", seconds, "s", limit=20)
    figure("cold day: peak memory of all processes", megabytes, "MB", limit=400)
    before = len(log(url))
    seconds, megabytes = watched([*scout, "run"], env)
    feeds = [row for row in log(url)[before:] if there(row)]
    figure("unchanged second run: wall", seconds, "s", limit=3)
    figure(
        "unchanged second run: share of feeds answered 304",
        sum(row["status"] == 304 for row in feeds) / len(feeds),
        "share",
        limit=1,
        better="more",
    )


def there(row: dict[str, object]) -> bool:
    """Whether it asked for a feed that exists: some of the blogs begin later than this day and answer 404."""
    return str(row["path"]).startswith(("/feeds/", "/arxiv/rss")) and row["status"] != 404


def log(url: str) -> list[dict[str, object]]:
    with urllib.request.urlopen(f"{url}/_world/log", timeout=30) as answer:
        rows: list[dict[str, object]] = json.load(answer)
        return rows


if __name__ == "__main__":
    main()
