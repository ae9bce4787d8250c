"""A real vLLM engine beside a trainer with the same weights: inside and out they compute one function."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
transformers = pytest.importorskip("transformers", reason="needs the rl extra")

from rl.engine import EngineFailed, traced  # noqa: E402
from rl.parity import compare  # noqa: E402

CHECKPOINT = Path(__file__).resolve().parents[1] / ".cache" / "smollm2"


@pytest.fixture(autouse=True)
def has_vllm() -> None:
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("needs vllm in this environment")


@pytest.mark.skipif(not CHECKPOINT.exists(), reason="needs the small model that .ci/vllm-env makes")
def test_engine_and_trainer_agree_layer_by_layer_and_a_changed_weight_is_named() -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(CHECKPOINT, dtype=torch.float32)
    ids = list(range(300, 360))
    served = traced(CHECKPOINT, ids, dtype="float32", fp32_head=True)
    found = compare(served, model, model, ids, dtype=torch.float32, fp32_head=True)
    assert found.fault == ""
    assert len(found.places) == model.config.num_hidden_layers + 2
    assert found.mismatch.largest < 1e-3
    with torch.no_grad():
        model.model.layers[11].mlp.up_proj.weight[7] *= 1.5
    assert compare(served, model, model, ids, dtype=torch.float32, fp32_head=True).fault.startswith("layer 11:")


def test_an_engine_that_cannot_start_says_why(tmp_path) -> None:
    with pytest.raises(EngineFailed, match="ended with"):
        traced(tmp_path / "nothing", [1, 2], dtype="float32", fp32_head=True)
