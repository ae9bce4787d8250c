"""A reader's word comes in, and what a policy is told of a reader."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scout import config, readers
from scout.items import Aspect, Item, ItemKind
from scout.store import Store

AT = datetime(2025, 12, 2, 7, tzinfo=UTC)
PAPER = Item(
    "arxiv:2511.00001", ItemKind.PAPER, "Sparse attention", "https://arxiv.org/abs/2511.00001", "Text.", "arxiv"
)
POST = Item("url:lab.org/post", ItemKind.POST, "A post", "https://lab.org/post", "Text.", "lab")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "scout.db") as store:
        store.items.add([PAPER, POST], AT)
        yield store


def give(store: Store, ref: str, aspect: Aspect = Aspect.THUMB, value: str = "up", **more: object) -> object:
    return readers.give(store, config.load(), reader="me", ref=ref, aspect=aspect, value=value, at=AT, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ref", "id"),
    [
        ("arxiv:2511.00001", PAPER.id), ("2511.00001v3", PAPER.id), ("https://arxiv.org/pdf/2511.00001", PAPER.id),
        ("https://www.lab.org/post/?utm_source=x", POST.id), ("url:lab.org/post", POST.id),
    ],
)  # fmt: skip
def test_an_item_is_found_by_whatever_a_person_calls_it(store: Store, ref: str, id: str) -> None:
    assert readers.find(store, ref).id == id


@pytest.mark.parametrize("ref", ["", "nonsense", "arxiv:9999.99999", "'; DROP TABLE items; --"])
def test_an_unknown_item_is_named_and_nothing_is_stored(store: Store, ref: str) -> None:
    with pytest.raises(readers.UnknownItem, match="scout search"):
        give(store, ref)
    assert store.feedback.newest_id() == 0


def test_a_word_makes_its_reader_known(store: Store) -> None:
    give(store, "2511.00001")
    assert [reader.name for reader in store.readers.all()] == ["me"]
    assert [thumb.item_id for thumb in store.feedback.thumbs("me")] == [PAPER.id]


@pytest.mark.parametrize(
    ("aspect", "value", "reasons"),
    [(Aspect.THUMB, "sideways", ()), (Aspect.SUBJECT, "no-such", ()), (Aspect.THUMB, "up", ("because",))],
)
def test_a_word_that_means_nothing_says_what_may_be_said(
    store: Store, aspect: Aspect, value: str, reasons: tuple[str, ...]
) -> None:
    with pytest.raises(readers.BadFeedback, match="is one of"):
        give(store, PAPER.id, aspect, value, reasons=reasons)


def test_a_profile_holds_thumbs_with_their_items_and_leaves_out_deleted_ones(store: Store) -> None:
    give(store, PAPER.id)
    give(store, POST.id, value="down", reasons=("hype",))
    give(store, POST.id, Aspect.SUBJECT, "agents")
    store.items.delete(PAPER.id, AT)
    profile = readers.profile(store, config.load(), "me")
    assert [(thumb.item.id, thumb.up, thumb.reasons) for thumb in profile.thumbs] == [(POST.id, False, ("hype",))]
    assert profile.corrections == {POST.id: "agents"}
    assert profile.followed is None


def test_liked_examples_are_what_the_store_knows_or_what_bibtex_tells(store: Store, tmp_path: Path) -> None:
    (tmp_path / "scout.toml").write_text(
        '[[subjects]]\nslug = "s"\nname = "S"\n'
        'liked = ["2511.00001", "arxiv:2401.99999", "@misc{x, title={Unknown but told}, abstract={Words}}"]\n'
    )
    profile = readers.profile(store, config.load(), "me")
    assert [(slug, item.title) for slug, item in profile.liked] == [
        ("s", "Unknown but told"),
        ("s", "Sparse attention"),
    ]


def test_liking_gives_a_thumb_where_there_is_none(store: Store) -> None:
    give(store, PAPER.id, value="down")
    assert (
        readers.like(store, reader="me", ids=[PAPER.id, POST.id, "arxiv:2401.99999"], at=AT, origin="onboarding") == 1
    )
    assert [(thumb.item_id, thumb.value) for thumb in store.feedback.thumbs("me")] == [
        (PAPER.id, "down"),
        (POST.id, "up"),
    ]
