"""Attention as two batched products with a softmax between, for training in 16 bits on a processor.

There torch's fused kernel is slow: with grouped heads, a mask and gradients it takes 2.5 times as long as the products do, which
go through the processor's 16-bit units. What it saves is memory, of which a few hundred tokens of a small model need little.
Elsewhere the fused kernel stays.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

NAME = "scout-products"


def set_for(model: Any) -> None:
    """Have a transformers model attend by products, where it computes in 16 bits on a processor."""
    if model.device.type != "cpu" or model.dtype != torch.bfloat16:
        return
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, products)
    model.config._attn_implementation = NAME


def products(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, *, scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """What transformers' attention functions compute, without dropout.

    Args:
        query: [B, heads, S, D]. key, value: [B, groups, T, D]; heads are groups of like many, in order.
        attention_mask: [1, 1, S, T] bool, True where a token may look; causal where it is None.

    Returns:
        [B, S, heads, D], and no weights.
    """
    batch, heads, size, width = query.shape
    groups, length = key.shape[1], key.shape[2]
    if attention_mask is None:
        attention_mask = torch.ones(size, length, dtype=torch.bool, device=query.device).tril(length - size)[None, None]
    bias = torch.zeros(attention_mask.shape, dtype=query.dtype, device=query.device)
    bias = bias.masked_fill_(~attention_mask, float("-inf"))
    asked = (query * (width**-0.5 if scaling is None else scaling)).reshape(batch * groups, -1, width)
    shape = batch, heads, size, length
    weights = (asked @ key.reshape(batch * groups, length, width).mT).view(shape).add_(bias).softmax(dim=-1)
    found = weights.view(batch * groups, -1, length) @ value.reshape(batch * groups, length, width)
    return found.view(batch, heads, size, width).transpose(1, 2), None
