"""What a model makes that failed its check, or was never checked, carries that wherever it is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import enrich_samples as samples
import pytest
from cli_help import scout

from scout.clock import now
from scout.digest import build
from scout.digest.faces import Face, render
from scout.digest.model import Digest
from scout.items import ItemId, Point, Summary
from scout.serving import verdicts
from scout.serving.gate import Check, Verdict
from scout.serving.verdicts import UNCHECKED, label_of
from scout.store import Store
from scout.triage import llm, prompting
from scout.triage.policy import Profile

MODEL = "org/small:1b"
FAILED = "model failed its check: schema accuracy"
DECIDED = f"llm-1:{MODEL}:0123456789ab:linear-1"


@pytest.fixture(autouse=True)
def _one_folder_for_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path))


def checked(folder: Path, *, passes: bool) -> None:
    verdicts.keep(folder, Verdict(MODEL, "u", (Check("schema accuracy", 1.0 if passes else 0.5, 0.98, 4),)))


def digest(folder: Path, *, by: str = MODEL, policy: str = "linear-1:aaaa") -> Digest:
    """A digest of one item, summarized by somebody and decided on by a policy."""
    item = samples.item(1)
    with Store(folder / "scout.db") as store:
        samples.fill(store, [item], [replace(samples.decision(item), policy=policy)])
        store.summaries.write([(item, Summary(item.id, "It solves tasks.", (Point("It does.", (1,)),), by))], now())
        return build.build(store, samples.settings(folder), reader=samples.READER, day=samples.DAY)


def only_item(made: Digest) -> ItemId:
    (entry,) = made.entries()
    return entry.id


@pytest.mark.parametrize("face", list(Face), ids=str)
def test_every_face_of_a_digest_says_that_the_model_failed(tmp_path: Path, face: Face) -> None:
    checked(tmp_path, passes=False)
    assert FAILED in render(digest(tmp_path), face)


@pytest.mark.parametrize("face", list(Face), ids=str)
def test_no_face_says_anything_of_a_model_that_passed(tmp_path: Path, face: Face) -> None:
    checked(tmp_path, passes=True)
    assert "check" not in render(digest(tmp_path), face)


def test_a_model_that_was_never_checked_is_said_to_be_so(tmp_path: Path) -> None:
    assert UNCHECKED in render(digest(tmp_path), Face.MARKDOWN)


def test_an_item_that_a_model_only_rated_carries_the_label_too(tmp_path: Path) -> None:
    checked(tmp_path, passes=False)
    (entry,) = digest(tmp_path, by="extractive", policy=DECIDED).entries()
    assert entry.label == FAILED


def test_what_no_model_touched_carries_nothing(tmp_path: Path) -> None:
    (entry,) = digest(tmp_path, by="extractive").entries()
    assert entry.label == ""


def test_a_digest_keeps_the_label_that_it_was_made_with(tmp_path: Path) -> None:
    checked(tmp_path, passes=False)
    digest(tmp_path)
    checked(tmp_path, passes=True)
    with Store(tmp_path / "scout.db") as store:
        kept = build.find(store, reader=samples.READER, day=samples.DAY)
    assert kept is not None
    assert next(iter(kept.entries())).label == FAILED


def test_a_digest_of_before_there_were_labels_is_read(tmp_path: Path) -> None:
    data = digest(tmp_path).to_dict()
    del data["subjects"][0]["items"][0]["label"]
    assert next(iter(Digest.from_dict(data).entries())).label == ""


def test_show_says_it_in_words_and_as_data(tmp_path: Path) -> None:
    checked(tmp_path, passes=False)
    id = only_item(digest(tmp_path))
    assert FAILED in scout("show", id).out
    assert json.loads(scout("show", id, "--json").out)["label"] == FAILED


def test_the_model_is_found_in_the_version_of_the_policy_that_it_moved(tmp_path: Path) -> None:
    checked(tmp_path, passes=False)
    version = llm.version(MODEL, prompting.rubric(Profile("me")), "linear-1")
    assert label_of(tmp_path, policy=version) == FAILED
    assert label_of(tmp_path, policy="linear-1:0123456789ab") == ""


def test_two_models_are_told_apart_and_the_same_words_are_said_once(tmp_path: Path) -> None:
    checked(tmp_path, passes=False)
    assert label_of(tmp_path, by="another", policy=DECIDED) == f"{UNCHECKED}; {FAILED}"
    assert label_of(tmp_path, by="another", policy="llm-1:third:0123456789ab:linear-1") == UNCHECKED
