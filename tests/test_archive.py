"""Old items go to Parquet and come back as they were; what anyone was shown or spoke of stays; killed anywhere, nothing is lost."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from kill_dump import differences, dump
from thread_samples import paper

from scout.changes import Authority, changes
from scout.cli.app import app
from scout.config import Settings
from scout.items import Aspect, Contribution, Decision, Feedback, Impression, Item, Lane, Signal, Slot, Summary
from scout.keeping import archive as archives
from scout.store import Store, StoreError
from scout.store.ledger import Key
from scout.store.tidy import tidy

OLD = datetime(2024, 12, 30, 7, tzinfo=UTC)
NEW = datetime(2025, 12, 2, 7, tzinfo=UTC)
BEFORE = date(2025, 6, 1)
SHOWN, THUMBED, SAVED, UNDONE = 20, 21, 22, 23


def old(number: int) -> Item:
    return replace(
        paper(number, title=f"Old matter {number} of attention"), published=OLD, aliases=(f"doi:10.1/{number}",)
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with Store(settings.database) as opened:
        fill(opened)
        yield opened


def fill(store: Store) -> None:
    """Twenty-four old items in two months, of which four were shown or spoken of, and three of today."""
    items = [old(n) for n in range(24)]
    store.items.add(items[:12], OLD)
    store.items.add(items[12:], OLD + timedelta(days=20))
    store.items.add([paper(100 + n) for n in range(3)], NEW)
    store.items.update([replace(items[3], version=2, text="Another text. It says more.")], OLD + timedelta(days=1))
    store.readers.ensure("me", OLD)
    store.signals.add([Signal(items[2].id, "hf-daily", OLD.date(), 7.0)])
    why = (Contribution("word: attention", 0.5),)
    store.decisions.write(
        [Decision(i.id, "me", "linear-2:a", "agents", {"agents": 1.0}, 0.1, Lane.SKIP, why) for i in items], OLD
    )
    store.ledger.mark(Key(stage="triage", reader="me"), [i.id for i in items], OLD)
    store.summaries.write([(i, Summary(i.id, "It matters.", (), "extractive")) for i in items], OLD)
    shown = Impression("me", items[SHOWN].id, OLD.date(), 0, Lane.READ, 1.0, "linear-2:a", Slot.DIGEST)
    store.digests.save(
        "me", OLD.date(), made_at=OLD, policy="", cutoff=store.items.newest_seq(), snapshot={}, impressions=[shown]
    )
    for number, aspect in ((THUMBED, Aspect.THUMB), (SAVED, Aspect.SAVED), (UNDONE, Aspect.THUMB)):
        store.feedback.add(Feedback("me", items[number].id, aspect, "yes" if aspect is Aspect.SAVED else "up", NEW))
    store.feedback.undo("me", item=items[UNDONE].id, at=NEW)


def left(store: Store) -> set[int]:
    return {int(row["id"][-5:]) for row in store.rows("SELECT id FROM items")}


def test_what_nobody_was_shown_or_spoke_of_moves_by_month_and_the_rest_stays(store: Store, settings: Settings) -> None:
    words = dump(settings.database)["feedback"]
    moved = archives.archive(store, settings, BEFORE, keep={old(5).id})
    assert left(store) == {5, SHOWN, THUMBED, SAVED, UNDONE, 100, 101, 102}
    assert moved.items == 19
    assert [file.name[:7] for file in moved.files] == ["2024-12", "2025-01"]
    assert dump(settings.database)["feedback"] == words
    assert store.check() == []
    assert [hit.stored.item.id for hit in store.items.search("old matter 7")] == []


def test_what_is_put_back_is_as_it_was(store: Store, settings: Settings) -> None:
    before = dump(settings.database)
    archives.archive(store, settings, BEFORE)
    for month in ("2024-12", "2025-01"):
        archives.restore(store, settings, month=month)
    after = dump(settings.database)
    after["archive_files"] = []
    assert differences(before, after) == []
    assert store.items.versions(old(3).id)[0].version == 1
    assert archives.restore(store, settings, month="2024-12") == 0  # all there already


def test_a_second_time_moves_nothing(store: Store, settings: Settings) -> None:
    archives.archive(store, settings, BEFORE)
    once = dump(settings.database)
    assert archives.archive(store, settings, BEFORE).items == 0
    assert dump(settings.database) == once


def test_the_files_can_be_read_by_anything_that_reads_parquet(store: Store, settings: Settings) -> None:
    from pyarrow import parquet

    moved = archives.archive(store, settings, BEFORE)
    rows = [row for file in moved.files for row in parquet.read_table(file).to_pylist()]
    first = next(row for row in rows if row["id"] == old(0).id)
    assert (first["title"], first["authors"], first["published"][:10]) == (
        old(0).title,
        list(old(0).authors),
        "2024-12-30",
    )


def test_a_feed_that_still_lists_an_archived_item_does_not_bring_it_back(store: Store, settings: Settings) -> None:
    archives.archive(store, settings, BEFORE)
    gone = store.items.tombstoned([old(0).id, paper(100).id])
    assert gone == {old(0).id}
    assert changes({}, gone, [old(0)], authority=Authority.ARXIV, now=NEW).new == ()


def test_a_new_version_of_an_archived_paper_brings_it_back(store: Store, settings: Settings) -> None:
    archives.archive(store, settings, BEFORE)
    ids = [old(0).id, old(3).id, paper(100).id]
    gone, versions = store.items.tombstoned(ids), store.archive.versions(ids)
    assert versions == {old(0).id: 1, old(3).id: 2}
    polled = [replace(old(0), version=2, text="A second cohort confirms it."), replace(old(3), version=2)]
    for authority, expected in ((Authority.ARXIV, [old(0).id]), (Authority.FEED, [])):
        found = changes({}, gone, polled, authority=authority, now=NEW, archived=versions)
        assert [item.id for item in found.new] == expected
    store.items.add(polled[:1], NEW)
    assert store.archive.file_of(old(0).id) is None
    archives.restore(store, settings, month="2024-12")
    assert [(v.text, v.version) for v in [store.items.get(old(0).id)] if v] == [("A second cohort confirms it.", 2)]
    assert [hit.stored.item.id for hit in store.items.search("second cohort confirms")] == [old(0).id]
    assert store.check() == []


def test_what_no_digest_has_considered_yet_stays(store: Store, settings: Settings) -> None:
    store.readers.ensure("ada", NEW)
    assert archives.archive(store, settings, BEFORE).items == 0


def test_a_damaged_or_missing_file_is_told_and_nothing_is_put_back(store: Store, settings: Settings) -> None:
    first, second = archives.archive(store, settings, BEFORE).files
    first.write_bytes(first.read_bytes()[:-10])
    second.unlink()
    for month, told in (("2024-12", "checksum differs"), ("2025-01", "is gone")):
        with pytest.raises(archives.BadArchive, match=told):
            archives.restore(store, settings, month=month)
    assert 0 not in left(store)


def test_a_disk_that_holds_something_else_takes_nothing_away(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(settings.database)
    plain = archives._write
    monkeypatch.setattr(archives, "_write", lambda path, records: plain(path, records[1:]))
    with pytest.raises(StoreError, match="nothing was taken away"):
        archives.archive(store, settings, BEFORE)
    assert dump(settings.database) == before
    assert list((settings.data_dir / "archive").iterdir()) == []


@pytest.mark.parametrize("count", [3, 10, 25, 40, 60])
def test_killed_before_any_statement_it_goes_on_and_nothing_is_lost(tmp_path: Path, count: int) -> None:
    """The dump of archive and tables together is what it is when nobody disturbs."""

    def all_of_it(settings: Settings) -> tuple[set[int], list[str]]:
        with Store(settings.database) as store:
            archives.archive(store, settings, BEFORE)
            files = [archives.FOLDER + "/" + each.file for each in store.archive.files()]
            assert sorted(files) == sorted(f"archive/{f.name}" for f in (settings.data_dir / "archive").iterdir())
            held = [r.item["id"] for name in files for r in archives.read(settings.data_dir / name)]
            assert store.check() == []
            return left(store), sorted(held)

    whole, killed = (Settings().model_copy(update={"data_dir": tmp_path / name}) for name in ("whole", "killed"))
    for settings in (whole, killed):
        with Store(settings.database) as store:
            fill(store)
    child = os.fork()
    if child == 0:
        seen = 0

        def trace(sql: str) -> None:
            nonlocal seen
            seen += 1
            if seen == count:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            with Store(killed.database) as store:
                store.db.conn.set_trace_callback(trace)
                archives.archive(store, killed, BEFORE)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert all_of_it(killed) == all_of_it(whole)


def test_the_commands_move_name_and_put_back(store: Store, settings: Settings) -> None:
    store.close()
    runner = CliRunner(env={"SCOUT_DATA_DIR": str(settings.data_dir)})
    assert "20 items moved" in runner.invoke(app, ["archive", "--before", "2025-06-01", "--compact"]).output
    assert [each["items"] for each in json.loads(runner.invoke(app, ["archive", "list", "--json"]).stdout)] == [12, 8]
    assert "In the archive 20 more" in runner.invoke(app, ["search", "old", "matter"]).output
    told = runner.invoke(app, ["show", "2512.00007"])
    assert (told.exit_code, "is in the archive" in told.output) == (1, True)
    assert "1 items are back" in runner.invoke(app, ["archive", "restore", "2512.00007"]).output
    assert runner.invoke(app, ["show", "2512.00007"]).exit_code == 0
    assert runner.invoke(app, ["archive", "--before", "2999-01-01"]).exit_code == 2


def test_tidying_lets_go_what_can_be_made_again_of_what_nobody_saw(store: Store) -> None:
    assert tidy(store, NEW - timedelta(days=30), NEW) == 24
    assert tidy(store, NEW - timedelta(days=30), NEW) == 0
    with_reasons = {int(i[-5:]) for i, d in store.decisions.of("me", [old(n).id for n in range(24)]).items() if d.why}
    assert with_reasons == {SHOWN, THUMBED, SAVED, UNDONE}
    assert {int(i[-5:]) for i in store.summaries.of([old(n).id for n in range(24)])} == with_reasons
    assert store.items.count() == 27
    assert store.decisions.undecided("me", after_seq=0)[0].item.id == paper(100).id  # no old one is decided anew
