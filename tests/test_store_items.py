"""The store holds items once, under all their names, with their history, and finds them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scout.items import Item, ItemKind, Release, Signal
from scout.store import Store
from scout.store.search import fts_query

AT = datetime(2025, 12, 2, 7, tzinfo=UTC)


def paper(id: str = "arxiv:2511.00001", **changes: object) -> Item:
    base = Item(
        id, ItemKind.PAPER, "Sparse attention revisited", "https://arxiv.org/abs/2511.00001", "We study heads. It works.",
        "arxiv", authors=("Ann Lee", "Bo Ek"), categories=("cs.CL", "cs.LG"), published=AT,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "scout.db") as store:
        yield store


def test_an_item_comes_back_as_it_was_stored(store: Store) -> None:
    item = paper(comment="Accepted", updated=AT, version=2)
    store.items.add([item], AT)
    assert store.items.get(item.id) == item


def test_an_item_is_known_under_its_aliases(store: Store) -> None:
    store.items.add([paper(aliases=("doi:10.1/x", "url:lab.org/p"))], AT)
    known = store.items.known(["doi:10.1/x", "arxiv:2511.00001", "doi:10.1/y"])
    assert {asked: item.id for asked, item in known.items()} == {
        "doi:10.1/x": "arxiv:2511.00001",
        "arxiv:2511.00001": "arxiv:2511.00001",
    }


def test_storing_an_item_again_changes_nothing(store: Store) -> None:
    store.items.add([paper()], AT)
    store.items.add([paper(title="Other", source="blog")], AT + timedelta(days=1))
    stored = store.items.stored("arxiv:2511.00001")
    assert stored is not None
    assert (stored.item.title, stored.first_seen) == ("Sparse attention revisited", AT)
    assert store.items.sources_of("arxiv:2511.00001") == ["arxiv"]


def test_a_replaced_text_stays_in_the_history(store: Store) -> None:
    store.items.add([paper()], AT)
    store.items.update([paper(version=2, text="We study more heads.")], AT + timedelta(days=7))
    versions = store.items.versions("arxiv:2511.00001")
    assert [(old.version, old.text) for old in versions] == [(1, "We study heads. It works.")]
    assert store.items.get("arxiv:2511.00001") == paper(version=2, text="We study more heads.")


def test_a_silent_edit_leaves_no_version_behind(store: Store) -> None:
    store.items.add([paper()], AT)
    store.items.update([paper(text="Edited.")], AT + timedelta(hours=1), keep_version=False)
    stored = store.items.stored("arxiv:2511.00001")
    assert stored is not None
    assert (stored.item.text, stored.changed_at) == ("Edited.", AT)
    assert store.items.versions("arxiv:2511.00001") == []


def test_a_deleted_item_leaves_a_tombstone_under_every_name(store: Store) -> None:
    store.items.add([paper(aliases=("doi:10.1/x",))], AT)
    assert store.items.delete("arxiv:2511.00001", AT, reason="asked for")
    assert store.items.tombstoned(["arxiv:2511.00001", "doi:10.1/x", "doi:10.1/y"]) == {
        "arxiv:2511.00001",
        "doi:10.1/x",
    }
    assert store.items.search("sparse") == []
    assert not store.items.delete("arxiv:2511.00001", AT)


def test_search_finds_words_stems_beginnings_authors_and_phrases(store: Store) -> None:
    store.items.add(
        [paper(), paper("arxiv:2511.00002", title="Dense retrieval", text="Nothing sparse here.", authors=())], AT
    )

    def found(text: str) -> list[str]:
        return [hit.stored.item.id[-1] for hit in store.items.search(text)]

    assert found("sparse") == ["1", "2"]  # a match in the title weighs more
    assert found("attent") == ["1"]
    assert found("revisit heads") == ["1"]
    assert found("ann lee") == ["1"]
    assert found('"sparse attention"') == ["1"]
    assert found('"attention sparse"') == []


def test_search_marks_what_matched(store: Store) -> None:
    store.items.add([paper()], AT)
    assert store.items.search("attention")[0].snippet == "Sparse \x02attention\x03 revisited"


def test_search_keeps_to_its_filters(store: Store) -> None:
    post = Item(
        "url:lab.org/p", ItemKind.POST, "Sparse notes", "https://lab.org/p", "", "lab", published=AT - timedelta(days=9)
    )
    store.items.add([paper(), post], AT)
    assert [hit.stored.item.id for hit in store.items.search("sparse", kind=ItemKind.POST)] == ["url:lab.org/p"]
    assert [hit.stored.item.id for hit in store.items.search("sparse", source="lab")] == ["url:lab.org/p"]
    assert [hit.stored.item.id for hit in store.items.search("sparse", since=date(2025, 12, 1))] == ["arxiv:2511.00001"]


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_text_is_a_syntax_error(text: str) -> None:
    import sqlite3

    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5(a)")
    query = fts_query(text)
    rows = db.execute("SELECT * FROM t WHERE t MATCH ?", (query,)).fetchall() if query else []
    assert rows == []


def test_arrived_leaves_out_old_news_and_what_came_before(store: Store) -> None:
    store.items.add([paper("arxiv:2511.00001")], AT)
    cutoff = store.items.newest_seq()
    store.items.add(
        [
            paper("arxiv:2511.00002"),
            paper("arxiv:2511.00003", backlog=True),
            paper("arxiv:2511.00004", published=AT - timedelta(days=30)),
            paper("arxiv:2511.00005", published=None),
        ],
        AT,
    )
    arrived = [stored.item.id[-1] for stored in store.items.arrived(cutoff, AT - timedelta(days=7))]
    assert arrived == ["2", "5"]
    assert store.items.waiting(cutoff, AT - timedelta(days=7)) == 2


def test_the_listing_goes_by_any_source_that_brought_an_item(store: Store) -> None:
    store.items.add([paper()], AT)
    store.items.touch_sources([("arxiv:2511.00001", "hf-daily")], AT)
    assert [stored.item.id for stored in store.items.listing(source="hf-daily")] == ["arxiv:2511.00001"]
    assert store.items.listing(source="nobody") == []


def test_a_signal_keeps_its_first_day_and_newest_value(store: Store) -> None:
    store.signals.add([Signal("arxiv:2511.00001", "hf-daily", date(2025, 12, 2), 3)])
    store.signals.add([Signal("arxiv:2511.00001", "hf-daily", date(2025, 12, 3), 40)])
    assert store.signals.of(["arxiv:2511.00001"])["arxiv:2511.00001"] == [
        Signal("arxiv:2511.00001", "hf-daily", date(2025, 12, 2), 40)
    ]
    assert store.signals.picks(since=date(2025, 12, 3)) == {}


def test_releases_are_stored_once_and_listed_by_time(store: Store) -> None:
    old, new = (Release(f"lab/m{n}", "lab", AT + timedelta(days=n), "https://hub/lab/m", ("text",)) for n in (0, 1))
    assert store.releases.add([old, new], AT) == 2
    assert store.releases.add([old], AT) == 0
    assert store.releases.listing() == [new, old]
    assert store.releases.listing(until=new.published) == [old]


def test_an_address_is_looked_up_by_an_index_and_never_in_all_items(store: Store) -> None:
    plan = store.rows(
        "EXPLAIN QUERY PLAN SELECT id FROM items WHERE url = ? ORDER BY seq LIMIT 1", "https://a.example/1"
    )
    assert [row["detail"] for row in plan] == ["SEARCH items USING INDEX items_url (url=?)"]
