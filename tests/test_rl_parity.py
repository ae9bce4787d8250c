"""Parity on a small model of our own: the same function passes, and each planted fault is named where it enters."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
transformers = pytest.importorskip("transformers", reason="needs the rl extra")

from rl.activations import Trace, trace  # noqa: E402
from rl.parity import compare, different_tokens  # noqa: E402

IDS = [5, 17, 3, 88, 41, 2, 9, 60, 33, 7, 7, 54, 21, 90, 13, 66]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        vocab_size=97, hidden_size=64, intermediate_size=128, num_hidden_layers=5, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True, initializer_range=0.2,
    )  # fmt: skip
    made = transformers.LlamaForCausalLM(config).eval()
    for name, weight in made.named_parameters():  # as trained ones are: norms that are not all one
        if "norm" in name:
            torch.nn.init.normal_(weight, 1.0, 0.3)
    return made.to(torch.bfloat16)


def report(model, server, dtype, *, fp32_head=True, server_head=True):
    """A trainer in `dtype` beside a server that is played by another transformers model."""
    trainer, reference = (copy.deepcopy(model).to(kind) for kind in (dtype, torch.float32))
    found = server if isinstance(server, Trace) else trace(server, IDS, fp32_head=server_head)
    return compare(found, trainer, reference, IDS, dtype=dtype, fp32_head=fp32_head)


@pytest.fixture(params=DTYPES)
def dtype(request):
    return DTYPES[request.param]


def test_the_same_function_has_no_fault(model, dtype) -> None:
    found = report(model, copy.deepcopy(model).to(dtype), dtype)
    assert found.fault == ""
    assert found.mismatch.largest == 0
    assert [place.name for place in found.places] == ["embedding", *(f"layer {n}" for n in range(5)), "final norm"]


def test_a_server_that_rounds_elsewhere_has_no_fault_but_a_mismatch(model) -> None:
    server = copy.deepcopy(model)
    for layer in server.model.layers:  # a kernel that keeps FP32 through the MLP and rounds once

        def fused(mlp, args, out):
            wide = copy.deepcopy(mlp).float()
            wide._forward_hooks.clear()
            return wide(args[0].float()).to(out.dtype)

        layer.mlp.register_forward_hook(fused)
    found = report(model, server, torch.bfloat16)
    assert found.fault == ""
    assert found.mismatch.mean > 1e-4


def test_a_norm_that_is_rounded_is_named(model) -> None:
    server = copy.deepcopy(model).to(torch.float32)
    norm = server.model.layers[2].post_attention_layernorm
    norm.register_forward_hook(lambda _, __, out: out.bfloat16().float())
    assert report(model, server, torch.float32).fault.startswith("layer 2:")


def test_a_wrong_rope_base_is_named_at_the_first_layer(model, dtype) -> None:
    server = copy.deepcopy(model)
    config = copy.deepcopy(server.config)
    config.rope_parameters = {**config.rope_parameters, "rope_theta": 500.0}
    server.model.rotary_emb = type(server.model.rotary_emb)(config)
    assert report(model, server.to(dtype), dtype).fault.startswith("layer 0:")


def test_a_stale_layer_is_named_and_not_those_after_it(model, dtype) -> None:
    server = copy.deepcopy(model)
    with torch.no_grad():
        server.model.layers[3].mlp.down_proj.weight.mul_(1.1)
    found = report(model, server.to(dtype), dtype)
    assert found.fault.startswith("layer 3:")
    assert found.places[5].relative_rms > found.places[5].trainer  # what it handed on is seen, and not blamed
    assert found.swap.body > 10 * found.swap.head  # the swap says the same: the body, not the head


def test_a_stale_head_is_told_from_the_body_by_the_swap(model, dtype) -> None:
    server = copy.deepcopy(model)
    server.lm_head.weight = torch.nn.Parameter(server.lm_head.weight * 1.05)
    found = report(model, server.to(dtype), dtype)
    assert found.fault.startswith("head:")
    assert found.swap.head > 10 * found.swap.body


def test_a_head_that_is_not_fp32_is_named(model) -> None:
    server = copy.deepcopy(model)
    assert report(model, server, torch.bfloat16, server_head=False).fault.startswith("head:")
    assert report(model, server, torch.bfloat16, fp32_head=False, server_head=False).fault == ""


def test_an_embedding_row_that_differs_is_named(model, dtype) -> None:
    server = copy.deepcopy(model)
    server.lm_head.weight = torch.nn.Parameter(server.lm_head.weight.clone())
    with torch.no_grad():
        server.model.embed_tokens.weight[88] += 1
    assert report(model, server.to(dtype), dtype).fault.startswith("embedding:")


def test_not_a_number_is_a_fault_where_it_arises(model) -> None:
    sound = trace(copy.deepcopy(model), IDS, fp32_head=True)
    stream = sound.stream.clone()
    stream[3:] = float("nan")
    found = report(model, Trace(stream, sound.hidden, sound.logprobs), torch.bfloat16)
    assert found.fault.startswith("layer 2:")


def test_a_template_off_by_one_token_is_named_before_any_number() -> None:
    assert different_tokens(IDS, IDS) == ""
    assert "position 2" in different_tokens(IDS, [5, 17, 4, *IDS[3:]])
    assert "has 16, the server's 15" in different_tokens(IDS, IDS[:-1])


def test_buckets_hold_every_token_once(model) -> None:
    found = report(model, copy.deepcopy(model), torch.bfloat16)
    assert sum(bucket.tokens for _, _, bucket in found.buckets) == len(IDS) - 1
