"""A store with decided items and a scripted model to read them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from scripted_server import Request, ScriptedServer

from scout.config import Model, Settings
from scout.items import Contribution, Decision, Item, ItemKind, Lane
from scout.reading.enrich import EnrichReport, enrich
from scout.store import Store

DAY = date(2025, 12, 2)
NOON = datetime(2025, 12, 2, 12, tzinfo=UTC)
READER = "me"
_SENTENCE = re.compile(r"^\[(\d+)\] (.*)$", re.M)
_NUMBER = re.compile(r"Paper number (\d+)")


def item(number: int, text: str | None = None) -> Item:
    return Item(
        id=f"arxiv:2512.{number:05d}",
        kind=ItemKind.PAPER,
        title=f"Paper number {number}",
        url="",
        text=f"We study agents of kind {number}. They solve {number + 3} tasks. A reward model helps them."
        if text is None
        else text,
        source="arxiv",
        published=NOON,
    )


def decision(of: Item, *, lane: Lane = Lane.READ, probability: float = 0.6, why: str = "word: agents") -> Decision:
    return Decision(
        item_id=of.id, reader=READER, policy="linear-1:aaaa", subject="agents", subjects={"agents": 0.75, "other": 0.25},
        probability=probability, lane=lane, why=(Contribution(why, 0.4055), Contribution("base rate", 0.0)),
    )  # fmt: skip


def fill(store: Store, items: Sequence[Item], decisions: Sequence[Decision] | None = None) -> None:
    store.items.add(items, NOON)
    store.decisions.write(decisions if decisions is not None else [decision(each) for each in items], NOON)
    store.readers.ensure(READER, NOON)


def settings(folder: Path, *urls: str, **model: Any) -> Settings:
    chosen = {"timeout_seconds": 20.0, "items_per_run": 1000, "tokens_per_run": 10_000_000, "concurrency": 8, **model}
    return Settings(data_dir=folder, today=DAY, model=Model(base_urls=urls, **chosen))


def read(store: Store, server: ScriptedServer, **model: Any) -> EnrichReport:
    return enrich(store, settings(store.path.parent, server.base_url, **model), READER)


def outcome(store: Store, of: Item) -> str:
    return store.readings.of(READER, [of.id])[of.id].outcome


def sentences_of(request: Request) -> list[tuple[int, str]]:
    """The numbered sentences that the model was shown, wherever in the conversation."""
    shown = str(request.messages[1]["content"])
    return [(int(number), text) for number, text in _SENTENCE.findall(shown)]


def is_about_an_item(request: Request) -> bool:
    """Or else only whether anybody is there."""
    return len(request.messages) > 1


def number_of(request: Request) -> int:
    """Which of our items it is about."""
    found = _NUMBER.search(str(request.messages[1]["content"]))
    assert found is not None
    return int(found[1])


def summary_of(request: Request) -> dict[str, Any]:
    """An honest summary: the sentences themselves."""
    told = sentences_of(request)
    points = [{"text": text, "cites": [number]} for number, text in told[:5]]
    return {"tldr": told[0][1], "points": points, "new": points[-1], "why_it_matters": points[0]}


def honest(request: Request) -> str | None:
    return json.dumps(summary_of(request)) if request.schema else None


def keen(request: Request, tokens: Sequence[str]) -> Mapping[str, float]:
    """Everything is of the first subject and a 5; every claim follows."""
    return {token: 1.0 if token.strip() in ("A", "5", "Y") else 0.0 for token in tokens}


def bored(request: Request, tokens: Sequence[str]) -> Mapping[str, float]:
    return {token: 1.0 if token.strip() in ("A", "1", "N") else 0.0 for token in tokens}


def obliging(server: ScriptedServer) -> ScriptedServer:
    server.script, server.labelling = honest, keen
    return server


def summaries_asked(server: ScriptedServer) -> Counter[int]:
    """How often a summary of each item was asked for."""
    return Counter(number_of(request) for request in server.chats if request.schema)


_CHILD = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from enrich_samples import READER, settings
from scout.reading.enrich import enrich
from scout.store import Store
folder = Path(sys.argv[2])
with Store(folder / "scout.db") as store:
    report = enrich(store, settings(folder, sys.argv[3]), READER)
os._exit(75 if report.away else 0)
"""


def enrich_until(folder: Path, server: ScriptedServer, chats: float) -> int:
    """Enrich in a process of its own that is killed when so many chats were asked in all; how it ended, -9 where killed."""
    command = [sys.executable, "-c", _CHILD, str(Path(__file__).parent), str(folder), server.base_url]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[1])

    def and_die(request: Request) -> None:
        if len(server.chats) >= chats:
            child.kill()

    server.trouble = and_die
    try:
        return child.wait()
    finally:
        child.kill()
        server.trouble = lambda request: None


def finished(store: Store) -> set[int]:
    """The numbers of the items that a model has read."""
    return {int(row["item_id"][-5:]) for row in store.rows("SELECT item_id FROM ledger WHERE stage = 'enrich'")}


def asked_again(server: ScriptedServer, snapshots: Mapping[int, set[int]]) -> int:
    """Calls for items that were finished before them: `snapshots` says what was finished after how many chats."""
    chats = [number_of(request) if is_about_an_item(request) else -1 for request in server.chats]
    return sum(number in done for count, done in snapshots.items() for number in chats[count:])
