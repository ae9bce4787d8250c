"""`scout rl parity`: what it prints and how it ends. The engine is played by the trainer itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs the rl extra")
transformers = pytest.importorskip("transformers", reason="needs the rl extra")

from rl import precision  # noqa: E402
from rl.activations import trace  # noqa: E402
from rl.engine import EngineFailed  # noqa: E402
from scout.cli import rl  # noqa: E402
from scout.cli.app import app  # noqa: E402
from scout.exit_codes import Exit  # noqa: E402


@pytest.fixture
def checkpoint(tmp_path, monkeypatch) -> Path:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=97,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    transformers.LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(tmp_path / "model")
    monkeypatch.setattr(rl, "_ids", lambda *_: list(range(3, 40)))
    monkeypatch.setattr(rl.importlib.util, "find_spec", lambda name: True)
    return tmp_path / "model"


def engine(change=lambda model: None):
    def traced(checkpoint, ids, *, dtype, fp32_head, python):
        model = transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=precision.BODIES[dtype])
        change(model)
        return trace(model, ids, fp32_head=fp32_head)

    return traced


def test_four_pairs_and_every_place_are_told(checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(precision, "traced", engine())
    done = CliRunner().invoke(app, ["rl", "parity", str(checkpoint), "--json"])
    assert done.exit_code == Exit.DONE, done.output
    found = json.loads(done.stdout)
    means = {(row["server_fp32"], row["trainer_fp32"]): row["mismatch"]["mean"] for row in found["rows"]}
    assert means[True, True] == means[False, False] == 0 < means[True, False]
    assert [place["name"] for place in found["report"]["places"]] == ["embedding", "layer 0", "layer 1", "final norm"]
    assert found["verdict"] == ""


def test_a_server_with_other_weights_ends_with_the_place_and_1(checkpoint, monkeypatch) -> None:
    def stale(model) -> None:
        with torch.no_grad():
            model.model.layers[1].mlp.up_proj.weight.mul_(3)
            model.model.layers[1].mlp.down_proj.weight.mul_(3)

    monkeypatch.setattr(precision, "traced", engine(stale))
    done = CliRunner().invoke(app, ["rl", "parity", str(checkpoint)])
    assert done.exit_code == 1
    assert "layer 1:" in done.output, done.output


def test_a_body_in_fp32_has_one_pair(checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(precision, "traced", engine())
    done = CliRunner().invoke(app, ["rl", "parity", str(checkpoint), "--body", "float32", "--json"])
    assert len(json.loads(done.stdout)["rows"]) == 1


def test_an_engine_that_fails_is_a_matter_of_later_and_says_why(checkpoint, monkeypatch) -> None:
    def away(*_, **__):
        raise EngineFailed("the engine ended with 1: no memory")

    monkeypatch.setattr(precision, "traced", away)
    done = CliRunner().invoke(app, ["rl", "parity", str(checkpoint)])
    assert done.exit_code == Exit.LATER
    assert "no memory" in done.output


def test_what_is_not_installed_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(rl.importlib.util, "find_spec", lambda name: None if name == "vllm" else True)
    done = CliRunner().invoke(app, ["rl", "parity", str(tmp_path)])
    assert done.exit_code != 0
    assert "vllm not installed here" in done.output
