"""What a new user met in daily use: releases told once, summaries that follow an edit, runs on record as they ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from digest_samples import DAY, NOON, READER, decision, fill, item, opened

from scout import pipeline
from scout.config import DigestSettings, Settings
from scout.digest.build import build
from scout.exit_codes import Exit
from scout.items import Lane, Release
from scout.store import Store, StoreError
from scout.text import sentences


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as opened_store:
        yield opened_store


def test_a_release_stands_in_one_digest(store: Store) -> None:
    settings = Settings(digest=DigestSettings(explore=0))

    def released(name: str) -> Release:
        return Release(name, "lab", NOON, f"https://huggingface.co/{name}")

    store.releases.add([released("lab/one")], NOON)
    fill(store, [(item(1), Lane.READ)])
    first = build(store, settings, reader=READER, day=DAY)
    store.releases.add([released("lab/late")], NOON)
    fill(store, [(item(2), Lane.READ)])
    second = build(store, settings, reader=READER, day=DAY + timedelta(days=1))
    assert [[release.id for release in digest.releases] for digest in (first, second)] == [["lab/one"], ["lab/late"]]


def test_a_summary_follows_a_silent_edit_made_after_its_digest(store: Store) -> None:
    settings = Settings(today=DAY)
    before = replace(item(1), text="Agents use tools well here. The tools are small and quick. Nothing else is said.")
    store.items.add([before], NOON)
    pipeline.triage(store, settings, READER)
    store.decisions.write([decision(before, Lane.READ, 0.9)], NOON)
    build(store, settings, reader=READER, day=DAY)
    after = replace(before, text=f"A new first sentence came. {before.text} Agents use more tools now.")
    store.items.update([after], NOON, keep_version=False)
    pipeline.triage(store, replace_day(settings, 1), READER)
    summary = store.summaries.of([after.id])[after.id]
    told = sentences(after.text)
    assert summary.points
    assert all(point.text == " ".join(told[n - 1] for n in point.cites) for point in summary.points)
    assert store.summaries.outdated(by="extractive") == []


def replace_day(settings: Settings, days: int) -> Settings:
    return settings.model_copy(update={"today": DAY + timedelta(days=days)})


@pytest.mark.parametrize(
    ("err", "code", "message"),
    [
        (StoreError("the disk is full"), Exit.LATER, "the disk is full"),
        (KeyboardInterrupt(), Exit.INTERRUPTED, "stopped"),
        (ValueError("odd"), Exit.BUG, "ValueError: odd"),
    ],
)
def test_a_run_is_on_record_as_its_command_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch, err: BaseException, code: Exit, message: str
) -> None:
    def ingest(*_: object, **__: object) -> None:
        raise err

    monkeypatch.setattr(pipeline, "ingest", ingest)
    with pytest.raises(type(err)):
        pipeline.run(store, Settings(today=DAY))
    [row] = store.runs.listing(limit=1)
    assert (row.exit_code, row.message) == (code, message)
