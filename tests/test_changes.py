"""What a poll changes: new, updated, replaced or only seen again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scout.changes import Authority, Changes, Known, changes
from scout.items import Item, ItemId, ItemKind

NOW = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)
PAPER = Item(
    "arxiv:2511.00001", ItemKind.PAPER, "Herding sheep", "https://arxiv.org/abs/2511.00001", "We herd.", "arxiv",
    authors=("Ada Doe",), categories=("cs.LG",), published=NOW,
)  # fmt: skip
POST = Item("url:example.org/p", ItemKind.POST, "A post", "https://example.org/p", "Its text.", "blog", published=NOW)


def decide(
    *items: Item,
    known: Iterable[Item] = (),
    tombstones: Set[ItemId] = frozenset(),
    by: Authority = Authority.FEED,
    known_by: Authority = Authority.FEED,
    age: timedelta = timedelta(days=2),
    aliases: Mapping[ItemId, Item] | None = None,
) -> Changes:
    rows = {item.id: item for item in known} | dict(aliases or {})
    stored = {asked: Known(item, NOW - age, known_by) for asked, item in rows.items()}
    return changes(stored, tombstones, items, authority=by, now=NOW)


def arxiv(*items: Item, known: Iterable[Item] = (), known_by: Authority = Authority.ARXIV) -> Changes:
    return decide(*items, known=known, by=Authority.ARXIV, known_by=known_by)


def test_what_was_not_known_is_new() -> None:
    assert decide(POST) == Changes(new=(POST,))


def test_what_was_deleted_never_comes_back() -> None:
    assert decide(POST, tombstones={POST.id}) == Changes()


def test_what_says_the_same_is_only_seen_again() -> None:
    again = replace(POST, title=" a POST", text="Its\n\ntext.")
    assert decide(again, known=[POST]) == Changes(seen=frozenset({POST.id}))


def test_an_item_twice_in_one_poll_counts_once_its_higher_version_winning() -> None:
    second = replace(PAPER, version=2, text="We herd better.")
    assert arxiv(second, PAPER).new == (second,)
    assert arxiv(PAPER, second).new == (second,)


def test_a_second_version_of_a_paper_updates_it_and_keeps_what_the_first_said_of_itself() -> None:
    second = replace(PAPER, version=2, text="We herd better.", published=None, backlog=True, updated=NOW)
    (updated,) = arxiv(second, known=[PAPER]).updated
    assert (updated.version, updated.text, updated.updated) == (2, "We herd better.", NOW)
    assert (updated.published, updated.backlog) == (PAPER.published, False)


def test_an_earlier_version_changes_nothing() -> None:
    second = replace(PAPER, version=2, text="We herd better.")
    assert arxiv(PAPER, known=[second]) == Changes(seen=frozenset({PAPER.id}))


def test_one_version_of_a_paper_has_one_text_however_its_two_services_write_it() -> None:
    differently = replace(PAPER, text="We herd, said otherwise.", authors=("A. Doe",))
    assert arxiv(differently, known=[PAPER]).updated == ()
    assert arxiv(differently, known=[PAPER]).replaced == ()


def test_what_was_not_said_before_is_filled_in_without_a_new_version() -> None:
    found = arxiv(replace(PAPER, comment="8 pages"), known=[PAPER])
    assert [item.comment for item in found.replaced] == ["8 pages"]
    assert found.updated == ()


def test_arxiv_knows_better_than_the_hub_and_the_hub_never_better_than_arxiv() -> None:
    from_hub = replace(PAPER, source="hf-daily", text="We herd, cut…", categories=())
    found = arxiv(PAPER, known=[from_hub], known_by=Authority.HUB)
    assert [(item.text, item.categories, item.source) for item in found.replaced] == [
        ("We herd.", ("cs.LG",), "hf-daily")
    ]
    other_way = decide(from_hub, known=[PAPER], by=Authority.HUB, known_by=Authority.ARXIV)
    assert other_way == Changes(seen=frozenset({PAPER.id}))


def test_old_news_becomes_news_when_arxiv_announces_it_and_not_when_a_feed_shows_it_again() -> None:
    old = replace(PAPER, backlog=True, published=None)
    (news,) = arxiv(PAPER, known=[old]).replaced
    assert (news.backlog, news.published) == (False, NOW)
    old_post = replace(POST, backlog=True)
    assert decide(POST, known=[old_post]) == Changes(seen=frozenset({POST.id}))


@pytest.mark.parametrize(
    ("age", "kept"), [(timedelta(hours=1), False), (timedelta(hours=23), False), (timedelta(hours=25), True)]
)
def test_silent_edits_leave_one_version_a_day(age: timedelta, kept: bool) -> None:
    edited = replace(POST, text="Its text, edited.")
    found = decide(edited, known=[POST], age=age)
    assert [item.text for item in (found.updated if kept else found.replaced)] == ["Its text, edited."]
    assert (found.replaced if kept else found.updated) == ()


def test_a_clock_moved_back_does_not_swallow_versions() -> None:
    edited = replace(POST, text="Its text, edited.")
    assert decide(edited, known=[POST], age=timedelta(days=-3)).updated


def test_silence_erases_nothing() -> None:
    silent = replace(POST, text="", published=None, title="A post, renamed")
    (updated,) = decide(silent, known=[POST]).updated
    assert (updated.text, updated.published, updated.title) == ("Its text.", NOW, "A post, renamed")


def test_a_post_that_moved_is_found_by_its_guid_and_its_title() -> None:
    moved = replace(POST, id="url:example.org/new", url="https://example.org/new", aliases=("guid:blog:1",))
    found = decide(moved, aliases={"guid:blog:1": POST})
    assert found.new == ()
    assert found.seen == {POST.id}


def test_a_guid_used_again_for_another_post_merges_nothing() -> None:
    other = replace(POST, id="url:example.org/other", title="Another post", aliases=("guid:blog:1",))
    assert decide(other, aliases={"guid:blog:1": POST}).new == (other,)
