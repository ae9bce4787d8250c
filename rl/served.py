"""Trainer against a server that runs already: the same tokens through both, over HTTP, and the template rendered on both sides.

HTTP shows no activations, so this says whether the two are one function, not where they part: that is `rl.precision`'s, on an
engine of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rl.activations import trace
from rl.mismatch import Mismatch, measure
from rl.parity import buckets, different_tokens
from rl.precision import BODIES, LARGEST_MEAN
from rl.rollout import SamplerFailed
from rl.server_rollout import ServerSampler
from scout.config import Model
from scout.serving.client import ModelClient, Patience
from scout.serving.errors import ModelError
from scout.serving.messages import Message, Role

SAID = (Message(Role.SYSTEM, "You rate papers."), Message(Role.USER, "Rate  this one, “from 1 to 5”:\n\n1. A paper"))
"""A conversation that a template, or white space, or quotes, would show a difference on."""


@dataclass(frozen=True, slots=True)
class Served:
    checkpoint: str
    url: str
    model: str
    body: str
    """What the trainer computed in; the server's own is its business."""
    tokens: int
    rounded: Mismatch
    """The server against a trainer whose head is rounded to the body's dtype."""
    fp32: Mismatch
    """… with an FP32 head."""
    buckets: tuple[tuple[float, float, Mismatch], ...]
    """From, to, figures of the tokens whose probability (the trainer's, FP32 head) lies there."""
    template: str
    """Where the server renders a conversation otherwise than the trainer; empty where it does not, or does not tell."""
    limit: float = LARGEST_MEAN

    @property
    def verdict(self) -> str:
        """Why training on this pair should not begin; empty where it may."""
        if self.template:
            return self.template
        mean = self.fp32.mean
        return f"mean |Δ log-probability| is {mean:.3f}, more than {self.limit}" if mean > self.limit else ""

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def compared(
    checkpoint: Path, ids: Sequence[int], settings: Model, *, body: str, limit: float = LARGEST_MEAN
) -> Served:
    """Compare the served model with the checkpoint in transformers.

    Args:
        settings: one address; `name` is the served model or adapter, the first that is served where empty.
        body: see `rl.precision.BODIES`.

    Raises:
        SamplerFailed: the server does not answer, or does not tell log-probabilities of prompts.
        OSError, ValueError: there is no such checkpoint.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    theirs = ServerSampler(settings, checkpoint, run="", patience=Patience()).scored(ids)
    name, rendered = asyncio.run(_rendered(settings))
    trainer = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=BODIES[body]).eval()
    rounded, fp32 = (trace(trainer, ids, fp32_head=kept).logprobs for kept in (False, True))
    parted = ""
    if rendered is not None:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        told = [{"role": str(message.role), "content": message.content} for message in SAID]
        own = tokenizer.apply_chat_template(told, add_generation_prompt=True, return_dict=False)
        parted = different_tokens(own, rendered)
    return Served(
        str(checkpoint), settings.base_urls[0], name, body, len(ids), measure(rounded, theirs), measure(fp32, theirs),
        buckets(fp32, theirs), f"template: {parted}" if parted else "", limit,
    )  # fmt: skip


async def _rendered(settings: Model) -> tuple[str, list[int] | None]:
    """The model's name, and what it makes of a conversation; None where it does not tell."""
    async with ModelClient(settings) as client:
        try:
            return await client.model_name(), await client.rendered_ids(SAID)
        except ModelError as err:
            raise SamplerFailed(err.message) from err
