"""Items embedded by a served model: asked once, kept, looked at by the recipe that wants them, and done without elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import scripted_server as scripted
from scripted_server import ScriptedServer, status, too_long
from triage_samples import SUBJECTS, TARGETS, corpus, paper, papers, thumb

from scout import embedding, pipeline, policies
from scout.config import Embedding, Settings
from scout.items import Aspect, Feedback, Item
from scout.store import Store
from scout.triage import linear
from scout.triage.policy import Corpus, Profile
from scout.triage.recipes import RECIPES
from scout.triage.settings import LINEAR_2, LINEAR_2_EMB
from scout.triage.vectors import DIRECTIONS, NONE, Projection, Vectors

NOON = datetime(2025, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted.serving() as running:
        yield running


def settings(folder: Path, *urls: str, **given: object) -> Settings:
    wished = Embedding(base_urls=urls, **{"batch": 8, "timeout_seconds": 60.0, **given})
    return Settings(data_dir=folder, today=date(2025, 11, 20), embedding=wished)


def asked(server: ScriptedServer) -> list[str]:
    return [text for request in server.requests if request.path == "/v1/embeddings" for text in request.body["input"]]


def test_an_item_is_embedded_once_and_again_when_its_text_changes(server: ScriptedServer, tmp_path: Path) -> None:
    chosen, items = settings(tmp_path, server.base_url), papers(20)
    with Store(tmp_path / "scout.db") as store:
        first = embedding.embed_new(store, chosen, items)
        assert (first.model, first.done, first.waiting, first.message) == ("scripted", 20, 0, "")
        assert embedding.embed_new(store, chosen, items).done == 0
        edited = replace(items[3], text="Another text altogether.")
        assert embedding.embed_new(store, chosen, [*items[:3], edited]).done == 1
        assert asked(server)[-1] == f"{edited.title}\n{edited.text}"
        kept = store.vectors.of("scripted", [item.id for item in items])
        assert len(kept) == 20
        assert float(np.linalg.norm(kept[items[0].id])) == pytest.approx(1.0, abs=1e-2)


def test_a_model_that_goes_away_in_the_middle_leaves_what_it_made(server: ScriptedServer, tmp_path: Path) -> None:
    chosen, items = settings(tmp_path, server.base_url, concurrency=1), papers(30)
    server.trouble = lambda request: status(401, "Unauthorized") if len(asked(server)) > 16 else None
    with Store(tmp_path / "scout.db") as store:
        report = embedding.embed_new(store, chosen, items)
        assert (report.done, report.waiting) == (16, 14)
        assert "refused the key" in report.message
        server.recovers()
        server.trouble = lambda request: None
        assert embedding.embed_new(store, chosen, items).done == 14
        assert len(asked(server)) == 16 + 8 + 14


def test_an_item_that_the_model_cannot_take_costs_the_others_nothing(server: ScriptedServer, tmp_path: Path) -> None:
    items = papers(8)
    server.trouble = lambda request: too_long() if any("Poison" in text for text in request.body["input"]) else None
    with Store(tmp_path / "scout.db") as store:
        report = embedding.embed_new(
            store, settings(tmp_path, server.base_url), [*items, replace(items[0], id="arxiv:x", title="Poison")]
        )
        assert report.done == 8
        assert report.waiting == 1


def test_of_many_items_a_run_embeds_as_many_as_it_may(server: ScriptedServer, tmp_path: Path) -> None:
    with Store(tmp_path / "scout.db") as store:
        report = embedding.embed_new(store, settings(tmp_path, server.base_url, items_per_run=12), papers(20))
        assert (report.done, report.waiting) == (12, 8)


def made(items: list[Item]) -> Vectors:
    """Vectors that tell odd items from even ones, which no word does."""
    rng = np.random.default_rng(1)
    told = {}
    for item in items:
        vector = rng.standard_normal(32) / 4
        vector[5] += 2.0 if int(item.id[-4:]) % 2 else -2.0
        told[item.id] = vector.astype(np.float32)
    return Vectors("made-up", told)


def odd(count: int, first: int = 0) -> list[Item]:
    return [paper(first + number, "vision") for number in range(count)]


def test_the_recipe_learns_from_vectors_what_words_do_not_say() -> None:
    seen, new = odd(240), odd(40, first=7000)
    profile = Profile("me", SUBJECTS, thumbs=tuple(thumb(i, up=bool(int(i.id[-4:]) % 2)) for i in seen[:120]))
    vectors = made([*seen, *new])
    known = Corpus(recent=tuple(seen), vectors=vectors)
    looking = linear.fit(profile, known, TARGETS, LINEAR_2_EMB)
    assert looking.sees == "made-up"
    assert _auc(looking, new, vectors) > 0.9
    assert 0.2 < _auc(linear.fit(profile, known, TARGETS), new, vectors) < 0.8
    again = linear.LinearPolicy.from_bytes(looking.to_bytes(), profile, LINEAR_2_EMB)
    assert again.decide(new, vectors) == looking.decide(new, vectors)
    assert again.decide(new[:3], vectors) == looking.decide(new, vectors)[:3]


def _auc(policy: linear.LinearPolicy, items: list[Item], vectors: Vectors) -> float:
    told = policy.decide(items, vectors)
    ups = [d.probability for d, i in zip(told, items, strict=True) if int(i.id[-4:]) % 2]
    downs = [d.probability for d, i in zip(told, items, strict=True) if not int(i.id[-4:]) % 2]
    return sum(up > down for up in ups for down in downs) / (len(ups) * len(downs))


def test_without_vectors_the_recipe_is_the_default_one_and_decides_on_items_that_have_none() -> None:
    seen = odd(240)
    profile = Profile("me", SUBJECTS, thumbs=tuple(thumb(i, up=bool(int(i.id[-4:]) % 2)) for i in seen[:80]))
    plain, blind = (linear.fit(profile, corpus(), TARGETS, kind) for kind in (LINEAR_2, LINEAR_2_EMB))
    assert blind.sees == ""
    assert [d.probability for d in blind.decide(seen)] == [d.probability for d in plain.decide(seen)]
    looking = linear.fit(profile, Corpus(tuple(seen), vectors=made(seen)), TARGETS, LINEAR_2_EMB)
    assert all(0 < d.probability < 1 for d in looking.decide(seen[:20], NONE))
    assert looking.decide(seen[:20], Vectors("another", made(seen).of)) == looking.decide(seen[:20], NONE)


def test_a_projection_leaves_out_what_has_no_vector_or_one_of_another_length() -> None:
    items = odd(220)
    vectors = made(items)
    fitted = Projection.fit(vectors, [item.id for item in items])
    odd_one = Vectors("made-up", {**vectors.of, items[0].id: np.ones(7, np.float32)})
    places = fitted.places([items[0].id, "nobody", items[1].id], odd_one)
    assert places.shape == (3, DIRECTIONS)
    assert np.linalg.norm(places, axis=1) == pytest.approx([0, 0, 1], abs=1e-5)
    assert not Projection.fit(vectors, [item.id for item in items[:50]]).model


def test_a_reader_served_by_vectors_is_served_without_the_model_too(server: ScriptedServer, tmp_path: Path) -> None:
    chosen, items = settings(tmp_path, server.base_url), papers(260)
    with Store(tmp_path / "scout.db") as store:
        store.items.add(items, NOON)
        store.readers.ensure("me", NOON)
        for place, item in enumerate(items[:60]):
            word = "up" if item.categories[0] == "cs.MA" else "down"
            store.feedback.add(Feedback("me", item.id, Aspect.THUMB, word, at=NOON + timedelta(minutes=place)))
        policies.serving(store, chosen, "me")
        assert embedding.embed_new(store, chosen, pipeline.embeddable(store)).done == 260
        policies.promote(store, chosen, "me", "linear-2+emb", by="cli")
        served = policies.serving(store, chosen, "me")
        assert isinstance(served, embedding.Seeing)
        assert served.policy.sees == "scripted"
        new = papers(8, first=900)
        store.items.add(new, NOON)
        with_some = served.decide([*items[:4], *new])
        assert len(with_some) == 12
        server.stop()
        report = embedding.embed_new(store, chosen, pipeline.embeddable(store))
        assert (report.done, report.waiting, report.model) == (0, 8, "scripted")
        assert "is not there" in report.message
        away = policies.serving(store, chosen, "me")
        assert away.recipe == "linear-2+emb"
        assert isinstance(away, embedding.Seeing)
        assert away.policy.sees == "scripted"
        assert len(away.decide(new)) == 8


def test_recipes_say_whether_they_look_at_vectors() -> None:
    assert [name for name, recipe in RECIPES.items() if recipe.vectors] == ["linear-2+emb"]
