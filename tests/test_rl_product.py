"""`scout train` from thumbs to an adapter that reads, with a tiny model and a scripted server."""

# ruff: noqa: E402
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
transformers = pytest.importorskip("transformers", reason="needs the rl extra")
pytest.importorskip("peft", reason="needs the rl extra")

from policy_samples import READER
from product_samples import agree, nothing_lost, told, train
from token_server import TokenServer

from rl import precision
from rl.activations import trace
from scout import adapter_files
from scout.config import load
from scout.exit_codes import Exit
from scout.store import Store
from scout.store.training import State

ROOT = Path(__file__).resolve().parents[1]


def test_thumbs_become_an_adapter_that_reads_for_the_reader(
    tiny_store: Store, tiny_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        precision, "traced",
        lambda checkpoint, ids, *, dtype, fp32_head, python: trace(
            transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=precision.BODIES[dtype]), ids, fp32_head=fp32_head
        ),
    )  # fmt: skip
    nothing_lost(monkeypatch)
    done = train("--json")
    assert done.exit_code == Exit.DONE, done.output
    found = told(done)
    jsonschema.validate(found, json.loads((ROOT / "docs/schemas/train.schema.json").read_text()))
    assert found["adapter"], found["message"]
    assert tiny_store.adapters.serving(READER) == found["adapter"] == next(iter(tiny_server.adapters))
    assert (found["run"]["state"], found["promotion"]["recipe"]) == ("done", f"adapter:{found['adapter']}")
    assert found["run"]["steps"] == len(tiny_store.training.steps(found["run"]["id"])) > 4
    assert found["run"]["facts"]["held_out"]["thumbs"] >= 60
    (parity,) = tiny_store.training.parity()
    assert parity.verdict == ""
    samples = tiny_store.training.samples(found["run"]["id"], tiny_store.training.sampled(found["run"]["id"])[-1])
    assert samples
    assert all(each.parts and 0 <= each.reward <= 1 for each in samples)

    place = adapter_files.folder(load(), found["adapter"])
    row = tiny_store.adapters.get(found["adapter"])
    assert row is not None
    adapter_files.verify(load(), row.name, row.checksum)
    assert json.loads((place / "adapter_config.json").read_text())["r"] == 2
    assert not (load().data_dir / "training" / found["run"]["id"]).exists(), (
        "what could be resumed is gone with the run"
    )

    again = train()
    assert again.exit_code == Exit.DONE
    assert "nothing new" in again.output.lower()
    assert len(tiny_store.training.listing(READER)) == 1


def test_without_a_server_the_adapter_waits_to_be_judged_and_without_suites_it_is_not_promoted(
    tiny_store: Store, tiny_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(tiny_store)
    tiny_server.stop()
    waits = train("--json")
    assert waits.exit_code == Exit.LATER, waits.output
    assert "could not be judged" in told(waits)["message"]
    tiny_server.start()
    monkeypatch.setenv("SCOUT_TRAIN__SUITES", '["gone"]')
    done = train("--json")
    assert done.exit_code == Exit.DONE
    assert "not promoted, because" in told(done)["message"]
    assert "no suite is called gone" in told(done)["message"]
    assert told(done)["adapter"] == told(waits)["adapter"]
    assert len(tiny_store.training.listing(READER)) == 1, "the same thumbs are not trained on twice"
    assert tiny_store.adapters.serving(READER) == ""
    assert tiny_server.adapters == {}


def test_a_loss_that_draws_answers_trains_too_and_its_answers_are_kept_with_their_parts(
    tiny_store: Store, tiny_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(tiny_store)
    nothing_lost(monkeypatch)
    for name, value in {"LOSS": "cispo", "STEPS": "3", "PROMPTS": "4", "GROUP": "4"}.items():
        monkeypatch.setenv(f"SCOUT_TRAIN__{name}", value)
    done = told(train("--json"))
    assert done["run"]["state"] == "done"
    assert tiny_store.training.sampled(done["run"]["id"]) == [0, 2]
    figures = tiny_store.training.steps(done["run"]["id"])[0].figures
    assert {"reward", "entropy", "grad_norm", "mismatch_mean", "mismatch_ratio_max"} <= figures.keys()
    (sample, *_) = tiny_store.training.samples(done["run"]["id"], 0)
    assert {"rating", "form"} <= sample.parts.keys()


ENDED = """
import os, signal
from rl import thumbs
from scout.cli import main

alarms = thumbs.alarms

def and_end(history, limits):
    if len(history) == 3:
        os.kill(os.getpid(), signal.SIGTERM)
    return alarms(history, limits)

thumbs.alarms = and_end
main()
"""


def test_a_run_ended_by_sigterm_is_gone_on_with_to_the_same_bits(
    tiny_store: Store, monkeypatch: pytest.MonkeyPatch, tiny_server: TokenServer
) -> None:
    agree(tiny_store)
    tiny_server.stop()
    monkeypatch.setenv("SCOUT_TRAIN__EPOCHS", "8")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    straight = told(train("--json"))
    ended = subprocess.run(
        [sys.executable, "-c", ENDED, "train", "--again"], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == Exit.LATER, ended.stderr
    assert "scout train --resume" in ended.stderr
    first = straight["run"]["id"]
    (run,) = (run for run in tiny_store.training.listing(READER) if run.id != first)
    assert run.state is State.STOPPED
    kept = tiny_store.training.checkpoints(run.id)[0].steps
    assert 3 <= kept < len(tiny_store.training.steps(first))

    resumed = told(train("--resume", "--json"))
    assert resumed["run"]["id"] == run.id
    adapters = [tiny_store.adapters.get(each["adapter"]) for each in (straight, resumed)]
    assert adapters[0] is not None
    assert adapters[1] is not None
    assert adapters[0].checksum == adapters[1].checksum
    assert len(tiny_store.training.steps(run.id)) == len(tiny_store.training.steps(first))


def test_a_parity_fault_begins_nothing_and_ends_with_1(tiny_store: Store) -> None:
    agree(tiny_store, verdict="layer 1: 40 roundings off")
    done = train()
    assert done.exit_code == Exit.BUG
    assert "layer 1: 40 roundings off" in done.output
    assert tiny_store.training.listing(READER) == []


def test_an_alarm_ends_with_1_its_evidence_and_no_adapter(tiny_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from rl import thumbs
    from rl.monitor import Alarm, Kind

    agree(tiny_store)
    monkeypatch.setattr(
        thumbs,
        "alarms",
        lambda history, limits: (Alarm(Kind.HACKING, 1, "up while held out fell"),) if len(history) == 2 else (),
    )
    done = train("--json")
    assert done.exit_code == Exit.BUG
    assert told(done)["run"]["state"] == "alarmed"
    (alarm,) = tiny_store.training.alarms(READER)
    assert (alarm.kind, alarm.step, alarm.evidence) == ("reward-hacking", 1, "up while held out fell")
    assert tiny_store.adapters.listing(READER) == []
    assert "reward-hacking" in done.stderr


def test_a_full_disk_stops_with_75_and_what_was_kept_stands(tiny_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(tiny_store)
    saved = torch.save

    def full(*args: Any, **extra: Any) -> None:
        if tiny_store.training.checkpoints(tiny_store.training.listing(READER)[0].id):
            raise OSError(28, "No space left on device")
        saved(*args, **extra)

    monkeypatch.setattr(torch, "save", full)
    done = train()
    assert done.exit_code == Exit.LATER, done.output
    assert "--resume" in done.output
    (run,) = tiny_store.training.listing(READER)
    assert run.state is State.FAILED
    monkeypatch.setattr(torch, "save", saved)
    assert told(train("--resume", "--json"))["run"]["state"] == "done"
