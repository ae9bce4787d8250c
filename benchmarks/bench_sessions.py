"""Fifty readers at once: a real `scout dashboard` on loopback, fifty WebSocket sessions, a thumb or a page each 5 seconds.

`SESSIONS=50 SESSIONS_SECONDS=120` set the size. Every reader comes under a name of their own, as a proxy's login gives it, opens
the digest, and then in turn thumbs an item of the page and opens another page. A time is from the message sent to the end of the
answer, drawing in a browser left out; at the end every thumb sent is looked for in the database.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, cycle
from pathlib import Path

import psutil
from websockets.exceptions import ConnectionClosed

from benchmarks import fifty
from benchmarks.figures import figure, percentile
from benchmarks.streamlit_client import Browser, Trouble, Widget
from scout.items import Aspect
from scout.store import Store

SESSIONS = int(os.environ.get("SESSIONS", "50"))
SECONDS = float(os.environ.get("SESSIONS_SECONDS", "120"))
EACH = 5.0
"""Seconds between what a reader does and the next."""
UP_SECONDS = 90.0
VALUES = {"0": "down", "1": "up"}
DIGEST = ""
ROUND = ("item", DIGEST, "search", DIGEST, "saved", DIGEST, "missed", DIGEST, "readers", DIGEST)
"""The pages in turn, after the digest."""
SETTINGS = """
[access]
login = "proxy"
readers = ["*@example.org"]
proxies = ["127.0.0.1"]

[access.names]
"""


@dataclass
class Tally:
    """What the sessions saw."""

    thumbs: list[float] = field(default_factory=list)
    pages: dict[str, list[float]] = field(default_factory=dict)
    """Path → seconds a visit."""
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    """(reader, item, value) of every thumb, in the order in which each reader gave them."""
    errors: Counter[str] = field(default_factory=Counter)
    received: int = 0


async def reader(name: str, port: int, words: list[str], begins: float, tally: Tally) -> None:
    """One reader's visit: first the digest, then something every five seconds until the time is over."""
    rng = random.Random(name)
    browser = await Browser.open(port, {"X-Forwarded-User": f"{name}@example.org"})
    try:
        pages, seen, is_thumb = chain([DIGEST], cycle(ROUND)), "", False
        for turn in range(round(SECONDS / EACH)):
            await asyncio.sleep(max(0.0, begins + turn * EACH - time.monotonic()))
            if is_thumb and (choice := _unsaid(browser, rng)):
                widget, value = choice
                seen = _item(widget)
                tally.sent.append((name, seen, VALUES[value]))
                tally.thumbs.append(await browser.choose(widget, value))
            else:
                page = next(pages)
                query = {"item": f"item={seen}", "search": f"q={rng.choice(words)}"}.get(page, "")
                tally.pages.setdefault(page or "digest", []).append(await browser.visit(page, query))
            is_thumb = not is_thumb
    finally:
        tally.received += browser.received
        await browser.close()


def _unsaid(browser: Browser, rng: random.Random) -> tuple[Widget, str] | None:
    """An item of the page and a thumb that is not what stands there."""
    found = [widget for widget in browser.widgets.values() if _is_thumb(widget)]
    if not found:
        return None
    widget = rng.choice(found)
    return widget, rng.choice([value for value in VALUES if value != widget.state.string_value])


def _is_thumb(widget: Widget) -> bool:
    return widget.key.startswith("thumb-")


def _item(widget: Widget) -> str:
    return widget.key.removeprefix("thumb-")


async def sessions(names: list[str], port: int, words: list[str], tally: Tally) -> None:
    """All readers side by side, their beginnings spread over the first five seconds."""
    now = time.monotonic() + 0.5

    async def one(place: int, name: str) -> None:
        begins = now + EACH * place / len(names)
        await asyncio.sleep(max(0.0, begins - 0.2 - time.monotonic()))
        try:
            await reader(name, port, words, begins, tally)
        except (Trouble, ConnectionClosed, OSError, TimeoutError) as err:
            tally.errors[f"{type(err).__name__}: {err}"[:300]] += 1

    await asyncio.gather(*(one(place, name) for place, name in enumerate(names)))


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """`scout dashboard` over the data in `folder`: its port and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "scout", "dashboard", "--no-browser", "--port", str(port)]
    env = os.environ | fifty.settings_in(folder, fifty.LAST) | {"HOME": str(folder)}
    process = psutil.Popen(command, env=env, cwd=Path(__file__).parents[1], stdout=subprocess.DEVNULL)
    try:
        _until_up(process, port)
        yield port, process
    finally:
        process.terminate()
        process.wait(30)


def _until_up(process: psutil.Process, port: int) -> None:
    ends = time.monotonic() + UP_SECONDS
    while process.is_running() and time.monotonic() < ends:
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                f"http://127.0.0.1:{port}/_stcore/health", timeout=2
            )
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the dashboard does not answer")


def lost(folder: Path, sent: list[tuple[str, str, str]]) -> tuple[int, int]:
    """How many of the thumbs sent are not among the rows, and how many rows of the day nobody sent."""
    with Store(folder / "scout.db", read_only=True) as store:
        rows = store.rows(
            "SELECT reader, item_id, value FROM feedback WHERE aspect = ? AND origin = 'dashboard'", Aspect.THUMB
        )
    stored = Counter((row["reader"], row["item_id"], row["value"]) for row in rows)
    wanted = Counter(sent)
    return (wanted - stored).total(), (stored - wanted).total()


def measure(folder: Path, names: list[str]) -> Tally:
    """Serve what is in `folder` and let the readers come.

    The clients and the server share the machine: both have their processor time told.
    """
    tally, words = Tally(), _words(folder)
    with served(folder) as (port, process):
        asyncio.run(_first(port, names[0]))
        family = [process, *process.children(recursive=True)]
        before, mine = sum(map(_cpu, family)), time.process_time()
        started = time.monotonic()
        asyncio.run(sessions(names, port, words, tally))
        wall = time.monotonic() - started
        spent, mine = sum(map(_cpu, family)) - before, time.process_time() - mine
        peak = sum(member.memory_info().rss for member in family) / 1e6
    done = len(tally.thumbs) + sum(map(len, tally.pages.values()))
    figure("server: processor time an answer", 1000 * spent / max(1, done), "ms", note=f"{spent / wall:.2f} cores")
    figure("clients: processor time an answer", 1000 * mine / max(1, done), "ms")
    figure("server: memory of all its processes at the end", peak, "MB")
    return tally


def _words(folder: Path) -> list[str]:
    """What readers search for: words of titles."""
    with Store(folder / "scout.db", read_only=True) as store:
        return sorted(
            {word for row in store.rows("SELECT title FROM items WHERE seq % 50 = 0") for word in row["title"].split()}
        )


async def _first(port: int, name: str) -> None:
    """What the first visitor after a start waits for is loaded before the clock begins."""
    browser = await Browser.open(port, {"X-Forwarded-User": f"{name}@example.org"})
    await browser.visit("")
    await browser.close()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    names = [f"r{n:02d}" for n in range(SESSIONS)]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "scout.toml").write_text(SETTINGS + "".join(f'"{name}@example.org" = "{name}"\n' for name in names))
        fifty.fill(folder, names)
        tally = measure(folder, names)
        missing, more = lost(folder, tally.sent)
    every = tally.thumbs + [took for each in tally.pages.values() for took in each]
    what = f"{SESSIONS} sessions, {SECONDS:.0f} s"
    figure(f"{what}: answers, median", percentile(every, 0.5), "s", limit=1, note=f"{len(every)} answers")
    figure(f"{what}: answers, 95th percentile", percentile(every, 0.95), "s", note=f"longest {max(every):.2f} s")
    figure("a thumb, median", percentile(tally.thumbs, 0.5), "s", note=f"{len(tally.thumbs)} given")
    for page, times in sorted(tally.pages.items()):
        figure(f"page {page}, median", percentile(times, 0.5), "s", note=f"{len(times)} opened")
    figure("received an answer", tally.received / max(1, len(every)) / 1000, "kB")
    figure("sessions that ended with an error", tally.errors.total(), "", limit=0)
    figure("thumbs lost", missing, "", limit=0, note=f"of {len(tally.sent)}; {more} too many")
    for said, count in tally.errors.most_common(5):
        print(f"{count} times: {said}", file=sys.stderr)


if __name__ == "__main__":
    main()
