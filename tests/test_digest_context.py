"""The digest shows a text once, says what follows up or repeats what was read, and what a new version changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import validate
from thread_samples import ABSTRACT, BOILERPLATE, NOON, OTHER, paper, post

from scout import linking
from scout.cli.app import app
from scout.config import Settings
from scout.digest import context, wording
from scout.digest.build import build
from scout.digest.faces import Face, render
from scout.digest.model import Digest
from scout.items import Aspect, Decision, Feedback, Item, Lane
from scout.links import LinkKind, RelationKind
from scout.readers import give
from scout.store import Store

READER = "me"
DAY = date(2025, 12, 2)
TEAM = ("Ann Lee", "Bo Chen", "Cy Diaz")
TITLE = "A planner that learns from dead ends"
FIRST = paper(1, title=TITLE, authors=TEAM)
TWIN = post("planner", title=TITLE, text=f"{ABSTRACT} Read on.")
NEXT = paper(
    2, title="Speech for planners", authors=TEAM, days=1, text=f"{ABSTRACT[:210]} We add speech. {ABSTRACT[-120:]}"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "scout.db") as opened:
        opened.readers.ensure(READER, NOON)
        yield opened


def settings(store: Store, day: date = DAY) -> Settings:
    return Settings(data_dir=store.path.parent, today=day)


def come(store: Store, *items: Item, lane: Lane = Lane.READ, at: datetime = NOON) -> None:
    store.items.add(items, at)
    store.decisions.write(
        [Decision(each.id, READER, "linear-1:a", "agents", {"agents": 1.0}, 0.7, lane, ()) for each in items], at
    )
    linking.link_new(store)


def made(store: Store, day: date = DAY) -> Digest:
    return build(store, settings(store, day), reader=READER, day=day)


def shown(digest: Digest) -> list[str]:
    return [entry.id for entry in digest.entries()]


def test_one_text_is_shown_once_with_the_other_place_named(store: Store) -> None:
    come(store, TWIN, FIRST)
    digest = made(store)
    assert shown(digest) == [FIRST.id]
    [entry] = digest.entries()
    assert [(place.id, place.url, place.source) for place in entry.also] == [(TWIN.id, TWIN.url, "lab")]
    assert digest.counts["folded"] == 1
    assert digest.counts["undecided"] == 0
    assert store.items.get(TWIN.id) is not None
    assert [seen.item_id for seen in store.digests.impressions(READER)] == [FIRST.id]


def test_the_copy_in_the_better_lane_is_the_one_that_is_shown(store: Store) -> None:
    come(store, FIRST, lane=Lane.SKIP)
    come(store, TWIN)
    assert TWIN.id in shown(made(store))
    assert FIRST.id not in shown(made(store))


def test_a_text_that_was_shown_is_not_shown_again_under_another_id(store: Store) -> None:
    come(store, FIRST)
    assert shown(made(store)) == [FIRST.id]
    come(store, TWIN, paper(5, title="Noise", text=OTHER))
    tomorrow = made(store, DAY + timedelta(days=1))
    assert shown(tomorrow) == ["arxiv:2512.00005"]
    assert tomorrow.counts["folded"] == 1


def test_boilerplate_is_no_text_to_fold_by(store: Store) -> None:
    come(
        store,
        *(post(str(n), title=title, text=BOILERPLATE) for n, title in enumerate(("A hire", "We moved", "Awards"))),
    )
    come(store, paper(7, text="", title="Same"), paper(8, text="", title="Same"))
    digest = made(store)
    assert digest.counts["folded"] == 0
    assert len(shown(digest)) == 5


def test_a_follow_up_names_what_was_read_and_liked(store: Store) -> None:
    come(store, FIRST)
    made(store)
    give(store, settings(store), reader=READER, ref=FIRST.id, aspect=Aspect.THUMB, value="up", at=NOON, origin="test")
    come(store, NEXT)
    [entry] = made(store, DAY + timedelta(days=1)).entries()
    found = entry.relation
    assert (found.kind, found.to, found.title) == (RelationKind.FOLLOW_UP, FIRST.id, TITLE)
    assert wording.asides(entry) == [f"Follows up “{TITLE}”, which you liked (by Ann Lee, Bo Chen and 1 more too)"]


def test_what_was_never_shown_is_nothing_to_follow_up(store: Store) -> None:
    come(store, FIRST, lane=Lane.SKIP)
    store.digests.save(
        READER,
        DAY - timedelta(days=1),
        made_at=NOON,
        policy="",
        cutoff=1,
        snapshot=Digest(DAY, "").to_dict(),
        impressions=[],
    )
    come(store, NEXT)
    [entry] = made(store).entries()
    assert entry.relation.kind is RelationKind.NEW
    assert [link.kind for link in store.threads.thread(NEXT.id)] == [LinkKind.SAME_AUTHORS]


def test_a_new_version_says_what_it_changed(store: Store) -> None:
    come(store, FIRST)
    store.items.update([replace(FIRST, text=f"{ABSTRACT} This version adds an ablation.", version=2)], NOON)
    [entry] = made(store).entries()
    assert entry.changed == "1 sentence added: “This version adds an ablation.”"


def test_all_faces_say_it_and_keep_it_text(store: Store) -> None:
    store.items.add([replace(paper(n, text=OTHER), backlog=True) for n in range(20, 40)], NOON)  # words have a rarity
    come(store, FIRST)
    made(store)
    evil = replace(NEXT, title="<script> planners")
    twin = post("evil", title=evil.title, text=evil.text)
    come(store, evil, twin)
    store.items.update([replace(evil, text=f"{evil.text} <b>Bold</b> claim.", version=2)], NOON)
    digest = made(store, DAY + timedelta(days=1))
    schema = json.loads((Path(__file__).parents[1] / "docs/schemas/digest.schema.json").read_text(encoding="utf-8"))
    validate(digest.to_dict(), schema)
    assert Digest.from_dict(digest.to_dict()) == digest
    for face in Face:
        text = " ".join(render(digest, face).split())
        assert ("<script>" in text) == (face is Face.JSON)
        assert TITLE in text
        assert "url:lab.example/evil" in text.replace("\\", "")
        assert "1 sentence added" in text


def test_a_digest_of_before_has_no_relations(store: Store) -> None:
    come(store, FIRST)
    told = made(store).to_dict()
    for entry in told["subjects"][0]["items"]:
        for key in ("also", "relation", "changed"):
            del entry[key]
    [entry] = Digest.from_dict(told).entries()
    assert (entry.also, entry.relation.kind, entry.changed) == ((), RelationKind.NEW, "")


def test_show_names_the_thread_the_other_places_and_the_relation(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    come(store, FIRST)
    made(store)
    come(store, NEXT, TWIN)
    monkeypatch.setenv("SCOUT_DATA_DIR", str(store.path.parent))
    told = json.loads(CliRunner().invoke(app, ["show", NEXT.id, "--json"]).stdout)
    assert (told["relation"]["kind"], told["relation"]["to"]) == ("follow-up", FIRST.id)
    assert next((step["id"], step["kind"]) for step in told["thread"]) == (FIRST.id, "same-authors")
    assert json.loads(CliRunner().invoke(app, ["show", FIRST.id, "--json"]).stdout)["also"][0]["id"] == TWIN.id
    read = CliRunner().invoke(app, ["show", NEXT.id]).stdout
    assert f"Follows up “{TITLE}”, which was in your digest" in read
    assert f"thread: 2025-12-02 {FIRST.id} {TITLE} (same-authors: by Ann Lee, Bo Chen and 1 more too)" in read
    assert f"the same text also at {TWIN.id}" in CliRunner().invoke(app, ["show", FIRST.id]).stdout


# The stage


def test_links_are_found_in_whatever_order_items_come(store: Store) -> None:
    come(store, NEXT)
    come(store, FIRST)
    [link] = store.threads.thread(FIRST.id)
    assert (link.later, link.earlier) == (NEXT.id, FIRST.id)


def test_a_second_run_looks_at_nothing_again_but_a_changed_text(store: Store) -> None:
    come(store, FIRST, NEXT, paper(5, text=OTHER))
    assert linking.link_new(store) == 0
    changed_at = datetime.now(NOON.tzinfo) + timedelta(days=1)
    store.items.update([replace(FIRST, text=OTHER, version=2)], changed_at)
    assert linking.link_new(store) == 1


def test_an_old_archive_is_joined_a_part_a_run_the_newest_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "PER_RUN", 2)
    store.items.add([paper(n, title=f"Matter {n}", text=OTHER if n % 2 else ABSTRACT) for n in range(5)], NOON)
    assert [linking.link_new(store) for _ in range(4)] == [2, 2, 1, 0]
    assert store.rows("SELECT * FROM thread_todo") == []


def test_a_deleted_item_takes_its_links_with_it(store: Store) -> None:
    come(store, FIRST, TWIN)
    assert store.threads.links([FIRST.id])
    store.items.delete(TWIN.id, NOON)
    assert store.threads.links([FIRST.id]) == {}
    assert store.rows("SELECT * FROM links") == []


def test_a_key_that_everybody_has_links_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "COMMON", 2)
    come(store, *(paper(n, text=ABSTRACT.replace("planner", f"planner{n}") * 2, authors=TEAM) for n in range(4)))
    assert [link.kind for link in store.threads.thread("arxiv:2512.00001")] == []


def test_a_thumb_is_known_of_an_old_item_that_is_linked_and_of_the_newest_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "THUMBS", 2)
    items = [paper(700 + n) for n in range(5)]
    store.items.add(items, NOON)
    for item in items:
        store.feedback.add(Feedback("me", item.id, Aspect.THUMB, "up", NOON))
    assert list(context.known(store, "me")) == [items[3].id, items[4].id]
    assert list(context.known(store, "me", {items[0].id})) == [items[0].id, items[3].id, items[4].id]


def test_one_shared_author_is_looked_for_among_the_newest_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "LOOKED", 1)
    old = [paper(800, authors=("Ada Quill",), text=OTHER), paper(801, authors=("Ben Roe", "Cleo Sund"), text=OTHER)]
    store.items.add(old, NOON)
    linking.link_new(store)
    new = [
        paper(n, authors=each.authors, text=f"{OTHER[: len(OTHER) // 2]} {ABSTRACT[:300]}", days=1)
        for n, each in zip((810, 811), old, strict=True)
    ]
    store.items.add(new, NOON + timedelta(days=1))
    linking.link_new(store)
    links = store.threads.links([item.id for item in new])
    assert {link.earlier for found in links.values() for link in found if link.kind is LinkKind.SAME_AUTHORS} >= {
        old[1].id
    }
    assert old[0].id not in {link.earlier for link in links.get(new[0].id, [])}
