"""The ways in which `scout train` trains: a server that draws, several processes, the served body, an end before the first step."""

# ruff: noqa: E402
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
transformers = pytest.importorskip("transformers", reason="needs the rl extra")
pytest.importorskip("peft", reason="needs the rl extra")

from policy_samples import READER
from product_samples import agree, nothing_lost, told, train
from safetensors.torch import load_file
from token_server import TokenServer

from rl import lesson, lora, product
from rl.course import course
from scout import adapter_files, policies
from scout.config import load
from scout.exit_codes import Exit
from scout.store import Store
from scout.store.training import State


def test_a_server_that_draws_is_given_every_version_and_keeps_only_the_one_that_reads(
    tiny_store: Store, tiny_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(tiny_store)
    nothing_lost(monkeypatch)
    for name, value in {"LOSS": "cispo", "STEPS": "3", "PROMPTS": "4", "GROUP": "4", "ROLLOUTS": "server"}.items():
        monkeypatch.setenv(f"SCOUT_TRAIN__{name}", value)
    done = told(train("--json"))
    assert done["run"]["state"] == "done", done["message"]
    steps = tiny_store.training.steps(done["run"]["id"])
    assert [(step.version, step.figures["staleness"]) for step in steps] == [
        ("step-0", 0),
        ("step-0", 1),
        ("step-1", 1),
    ]
    drew = {body["model"] for body in tiny_server.asked}
    assert len(drew) == 2
    assert all(name.startswith(done["run"]["id"]) for name in drew)
    assert set(tiny_server.adapters) == {done["adapter"]} == {tiny_store.adapters.serving(READER)}


def test_two_processes_take_the_steps_of_one(
    tiny_store: Store, tiny_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(tiny_store)
    tiny_server.stop()
    for name, value in {"LOSS": "cispo", "STEPS": "3", "PROMPTS": "3", "GROUP": "5", "KL": "0.01"}.items():
        monkeypatch.setenv(f"SCOUT_TRAIN__{name}", value)
    alone, shared = told(train("--json")), told(train("--again", "--processes", "2", "--json"))
    assert shared["run"]["state"] == "done", shared["message"]
    one, two = (tiny_store.training.steps(each["run"]["id"]) for each in (alone, shared))
    assert len(one) == len(two) == 3
    for here, there in zip(one, two, strict=True):
        for name in ("reward", "loss", "grad_norm", "entropy", "kl_reference"):
            assert there.figures[name] == pytest.approx(here.figures[name], rel=1e-3, abs=1e-6)
    assert tiny_store.training.samples(shared["run"]["id"], 0) == tiny_store.training.samples(alone["run"]["id"], 0)
    adapters = [tiny_store.adapters.get(each["adapter"]) for each in (alone, shared)]
    assert all(each and adapter_files.verify(load(), each.name, each.checksum) for each in adapters)


def test_kto_says_that_it_trains_in_one_process(tiny_store: Store) -> None:
    agree(tiny_store)
    done = train("--processes", "2")
    assert done.exit_code == Exit.CONFIG
    assert "train.loss" in done.output


@pytest.mark.parametrize("loss", ["kto", "cispo"])
def test_what_is_trained_is_the_body_that_parity_looked_at(
    tiny_store: Store, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    agree(tiny_store, body="bfloat16")
    for name, value in {"BODY": "bfloat16", "LOSS": loss, "STEPS": "1", "EPOCHS": "1"}.items():
        monkeypatch.setenv(f"SCOUT_TRAIN__{name}", value)
    bodies: list[Any] = []
    loaded = lora.loaded

    def seen(*args: Any, **more: Any) -> Any:
        model, tokenizer = loaded(*args, **more)
        bodies.append(model.dtype)
        return model, tokenizer

    monkeypatch.setattr(lora, "loaded", seen)
    done = told(train("--json"))
    assert bodies == [torch.bfloat16]
    place = adapter_files.folder(load(), done["adapter"]) / "adapter_model.safetensors"
    assert {each.dtype for each in load_file(place).values()} == {torch.float32}  # the adapter's own weights are


def test_varied_prompts_teach_and_ways_never_trained_on_watch_beside_the_served_prompt(
    tiny_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    learned = course(tiny_store, load(), READER)
    lesson.prepare(learned, load().train, tmp_path / "plain")
    monkeypatch.setenv("SCOUT_TRAIN__VARIANTS", "true")
    lesson.prepare(learned, load().train, tmp_path / "varied")
    plain, varied = (json.loads((tmp_path / way / lesson.EXAMPLES).read_text()) for way in ("plain", "varied"))
    same = [a["prompt"] == b["prompt"] for a, b in zip(plain["learn"], varied["learn"], strict=True)]
    assert 0.2 < sum(same) / len(same) < 0.7  # four in ten stay as they are served
    count = len(plain["watched"])
    assert varied["watched"][:count] == plain["watched"]
    trained = {tuple(each["prompt"]) for each in varied["learn"]}
    assert len(varied["watched"]) == 2 * count
    assert all(tuple(each["prompt"]) not in trained for each in varied["watched"][count:])
    assert all(a["prompt"] != b["prompt"] for a, b in zip(varied["watched"][count:], plain["watched"], strict=True))


def test_a_run_asked_to_end_before_its_first_step_ends_there_and_goes_on_later(tiny_store: Store) -> None:
    parity = agree(tiny_store)
    settings = load()
    learned = course(tiny_store, settings, READER)
    begun = product.begun(settings, READER, learned, parity)
    stopped = product.run(tiny_store, settings, begun, stopping=lambda: True, course=learned)
    assert (stopped.state, stopped.message) == (State.STOPPED, "stopped after 0 steps; `scout train --resume` goes on")
    done = told(train("--resume", "--json"))
    assert (done["run"]["id"], done["run"]["state"]) == (stopped.id, "done")


def test_what_nobody_thumbed_is_learned_beside_the_thumbs(
    tiny_store: Store, tiny_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(tiny_store)
    nothing_lost(monkeypatch)
    for name, value in {"GUESSES": "40", "EPOCHS": "1"}.items():
        monkeypatch.setenv(f"SCOUT_TRAIN__{name}", value)
    policies.promote(tiny_store, load(), READER, "keen-1", by="test", forced=True)
    planned = json.loads(train("--dry-run", "--json").stdout)
    done = told(train("--json"))
    assert done["run"]["state"] == "done", done["message"]
    facts = done["run"]["facts"]
    assert 10 < facts["guesses"] <= planned["guesses"] == 40
    assert done["run"]["steps"] == -(-(facts["learn"]["thumbs"] + facts["guesses"]) // 10) <= planned["steps"]


def test_guesses_are_as_sure_when_a_run_goes_on_as_when_it_began(
    tiny_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCOUT_TRAIN__GUESSES", "40")
    settings = load()
    policies.promote(tiny_store, settings, READER, "keen-1", by="test", forced=True)
    learned = product.with_guesses(tiny_store, settings, READER, course(tiny_store, settings, READER))
    lesson.prepare(learned, settings.train, tmp_path)
    kept = json.loads((tmp_path / "examples.json").read_text())["learn"]
    by_id = {row["id"]: row["sure"] for row in kept}
    assert {by_id[thumb.item.id] for thumb in learned.learn} == {1.0}
    assert {item.id: by_id[item.id] for item, _ in learned.guesses} == {
        item.id: label.sure for item, label in learned.guesses
    }
    assert len({label.sure for _, label in learned.guesses}) > 1
