"""The settings of `[train]`: what `scout train` begins with, how long it goes on, and what its adapter is judged by."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scout.config.types import Section


class Train(Section):
    checkpoint: str = ""
    """The weights that the server serves, as a folder or a name on the Hub; without it nothing is trained."""
    loss: Literal["kto", "cispo", "grpo", "dr_grpo", "dapo", "gspo"] = "kto"
    """`kto` learns from single thumbs without drawing answers; the others draw groups of answers and compare them."""
    epochs: int = Field(6, ge=0)
    """Of kto: times through the thumbs."""
    cispo_epochs: int = Field(0, ge=0)
    """With kto: times through the thumbs by CISPO after it."""
    guesses: int = Field(2000, ge=0)
    """With kto: so many items that nobody thumbed are learned beside the thumbs, as the embedded policy guesses them; 0 for none."""
    steps: int = Field(60, ge=1)
    """Of the other losses, with so many prompts each, and so many answers to a prompt."""
    prompts: int = Field(8, ge=2)
    group: int = Field(8, ge=2)
    at_once: int = Field(2, ge=0)
    """Of those: items of which gradients are computed at once; fewer need less memory and more time, 0 is all of a step."""
    kl: float = Field(0.0, ge=0)
    """Of those: what a nat of KL to the model without adapter costs."""
    rollouts: Literal["here", "server"] = "here"
    """Of those: who draws the answers, the trainer or the served model, which is then given every version of the adapter and
    draws for the next step while this one trains."""
    variants: bool = False
    """Whether prompts are varied in what must not matter (system prompt, phrasing, template, form of the answer); training is then
    watched in a way of each kind that it never uses, beside the prompt as it is served."""
    learning_rate: float = Field(7e-4, gt=0, le=1)
    rank: int = Field(16, ge=1, le=256)
    """Of the LoRA matrices."""
    body: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    """What the model computes in but for its head, which is FP32; as it is served."""
    least_thumbs: int = Field(60, ge=4)
    """Fewer to learn from, and nothing is trained."""
    held_out: float = Field(0.4, gt=0, lt=1)
    """The share of the thumbs, the newest, that training never sees and the adapter is judged by."""
    seed: int = 0
    keep_every: int = Field(10, ge=1)
    """Steps between two checkpoints."""
    sample_every: int = Field(10, ge=1)
    """Steps between two of which answers are kept to look at."""
    parity_tokens: int = Field(256, ge=2)
    parity_days: int = Field(30, ge=0)
    """A parity check of the same checkpoint counts for so long; 0 checks before every run."""
    suites: tuple[str, ...] = ("instructions", "refusal")
    """An adapter may lose on none of these; one of them must be about safety."""
    suite_items: int = Field(40, ge=1)
    suite_epochs: int = Field(1, ge=1)
