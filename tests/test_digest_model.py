"""The public shape of a digest, held by its schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from digest_samples import DAY, NOON, digest, empty, entry, fill, item, opened
from jsonschema import Draft202012Validator, ValidationError

from scout.digest.json_face import to_json
from scout.digest.model import Digest
from scout.items import Aspect, Feedback, Lane, SourceKind

SCHEMAS = Path(__file__).resolve().parents[1] / "docs" / "schemas"


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("made", [digest(), empty(), digest(entry(published=None, why=(), authors=()))])
def test_a_digest_comes_back_from_its_json_as_it_was(made):
    assert Digest.from_dict(json.loads(to_json(made))) == made


def test_the_json_text_does_not_depend_on_how_the_mappings_were_ordered():
    one = digest(entry(subjects={"a": 0.5, "b": 0.5}))
    other = digest(entry(subjects={"b": 0.5, "a": 0.5}))
    assert to_json(one) == to_json(other)


def test_a_digest_has_exactly_the_public_keys():
    made = digest().to_dict()
    assert set(made) == {"date", "policy", "subjects", "unsure", "releases", "counts", "note"}
    assert set(made["subjects"][0]) == {"slug", "name", "items"}
    assert set(made["unsure"][0]) == {
        "id", "title", "url", "source", "authors", "published", "lane", "probability", "subjects", "why", "summary",
        "position", "propensity", "also", "relation", "changed", "asks", "label",
    }  # fmt: skip
    assert made["unsure"][0]["published"] == "2025-12-02T12:00:00Z"
    assert made["unsure"][0]["summary"] == {
        "tldr": "In short: Paper 3.", "points": [{"text": "It matters.", "cites": [2]}], "by": "extractive",
    }  # fmt: skip
    assert made["releases"] == [{"id": "Qwen/Qwen3-8B", "published": "2025-12-01T12:00:00Z", "verdict": None}]


def test_the_digest_schema_takes_a_digest_and_refuses_what_is_not_one():
    schema = validator("digest")
    made = json.loads(to_json(digest()))
    schema.validate(made)
    for spoil in (
        lambda d: d.update(extra=1),
        lambda d: d.pop("note"),
        lambda d: d["unsure"][0].update(extra=1),
        lambda d: d["unsure"][0].update(url="javascript:alert(1)"),
        lambda d: d["unsure"][0].update(propensity=0),
        lambda d: d["unsure"][0].update(published="2025-12-02"),
        lambda d: d["counts"].update(read=1.5),
        lambda d: d["subjects"][0]["items"].clear(),
    ):
        spoiled = json.loads(to_json(digest()))
        spoil(spoiled)
        with pytest.raises(ValidationError):
            schema.validate(spoiled)


def test_the_stats_schema_takes_what_the_store_counts(tmp_path):
    with opened(tmp_path) as store:
        fill(store, [(item(1), Lane.READ), (item(2), Lane.SKIP)])
        store.sources.add("arxiv", SourceKind.ARXIV, "https://rss.arxiv.org/rss", at=NOON)
        store.feedback.add(Feedback("ada", item(1).id, Aspect.THUMB, "up", datetime.now(UTC)))
        figures = store.stats()
    validator("stats").validate(figures)
    assert figures["items"]["kind"] == {"paper": 2}
    with pytest.raises(ValidationError):
        validator("stats").validate({**figures, "items": {"paper": 2}})


def test_the_listings_schemas_take_their_example_and_refuse_another_key():
    source = {
        "id": "arxiv", "kind": "arxiv", "url": "https://rss.arxiv.org/rss", "title": "arXiv", "health": "ok",
        "outcome": None, "last_poll": None, "next_poll": "2025-12-02T12:00:00Z", "items_week": 3,
    }  # fmt: skip
    listed = {
        "id": "url:a.org/b",
        "title": "B",
        "url": "https://a.org/b",
        "source": "a",
        "published": None,
        "snippet": "",
    }
    for name, example in (("sources", source), ("items", listed)):
        schema = validator(name)
        schema.validate([example])
        for wrong in ({**example, "more": 1}, {key: value for key, value in example.items() if key != "title"}):
            with pytest.raises(ValidationError):
                schema.validate([wrong])


def test_an_empty_digest_knows_that_it_is():
    assert empty().is_empty
    assert not digest().is_empty
    assert [one.position for one in digest().entries()] == [1, 2, 3]
    assert digest().date == DAY
