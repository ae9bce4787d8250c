"""A model that is away, slow, busy or not to be used: items wait, the digest appears, the next run reads on."""

from __future__ import annotations

import pytest
import scripted_server as scripted
from enrich_samples import (
    DAY,
    NOON,
    READER,
    fill,
    honest,
    item,
    number_of,
    read,
    settings,
)  # fmt: skip
from scripted_server import Request, ScriptedServer

from scout import pipeline
from scout.digest.build import build
from scout.exit_codes import Exit
from scout.ingest import IngestReport
from scout.reading.enrich import enrich
from scout.serving.errors import ModelFault
from scout.store import Store
from scout.store.summaries import EXTRACTIVE


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (scripted.status(500), ModelFault.AWAY),
        (scripted.CLOSE, ModelFault.AWAY),
        (scripted.status(429, Retry_After="3600"), ModelFault.BUSY),
        (scripted.status(401), ModelFault.REFUSED),
    ],
    ids=["500", "closed", "429", "401"],
)
def test_what_is_not_read_waits_and_is_read_the_next_time(
    store: Store, server: ScriptedServer, fault: scripted.Fault, kind: ModelFault
) -> None:
    fill(store, [item(n) for n in range(4)])
    server.fails(fault, times=None)
    report = read(store, server)
    assert (report.done, report.waiting, report.stopped) == (0, 4, kind)
    assert report.misconfigured == (kind is ModelFault.REFUSED)
    server.recovers()
    assert (read(store, server).done, store.ledger.waiting(READER)) == (4, [])


def test_a_wrong_model_name_is_a_matter_of_settings(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(1)])
    report = read(store, server, name="nobody")
    assert report.stopped is ModelFault.NO_MODEL
    assert report.misconfigured


def test_a_server_that_dies_half_way_loses_nothing(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(n) for n in range(12)])

    def dies(request: Request) -> str | None:
        if len(server.chats) > 15:
            server.fails(scripted.CLOSE, times=None)
        return honest(request)

    server.script = dies
    first = read(store, server, concurrency=2)
    assert first.away
    assert 0 < first.done < 12
    done = {number_of(r) for r in server.chats if r.schema}
    server.recovers()
    server.script = honest
    second = read(store, server)
    assert first.done + second.done == 12
    assert len(done) >= first.done


def test_a_frozen_digest_keeps_its_words_and_its_items_are_read_later(store: Store, server: ScriptedServer) -> None:
    fill(store, [item(n) for n in range(3)])
    pipeline.summarize(store, [item(n) for n in range(3)])
    server.fails(scripted.status(500), times=None)
    chosen = settings(store.path.parent, server.base_url)
    assert read(store, server).away
    made = build(store, chosen, reader=READER, day=DAY)
    assert "3 items wait for the model; their summaries are sentences of their own." in made.note
    server.recovers()
    tomorrow = chosen.model_copy(update={"today": DAY.replace(day=3)})
    assert enrich(store, tomorrow, READER).done == 3
    assert build(store, chosen, reader=READER, day=DAY) == made
    assert {store.summaries.of([item(n).id])[item(n).id].by for n in range(3)} == {"scripted"}


@pytest.fixture
def _nothing_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "ingest", lambda *args, **named: IngestReport())


@pytest.mark.usefixtures("_nothing_polled")
def test_a_run_without_its_model_makes_the_digest_and_ends_with_75(store: Store, server: ScriptedServer) -> None:
    chosen = settings(store.path.parent, server.base_url)
    store.items.add([item(n) for n in range(3)], NOON)
    server.stop()
    first = pipeline.run(store, chosen)
    assert first.code is Exit.LATER
    assert "3 items wait for it with extractive summaries" in first.message
    assert "\n" not in first.message
    made = store.digests.get(READER, DAY)
    assert made is not None
    assert "wait for the model" in made["note"]
    assert {entry["summary"]["by"] for block in made["subjects"] for entry in block["items"]} <= {EXTRACTIVE}
    server.start()
    second = pipeline.run(store, chosen)
    assert second.code is Exit.DONE
    assert "3 read by scripted" in second.message
    assert store.ledger.waiting(READER) == []
    assert store.digests.get(READER, DAY) == made


@pytest.mark.usefixtures("_nothing_polled")
def test_a_run_with_its_model_puts_its_summaries_into_the_digest(store: Store, server: ScriptedServer) -> None:
    store.items.add([item(n) for n in range(3)], NOON)
    report = pipeline.run(store, settings(store.path.parent, server.base_url))
    assert (report.code, report.enriched[0].done) == (Exit.DONE, 3)
    done = ["ingest", "threads", "triage me", "enrich me", "digest me", "tidy"]
    assert [stage["name"] for stage in report.stages] == done
    made = store.digests.get(READER, DAY)
    assert made is not None
    assert "model" not in made["note"]
    shown = [entry for block in made["subjects"] for entry in block["items"]] + made["unsure"]
    assert {entry["summary"]["by"] for entry in shown if entry["lane"] != "skip"} == {"scripted"}


@pytest.mark.usefixtures("_nothing_polled")
def test_a_wrong_key_is_a_matter_of_settings(store: Store, server: ScriptedServer) -> None:
    store.items.add([item(1)], NOON)
    server.key = "secret"
    report = pipeline.run(store, settings(store.path.parent, server.base_url))
    assert report.code is Exit.CONFIG
    assert "model.api_key" in report.message
    assert store.digests.get(READER, DAY) is not None


@pytest.mark.usefixtures("_nothing_polled")
@pytest.mark.parametrize(
    ("fault", "code", "done"),
    [
        (scripted.status(500, "CUDA out of memory"), Exit.LATER, 0),
        (scripted.status(429, Retry_After="3600"), Exit.LATER, 0),
        (scripted.status(404, "The model `x` does not exist."), Exit.CONFIG, 0),
        (scripted.CLOSE, Exit.LATER, 0),
        (scripted.TRUNCATED, Exit.DONE, 3),
        (scripted.NOT_UTF8, Exit.DONE, 3),
        (scripted.too_long(), Exit.DONE, 3),
        (scripted.status(400, "no schemas here"), Exit.DONE, 3),
    ],
    ids=["out-of-memory", "429", "wrong-model", "broken-off", "truncated", "not-utf8", "too-long", "rejected"],
)
def test_whatever_the_model_does_a_run_makes_the_digest_says_so_and_the_next_reads_on(
    store: Store, server: ScriptedServer, fault: scripted.Fault, code: Exit, done: int
) -> None:
    chosen = settings(store.path.parent, server.base_url)
    store.items.add([item(n) for n in range(3)], NOON)
    server.fails(fault, times=None)
    first = pipeline.run(store, chosen)
    assert (first.code, first.enriched[0].done) == (code, done)
    made = store.digests.get(READER, DAY)
    assert made is not None
    shown = [entry for block in made["subjects"] for entry in block["items"]] + made["unsure"]
    assert {entry["summary"]["by"] for entry in shown} == {EXTRACTIVE}
    told = "2 items nothing could be shown (2 unreadable)" if done else "2 items wait for the model"
    assert len(shown) == 2
    assert told in made["note"]
    server.recovers()
    second = pipeline.run(store, chosen)
    assert second.code is Exit.DONE
    assert store.ledger.waiting(READER) == []
    assert len(store.readings.of(READER, [item(n).id for n in range(3)])) == 3


@pytest.mark.usefixtures("_nothing_polled")
def test_a_server_that_comes_back_in_the_middle_of_a_run_is_gone_on_with(store: Store, server: ScriptedServer) -> None:
    store.items.add([item(n) for n in range(6)], NOON)
    server.fails(scripted.CLOSE, times=4)
    report = pipeline.run(store, settings(store.path.parent, server.base_url, concurrency=1))
    assert (report.code, report.enriched[0].done, report.enriched[0].waiting) == (Exit.DONE, 6, 0)
