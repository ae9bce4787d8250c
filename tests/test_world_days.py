"""The whole day against the replayed world: three days in a row, thumbs in between, and a run killed half way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from conftest import World

from scout import config, pipeline
from scout.clock import now
from scout.exit_codes import Exit
from scout.items import Aspect, Lane
from scout.readers import give
from scout.source_list import add_feeds
from scout.sources import opml
from scout.store import Store

pytestmark = pytest.mark.world
DAYS = ("2025-12-01", "2025-12-02", "2025-12-03")


def settings_of(world: World, day: str, data: Path, setenv: Callable[[dict[str, str]], None]) -> config.Settings:
    world.go(day)
    setenv(world.env(day, data))
    return config.load()


def add_world_feeds(store: Store, world: World) -> None:
    body = urllib.request.urlopen(f"{world.url}/feeds.opml", timeout=30).read()
    add_feeds(store, opml.parse(body), origin="opml", at=now())


def shown(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for block in snapshot["subjects"] for entry in block["items"]] + snapshot["unsure"]


def test_three_days_give_three_digests_and_no_item_twice(
    world: World, tmp_path: Path, setenv: Callable[[dict[str, str]], None]
) -> None:
    data = tmp_path / "data"
    settings = settings_of(world, DAYS[0], data, setenv)
    with Store(settings.database) as store:
        add_world_feeds(store, world)
        seen: list[str] = []
        for day in DAYS:
            settings = settings_of(world, day, data, setenv)
            report = pipeline.run(store, settings)
            assert report.code is Exit.DONE, report.message
            snapshot = store.digests.get("me", date.fromisoformat(day))
            assert snapshot is not None
            entries = shown(snapshot)
            assert entries, day
            assert [entry["position"] for entry in entries] == list(range(1, len(entries) + 1))
            seen += [entry["id"] for entry in entries]
        assert len(seen) == len(set(seen))
        assert store.digests.dates("me") == [date.fromisoformat(day) for day in reversed(DAYS)]
        assert store.check() == []


def test_a_second_run_asks_conditionally_and_changes_nothing(
    world: World, tmp_path: Path, setenv: Callable[[dict[str, str]], None]
) -> None:
    settings = settings_of(world, DAYS[1], tmp_path / "data", setenv)
    with Store(settings.database) as store:
        add_world_feeds(store, world)
        pipeline.run(store, settings)
        before, asked = store.stats()["items"], len(world.log())
        first = store.digests.get("me", date.fromisoformat(DAYS[1]))
        again = pipeline.run(store, settings)
        feeds = [row for row in world.log()[asked:] if row["path"].startswith(("/feeds/", "/arxiv/rss"))]
        answers = Counter(row["status"] for row in feeds)
        assert set(answers) == {304, 404}  # some of the blogs begin later than this day
        assert answers[304] >= 15
        assert store.stats()["items"] == before
        assert again.ingest is not None
        assert (again.ingest.new, again.ingest.updated) == (0, 0)
        assert store.digests.get("me", date.fromisoformat(DAYS[1])) == first


def test_thumbs_of_one_day_reorder_the_next(
    world: World, tmp_path: Path, setenv: Callable[[dict[str, str]], None]
) -> None:
    """Two readers see the same day one; one of them likes what is about agents only. Their second days differ that way."""
    settings = settings_of(world, DAYS[0], tmp_path / "data", setenv)
    with Store(settings.database) as store:
        store.readers.ensure("quiet", now())
        pipeline.run(store, settings)
        items = store.items.recent(1000)
        about = [item for item in items if "agent" in item.title.lower()]
        rest = [item for item in items if "agent" not in (item.title + item.text).lower()]
        assert len(about) >= 3
        for liked in about[:6]:
            give(store, settings, reader="me", ref=liked.id, aspect=Aspect.THUMB, value="up", at=now())
        for disliked in rest[:6]:
            give(store, settings, reader="me", ref=disliked.id, aspect=Aspect.THUMB, value="down", at=now())
        settings = settings_of(world, DAYS[1], tmp_path / "data", setenv)
        pipeline.run(store, settings)
        new = [stored.item for stored in store.items.listing(limit=500) if stored.seq > items_seq(store, items)]
        mine, theirs = (store.decisions.of(reader, [item.id for item in new]) for reader in ("me", "quiet"))
        assert mine
        agents = [item.id for item in new if "agent" in item.title.lower()]
        others = [item.id for item in new if "agent" not in (item.title + item.text).lower()]
        assert mean(mine, agents) - mean(mine, others) > mean(theirs, agents) - mean(theirs, others) + 0.02
        assert mean_rank(mine, agents) < mean_rank(theirs, agents)
        order = {
            reader: [entry["id"] for entry in shown(store.digests.get(reader, date(2025, 12, 2)) or {})]
            for reader in ("me", "quiet")
        }
        assert order["me"] != order["quiet"]


def items_seq(store: Store, items: list[Any]) -> int:
    stored = store.items.stored(items[-1].id)
    assert stored is not None
    return stored.seq


def mean_rank(decisions: dict[str, Any], ids: list[str]) -> float:
    order = sorted(decisions, key=lambda id: -decisions[id].probability)
    return sum(order.index(id) for id in ids) / len(ids)


def mean(decisions: dict[str, Any], ids: list[str]) -> float:
    return sum(decisions[id].probability for id in ids) / len(ids)


def test_a_replacement_a_week_later_marks_the_paper_updated(
    world: World, tmp_path: Path, setenv: Callable[[dict[str, str]], None]
) -> None:
    data = tmp_path / "data"
    settings = settings_of(world, "2025-12-02", data, setenv)
    with Store(settings.database) as store:
        pipeline.run(store, settings)
        known = {item.id for item in store.items.recent(1000) if item.version == 1}
        pipeline.run(store, settings_of(world, "2025-12-09", data, setenv))
        replaced = [item for item in store.items.recent(5000) if item.id in known and item.version == 2]
        assert replaced, "one paper in 40 has a second version a week later"
        for item in replaced:
            assert [version.version for version in store.items.versions(item.id)] == [1]
            assert item.text.endswith("adds an ablation.")


KILLER = """
import json, os, sys
from scout import config, pipeline
from scout.store import Store


def run(folder, last=None):
    "How a run in that data folder ended, and its statements of SQL; -9: killed before the `last`. In a fork, all being imported."
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.environ |= {"SCOUT_DATA_DIR": folder, "SCOUT_CONFIG": f"{folder}/scout.toml"}
        settings, made = config.load(), 0

        def count(statement):
            nonlocal made
            made += 1
            if made == last:
                os.kill(os.getpid(), 9)

        with Store(settings.database) as store:
            store.db.conn.set_trace_callback(count)
            code = int(pipeline.run(store, settings).code)
        os.write(tell, str(made).encode())
        os._exit(code)
    os.close(tell)
    with os.fdopen(told) as words:
        made = words.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), int(made or 0)


calm, rough = sys.argv[1:]
code, whole = run(calm)
killed = [run(rough, int(whole * share))[0] for share in (0.2, 0.3, 0.4)]
print(json.dumps([code, *killed, run(rough)[0]]))
"""


def content(database: Path) -> dict[str, Any]:
    """What must not depend on interruptions: everything but times, run ids and places in the order of arrival."""
    with Store(database) as store:
        return {
            "items": store.rows("SELECT id, kind, title, url, text, source, version, backlog FROM items ORDER BY id"),
            "signals": store.rows("SELECT * FROM signals ORDER BY item_id"),
            "releases": store.rows("SELECT id, published FROM releases ORDER BY id"),
            "decided": store.rows("SELECT item_id, reader, subject, lane FROM decisions ORDER BY item_id"),
            "summaries": store.rows("SELECT item_id, by, tldr FROM summaries ORDER BY item_id"),
            "dates": store.rows("SELECT reader, date, size FROM digests"),
        }


def test_a_run_killed_anywhere_and_started_again_ends_in_the_same_database(world: World, tmp_path: Path) -> None:
    """Killed after a fifth, three and four tenths of the statements that a whole run makes, one after the other, then left alone."""
    environment = {**os.environ, **world.env(DAYS[0], tmp_path)}
    command = [sys.executable, "-c", KILLER, str(tmp_path / "calm"), str(tmp_path / "rough")]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    calm, *killed, last = json.loads(done.stdout)
    assert (calm, last) == (0, 0)
    assert killed == [-9, -9, -9]
    assert content(tmp_path / "rough" / "scout.db") == content(tmp_path / "calm" / "scout.db")


def test_offline_is_told_in_one_line_and_loses_nothing(
    world: World, tmp_path: Path, setenv: Callable[[dict[str, str]], None]
) -> None:
    settings = settings_of(world, DAYS[0], tmp_path / "data", setenv)
    dead = "http://127.0.0.1:9"
    setenv({"SCOUT_ARXIV__RSS_URL": dead, "SCOUT_HUGGINGFACE__URL": dead})
    with Store(settings.database) as store:
        report = pipeline.run(store, config.load())
        assert report.code is Exit.LATER
        assert "offline" in report.message
        assert "\n" not in report.message
        assert store.digests.dates("me") == []
        store.db.conn.execute("UPDATE sources SET cooling_until = NULL")  # an hour later
        setenv(world.env(DAYS[0], tmp_path / "data"))
        assert pipeline.run(store, config.load()).code is Exit.DONE
        assert store.digests.dates("me") == [date.fromisoformat(DAYS[0])]


def test_lanes_are_filled_about_as_asked(
    world: World, tmp_path: Path, setenv: Callable[[dict[str, str]], None]
) -> None:
    settings = settings_of(world, DAYS[0], tmp_path / "data", setenv)
    with Store(settings.database) as store:
        pipeline.run(store, settings)
        counts = store.decisions.counts("me")
        assert 5 <= counts[Lane.READ] <= 2 * settings.triage.read_per_day
        assert json.dumps(store.digests.get("me", date.fromisoformat(DAYS[0])))
