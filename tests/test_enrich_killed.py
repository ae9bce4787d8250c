"""A run that is killed: nothing finished is asked again, nothing is lost."""

from __future__ import annotations

import math
from pathlib import Path

from enrich_samples import (
    READER,
    asked_again,
    enrich_until,
    fill,
    finished,
    item,
)  # fmt: skip
from scripted_server import ScriptedServer

from scout.store import Store


def test_killed_anywhere_it_repeats_no_call_of_a_finished_item_and_loses_none(
    tmp_path: Path, server: ScriptedServer
) -> None:
    items = [item(n) for n in range(200)]
    with Store(tmp_path / "scout.db") as store:
        fill(store, items)
    snapshots: dict[int, set[int]] = {}
    for chats in (7, 90, 200, 333, 470):
        assert enrich_until(tmp_path, server, chats) == -9
        with Store(tmp_path / "scout.db") as store:
            snapshots[len(server.chats)] = finished(store)
            assert store.check() == []
    assert enrich_until(tmp_path, server, math.inf) == 0
    assert len(max(snapshots.values(), key=len)) > 100
    assert asked_again(server, snapshots) == 0
    with Store(tmp_path / "scout.db") as store:
        assert store.ledger.waiting(READER) == []
        assert {summary.by for summary in store.summaries.of([each.id for each in items]).values()} == {"scripted"}
        assert len(store.readings.of(READER, [each.id for each in items])) == 200
