"""Attention by products is the fused kernel's function, and is used only where it is the faster one."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
pytest.importorskip("transformers", reason="needs the rl extra")

from rl import attention  # noqa: E402
from tests.tiny_policy import tiny  # noqa: E402


@pytest.mark.parametrize("masked", [True, False], ids=["behind a prefix", "causal"])
def test_products_are_what_the_fused_kernel_computes_with_its_gradients(masked) -> None:
    made = torch.Generator().manual_seed(0)
    query = torch.randn(3, 6, 5, 8, generator=made, requires_grad=True)
    key, value = (torch.randn(3, 2, 9 if masked else 5, 8, generator=made, requires_grad=True) for _ in range(2))
    mask = torch.ones(5, 9, dtype=torch.bool).tril(4)[None, None] if masked else None
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=mask is None, enable_gqa=True
    ).transpose(1, 2)
    found, _ = attention.products(None, query, key, value, mask)
    assert torch.allclose(found, expected, atol=1e-6)
    toward = torch.randn(found.shape, generator=made)
    for one, other in zip(
        torch.autograd.grad(found, (query, key, value), toward), torch.autograd.grad(expected, (query, key, value), toward), strict=True
    ):  # fmt: skip
        assert torch.allclose(one, other, atol=1e-5)


def test_a_model_in_sixteen_bits_computes_by_products_what_it_did() -> None:
    ids = torch.tensor([[1, 5, 7, 2, 9]])
    model = tiny(seed=1).to(torch.bfloat16)
    with torch.no_grad():
        before = model(input_ids=ids).logits
        attention.set_for(model)
        after = model(input_ids=ids).logits
    assert model.config._attn_implementation == attention.NAME
    assert torch.allclose(before.float(), after.float(), atol=0.05)


def test_a_model_in_thirty_two_bits_keeps_the_fused_kernel() -> None:
    model = tiny(seed=1)
    before = model.config._attn_implementation
    attention.set_for(model)
    assert model.config._attn_implementation == before
