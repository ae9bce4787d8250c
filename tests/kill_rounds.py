"""Runs that are killed with SIGKILL, and what the next run makes of it.

    make kills ROUNDS=200          (python tests/kill_rounds.py --rounds 200 --seed 1)

A round: a data directory as it was in the evening of the first day (or none yet), a run that is killed at a chosen point, now
and then killed a second time while it recovers, then a run that is left alone. After each kill the database must be sound;
in the end it must say what it says after a run that nobody disturbed, and a run after that must change nothing.

Killed are forked copies of this process, which has everything imported already, so that a round takes a second or two.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from kill_dump import differences, dump  # noqa: E402
from kill_town import DAYS, number  # noqa: E402

from scout import pipeline, source_list  # noqa: E402
from scout.clock import now  # noqa: E402
from scout.config import Settings, load  # noqa: E402
from scout.items import Aspect  # noqa: E402
from scout.locks import held  # noqa: E402
from scout.readers import give  # noqa: E402
from scout.sources import arxiv_api, tools  # noqa: E402
from scout.sources.parse import parse  # noqa: E402
from scout.sources.parsed import MAX_ENTRIES, ParsedFeed  # noqa: E402
from scout.store import Store  # noqa: E402
from scout.store import store as store_module  # noqa: E402
from scout.store.soundness import faults  # noqa: E402

READERS = ("me", "ada")
Chooser = Callable[[str], bool]


@dataclass(frozen=True)
class Point:
    """Where a run is killed: before its `count`th event of a kind, or after some time."""

    kind: str
    """`stage`: begin or end of a stage; `statement`: of SQL, COMMIT among them; `time`: wherever it is."""
    count: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"after {self.seconds * 1000:.0f} ms" if self.kind == "time" else f"{self.kind} {self.count}"


@dataclass
class Counted:
    """How many events of each kind a run has; it kills itself when it comes to the one asked for."""

    point: Point | None = None
    seen: Counter[str] = field(default_factory=Counter)

    def event(self, kind: str) -> None:
        self.seen[kind] += 1
        if self.point and self.point.kind == kind and self.seen[kind] == self.point.count:
            os.kill(os.getpid(), signal.SIGKILL)


class HereParser:
    """Reads feeds in this process: starting another takes longer than all the rest of a round."""

    def __init__(self, net: object) -> None:
        return None

    def __enter__(self) -> HereParser:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def parse(self, data: bytes, content_type: str, url: str, *, limit: int = MAX_ENTRIES) -> ParsedFeed:
        return parse(data, content_type, url, limit=limit)


@contextmanager
def town() -> Iterator[dict[str, str]]:
    """The addresses of a small outside world in a process of its own."""
    process = subprocess.Popen([sys.executable, str(HERE / "kill_town.py")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def environment(urls: dict[str, str], day: date, data: Path) -> dict[str, str]:
    at = f"{urls['url']}/{day}"
    return {
        "SCOUT_DATA_DIR": str(data), "SCOUT_CONFIG": str(data / "scout.toml"), "SCOUT_TODAY": str(day),
        "SCOUT_ARXIV__RSS_URL": f"{at}/arxiv/rss", "SCOUT_ARXIV__SITE_URL": f"{at}/arxiv",
        "SCOUT_HUGGINGFACE__URL": f"{at}/hf", "SCOUT_HUGGINGFACE__ORGANIZATIONS": '["lab-a","lab-b"]',
        "SCOUT_SOURCES__DEFAULTS": "0", "SCOUT_NET__ALLOW_LOOPBACK": "1", "SCOUT_NET__WORKERS": "4",
        "SCOUT_NET__DEADLINE_SECONDS": "120",  # a source that is late because this machine is busy is no difference
        "SCOUT_MODEL__BASE_URLS": json.dumps([urls["model"]]), "SCOUT_MODEL__ITEMS_PER_RUN": "3",
    }  # fmt: skip


def settings_of(urls: dict[str, str], day: date, data: Path) -> Settings:
    for name in [name for name in os.environ if name.startswith("SCOUT_")]:
        del os.environ[name]
    os.environ.update(environment(urls, day, data))
    return load()


def one_run(settings: Settings, urls: dict[str, str], day: date, counted: Counted) -> int:
    """The daily run as the command does it, in this process, with `counted` told of its stages and statements."""
    arxiv_api.ARXIV_SPACING = arxiv_api._TRAVEL = 0.0
    tools.ParserPool = HereParser  # type: ignore[assignment,misc]
    plain_stage, plain_connect = pipeline._stage, store_module._connect

    @contextmanager
    def stage(report: pipeline.RunReport, name: str) -> Iterator[None]:
        counted.event("stage")
        with plain_stage(report, name):
            yield
        counted.event("stage")

    def connect(path: Path, *, read_only: bool, busy_seconds: float) -> store_module.Database:
        db = plain_connect(path, read_only=read_only, busy_seconds=busy_seconds)
        db.conn.set_trace_callback(lambda sql: counted.event("statement"))
        return db

    pipeline._stage, store_module._connect = stage, connect  # type: ignore[assignment]
    with held(settings, "run"), Store(settings.database) as store:
        prepare(store, urls, day)
        return int(pipeline.run(store, settings).code)


def prepare(store: Store, urls: dict[str, str], day: date) -> None:
    """Readers and blogs; a blog's address moves with the day, as nothing else in the town knows what day it is."""
    for reader in READERS:
        store.readers.ensure(reader, now())
    for name in ("lab-a", "lab-b"):
        url = f"{urls['url']}/{day}/blog/{name}"
        known = {row.title or row.id: row for row in store.sources.all()}
        if name in known:
            store.sources.set_url(known[name].id, url)
        else:
            source_list.add_feed(store, title=name, url=url, at=now())


def age(store: Store) -> None:
    """Every other item came long ago: the second day's run has something to tidy."""
    long_ago = (now() - timedelta(days=2 * Settings().keeping.details_days)).isoformat()
    with store.writing() as db:
        db.conn.execute("UPDATE items SET first_seen = ? WHERE seq % 2 = 0", (long_ago,))


def forked(work: Callable[[], int], *, kill_after: float | None = None) -> int:
    """What `work` returns in a forked copy of this process; -9 where it was killed."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os._exit(work())
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(99)
    if kill_after is not None:
        time.sleep(kill_after)  # the point of the exercise: wherever it is by then
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Trouble(AssertionError):
    """A promise that did not hold; the message says in which round and what."""


@dataclass
class Scene:
    """A beginning, what a run makes of it that nobody disturbs, and how long and eventful that run is."""

    name: str
    day: date
    base: Path | None
    wanted: dict[str, list[str]]
    events: Counter[str]
    seconds: float


class Rounds:
    def __init__(self, folder: Path, urls: dict[str, str], *, brief: bool = False) -> None:
        self.folder, self.urls, self.brief = folder, urls, brief
        self.scenes = self._scenes()

    def run(self, data: Path, day: date, point: Point | None = None) -> int:
        def work() -> int:
            return one_run(settings_of(self.urls, day, data), self.urls, day, Counted(point))

        return forked(work, kill_after=point.seconds if point and point.kind == "time" else None)

    def _scenes(self) -> list[Scene]:
        evening = self.folder / "evening"
        first = self._undisturbed("first day", DAYS[0], None, evening)
        settings = settings_of(self.urls, DAYS[0], evening)
        with Store(settings.database) as store:
            for n, (reader, value) in enumerate((reader, value) for reader in READERS for value in ("up", "down") * 3):
                ref = f"arxiv:{number(DAYS[0], 2 * n)}"
                give(store, settings, reader=reader, ref=ref, aspect=Aspect.THUMB, value=value, at=now())
            age(store)
        return [first, self._undisturbed("second day", DAYS[1], evening, self.folder / "second")]

    def _undisturbed(self, name: str, day: date, base: Path | None, data: Path) -> Scene:
        self._begin(base, data)
        events = data.parent / f"{data.name}.events"

        def work() -> int:
            counted = Counted()
            code = one_run(settings_of(self.urls, day, data), self.urls, day, counted)
            events.write_text(json.dumps(counted.seen))
            return code

        started = time.perf_counter()
        if code := forked(work):
            raise Trouble(f"{name}: a run that nobody disturbed ended with {code}")
        seconds = time.perf_counter() - started
        wanted = dump(data / "scout.db")
        if not self.brief:
            self._expect(name, wanted, data, day, "a second run")
        return Scene(name, day, base, wanted, Counter(json.loads(events.read_text())), seconds)

    def _begin(self, base: Path | None, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)
        if base is None:
            data.mkdir(parents=True)
        else:
            shutil.copytree(base, data)

    def _expect(self, name: str, wanted: dict[str, list[str]], data: Path, day: date, what: str) -> None:
        if code := self.run(data, day):
            raise Trouble(f"{name}: {what} ended with {code}")
        if found := differences(wanted, dump(data / "scout.db")):
            raise Trouble(
                f"{name}: after {what} {len(found)} differences: " + "; ".join(line[:300] for line in found[:4])
            )

    def round(self, scene: Scene, points: list[Point]) -> int:
        """Kill at the points, one after the other, and let it recover; how many kills hit a run that was under way."""
        data = self.folder / "round"
        self._begin(scene.base, data)
        told = f"{scene.name}, killed {', then '.join(map(str, points))}"
        hits = 0
        for point in points:
            code = self.run(data, scene.day, point)
            if code not in (0, -signal.SIGKILL):
                raise Trouble(f"{told}: ended with {code}")
            hits += code != 0
            self._sound(data / "scout.db", told)
        self._expect(told, scene.wanted, data, scene.day, "the next run")
        return hits

    def _sound(self, path: Path, told: str) -> None:
        if not path.exists():
            return
        with Store(path) as store:
            found = faults(store.db.conn, thorough=True)
        if found:
            raise Trouble(f"{told}: the database is not sound: {found[:3]}")


def boundaries(scene: Scene) -> list[Point]:
    return [Point("stage", count) for count in range(1, scene.events["stage"] + 1)]


def drawn(scene: Scene, rng: random.Random) -> Point:
    if rng.random() < 0.5:
        return Point("statement", rng.randint(1, scene.events["statement"]))
    return Point("time", seconds=rng.uniform(0.0, scene.seconds))


def plan(scenes: list[Scene], rounds: int, seed: int) -> list[tuple[Scene, list[Point]]]:
    """Every boundary of every scene once, as far as there are rounds; then points drawn by chance, some of them twice."""
    rng = random.Random(seed)
    chosen = [(scene, [point]) for scene in scenes for point in boundaries(scene)]
    rng.shuffle(chosen)
    while len(chosen) < rounds:
        scene = rng.choice(scenes)
        chosen.append((scene, [drawn(scene, rng) for _ in range(2 if rng.random() < 0.25 else 1)]))
    return chosen[:rounds]


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument(
        "--brief", action="store_true", help="leave out that an undisturbed run changes nothing twice"
    )
    given = arguments.parse_args()
    started, hits, wrong = time.perf_counter(), 0, 0
    with tempfile.TemporaryDirectory() as folder, town() as urls:
        rounds = Rounds(Path(folder), urls, brief=given.brief)
        for scene in rounds.scenes:
            print(f"{scene.name}: {dict(scene.events)}, {scene.seconds:.2f} s", flush=True)
        for done, (scene, points) in enumerate(plan(rounds.scenes, given.rounds, given.seed), 1):
            try:
                hits += rounds.round(scene, points)
            except Trouble as err:
                wrong += 1
                print(f"DIFFERENT {err}", flush=True)
            if done % 20 == 0:
                print(f"{done} rounds, {hits} kills, {wrong} different", flush=True)
    print(f"{given.rounds} rounds, {hits} kills, {wrong} different, {time.perf_counter() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
