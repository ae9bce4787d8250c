"""A tiny policy and a toy task for the tests of the loop: 14 words, and an answer is right that is the prompt's last word plus six."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers

from rl.rewards import Label, Reward
from rl.task import Example

WORDS = 14


def tiny(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=WORDS, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=True, max_position_embeddings=64,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


def tiny_lora(seed: int = 0) -> Any:
    """The same with an adapter on all of its body."""
    import peft

    torch.manual_seed(seed + 100)
    return peft.get_peft_model(tiny(seed), peft.LoraConfig(r=8, lora_alpha=32, target_modules="all-linear")).eval()


def decode(ids: Sequence[int]) -> str:
    return " ".join(map(str, ids))


@dataclass
class Echo:
    """Worth 1 for the right answer; `pays` may say otherwise while training."""

    examples: tuple[Example, ...]
    held_out: tuple[Example, ...]
    pays: Callable[[str], float] | None = None

    def worth(self, example: Example, answer: str) -> Reward:
        right = float(answer == str(example.prompt[-1] + 6))
        paid = float(self.pays(answer)) if self.pays and example in self.examples else right
        return Reward(paid, {"rating": paid})


def echo(pays: Callable[[str], float] | None = None) -> Echo:
    made = [Example(f"e{n}", (1, 2 + n % 3, 2 + n % 5), f"text {n}", Label()) for n in range(21)]
    return Echo(tuple(made[:14]), tuple(made[14:]), pays)


def weights(model: Any) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in model.parameters()]
