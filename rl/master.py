"""AdamW with FP32 weights and moments, whatever the model's weights are kept in.

A weight of 1 in bf16 knows no neighbour nearer than .0078: at usual rates an update is rounded away, every time. So a weight
of 16 bits has an FP32 original here that is updated, and is its rounding. An FP32 weight is its own original.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rl.distributed import like
from rl.plan import Plan


class MasterAdamW:
    """The optimizer of these weights, with a plan's settings."""

    def __init__(self, weights: Sequence[Tensor], plan: Plan) -> None:
        self._weights = list(weights)
        self._originals = [w if w.dtype == torch.float32 else w.detach().float().requires_grad_() for w in weights]
        self._adamw = torch.optim.AdamW(
            self._originals, plan.learning_rate, plan.betas, plan.eps, weight_decay=plan.weight_decay
        )
        self._clip = plan.clip_norm

    def zero_grad(self) -> None:
        for weight in self._weights:
            weight.grad = None

    def clipped(self) -> Tensor:
        """Scale the gradients down to the plan's norm; the norm they had, [] (sharded as they are)."""
        norm: Tensor = torch.nn.utils.clip_grad_norm_(self._weights, self._clip)
        return norm

    @torch.no_grad()
    def step(self) -> None:
        rounded = [pair for pair in zip(self._weights, self._originals, strict=True) if pair[0] is not pair[1]]
        for weight, original in rounded:
            original.grad = None if weight.grad is None else weight.grad.float()
        self._adamw.step()
        for weight, original in rounded:
            weight.copy_(original)
            original.grad = None

    def state_dict(self) -> dict[str, Any]:
        """AdamW's, and `originals` of the weights that are not FP32, by their place."""
        kept = {
            place: original.detach()
            for place, original in enumerate(self._originals)
            if original is not self._weights[place]
        }
        return {**self._adamw.state_dict(), "originals": kept}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._adamw.load_state_dict({name: value for name, value in state.items() if name != "originals"})
        for place, original in state.get("originals", {}).items():
            self._originals[place].copy_(like(original, self._originals[place]))
