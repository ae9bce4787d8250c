"""A model reads 1,000 items and is killed ten times, at random points: what is asked again, what is lost, how fast it is.

The model is the scripted server, which answers at once: the time is scout's own. Points are drawn anew each time; the seed
is in the note, and `ENRICH_SEED` sets it.
"""

from __future__ import annotations

import math
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import figure

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import enrich_samples as samples
import scripted_server

from scout.store import Store

ITEMS, KILLS = 1_000, 10
CALLS = 3
"""Of each item: to route, to rate, to summarize."""


def main() -> None:
    seed = int(os.environ.get("ENRICH_SEED", random.randrange(10**6)))
    with tempfile.TemporaryDirectory() as folder, scripted_server.serving() as server:
        measure(Path(folder), samples.obliging(server), seed)


def measure(folder: Path, server: scripted_server.ScriptedServer, seed: int) -> None:
    with Store(folder / "scout.db") as store:
        samples.fill(store, [samples.item(n) for n in range(ITEMS)])
    snapshots: dict[int, set[int]] = {}
    killed, started = 0, time.perf_counter()
    for chats in sorted(random.Random(seed).sample(range(1, ITEMS * CALLS), KILLS)):
        killed += samples.enrich_until(folder, server, max(chats, len(server.chats) + 1)) == -9
        with Store(folder / "scout.db") as store:
            snapshots[len(server.chats)] = samples.finished(store)
    before, resumed = len(server.chats), time.perf_counter()
    ended = samples.enrich_until(folder, server, math.inf)
    rest = (len(server.chats) - before) / CALLS
    with Store(folder / "scout.db") as store:
        lost = ITEMS - len(samples.finished(store)) if ended == 0 else ITEMS
    note = f"seed {seed}, {killed} of {KILLS} killed, {time.perf_counter() - started:.0f} s in all"
    figure(
        "enrich: calls repeated for finished items", samples.asked_again(server, snapshots), "calls", limit=0, note=note
    )
    figure("enrich: items lost", lost, "items", limit=0)
    figure("enrich: killed at random points", killed, "times", limit=KILLS, better="more")
    if rest >= ITEMS / 20:
        figure(
            "enrich: items a second, start included", rest / (time.perf_counter() - resumed), "items/s", better="more"
        )


if __name__ == "__main__":
    main()
