"""The stage in which a model reads: what it reads, what it leaves, what it stores."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from enrich_samples import (
    NOON,
    READER,
    bored,
    decision,
    fill,
    item,
    keen,
    number_of,
    read,
    settings,
    summaries_asked,
)  # fmt: skip
from scripted_server import ScriptedServer

from scout.items import Lane
from scout.reading.enrich import enrich
from scout.reading.reader import Outcome
from scout.store import Store
from scout.store.summaries import text_hash
from scout.triage.llm import RATING


def test_an_item_is_rated_routed_and_summarized_and_the_whole_is_stored(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(1)])
    report = read(store, server)
    assert (report.done, report.waiting, report.model, report.away) == (1, 0, "scripted", False)
    assert report.outcomes == {Outcome.SUMMARIZED: 1}
    decided = store.decisions.of(READER, [item(1).id])[item(1).id]
    assert decided.policy.startswith("llm-1:scripted:")
    assert decided.probability > 0.6
    assert any(part.feature == RATING and part.weight > 0 for part in decided.why)
    summary = store.summaries.of([item(1).id])[item(1).id]
    assert summary.by == "scripted"
    assert summary.tldr == "We study agents of kind 1."
    assert [point.cites for point in summary.points] == [(1,), (2,), (3,)]
    kept = store.readings.of(READER, [item(1).id])[item(1).id]
    assert kept.new is not None
    assert kept.new.cites == (3,)
    assert kept.why_it_matters is not None
    assert kept.rating == pytest.approx(0.98)


def test_without_an_endpoint_nothing_happens_and_no_client_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'tests'); from enrich_samples import *\n"
        "from scout import pipeline; from scout.reading.enrich import enrich\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "with Store(folder / 'scout.db') as store:\n"
        "    fill(store, [item(1)]); report = enrich(store, settings(folder), READER)\n"
        "    assert report.done == report.waiting == 0 and not store.rows('SELECT * FROM ledger')\n"
        "assert 'scout.serving.client' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


def test_a_second_run_asks_nothing_again(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(n) for n in range(5)])
    read(store, server)
    asked = len(server.chats)
    again = read(store, server)
    assert (again.done, again.waiting) == (0, 0)
    assert len(server.chats) == asked


def test_a_new_text_is_read_again_from_the_embedded_decision(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(1)])
    read(store, server)
    changed = replace(item(1), text="We withdraw the study of agents. It has an error.", version=2)
    store.items.update([changed], NOON)
    assert read(store, server).done == 1
    assert store.readings.of(READER, [item(1).id])[item(1).id].text_hash == text_hash(changed)
    assert all(summary.tldr != "We study agents of kind 1." for summary in store.summaries.of([item(1).id]).values())


def test_the_read_lane_comes_first_then_unsure_then_the_likeliest(store: Store, server: ScriptedServer) -> None:
    lanes = [(1, Lane.SKIP, 0.1), (2, Lane.UNSURE, 0.3), (3, Lane.READ, 0.5), (4, Lane.READ, 0.7), (5, Lane.SKIP, 0.2)]
    items = [item(n) for n, _, _ in lanes]
    fill(store, items, [decision(item(n), lane=lane, probability=p) for n, lane, p in lanes])
    read(store, server, items_per_run=4, concurrency=1)
    order = list(dict.fromkeys(number_of(request) for request in server.chats))
    assert order == [4, 3, 2, 5]


def test_what_a_rule_blocks_or_the_reader_hid_is_never_asked(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(1), item(2)], [decision(item(1), why="rule: block word: agents"), decision(item(2))])
    read(store, server)
    assert {number_of(request) for request in server.chats} == {2}


def test_the_budget_of_items_is_the_digests_and_not_each_calls(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(n) for n in range(9)])
    assert read(store, server, items_per_run=4).done == 4
    assert read(store, server, items_per_run=4).done == 0
    assert read(store, server, items_per_run=6).done == 2


def test_tokens_and_minutes_end_it_and_the_rest_waits(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(n) for n in range(6)])
    some = read(store, server, tokens_per_run=8_000, concurrency=1)
    assert 0 < some.done < 6
    assert some.waiting == 6 - some.done
    assert not some.away
    assert read(store, server, minutes_per_run=0).done == 0
    assert read(store, server).waiting == 0


def test_an_item_rated_low_is_not_summarized(store: Store, server: ScriptedServer) -> None:
    server.labelling = bored
    fill(store, [item(1)], [decision(item(1), probability=0.001, lane=Lane.SKIP)])
    assert read(store, server).outcomes == {Outcome.NOT_WANTED: 1}
    assert summaries_asked(server) == {}


def test_no_prompt_holds_another_items_text(store: Store, server: ScriptedServer) -> None:
    texts = {n: f"Zebra{n} agents live in a habitat of reward. They count {n}." for n in range(6)}
    fill(store, [item(n, text) for n, text in texts.items()])
    read(store, server)
    assert len(server.chats) == 18
    for request in server.chats:
        said = json.dumps(request.body)
        assert [n for n in texts if f"Zebra{n} " in said] == [number_of(request)]


def test_several_readers_share_the_budget(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(n) for n in range(9)])
    chosen = settings(store.path.parent, server.base_url, items_per_run=8)
    assert enrich(store, chosen, READER, readers=2).done == 4


def test_every_label_is_asked_with_low_priority(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(1)])
    server.labelling = keen
    read(store, server)
    assert {request.body["priority"] for request in server.chats} == {10}
