"""How much of a training step is neither generation nor forward nor backward, by the loop's own account.

A small random model on prompts of serving's length; the larger the model, the smaller the share. Needs torch and transformers (the
rl extra): `PYTHON -m benchmarks train` with the Python of an environment that has them.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import figure

PROMPT, STEPS, ANSWER = 300, 6, 4


def main() -> None:
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        print("train: needs torch and transformers, which the rl extra brings; nothing was measured", file=sys.stderr)
        return
    from rl.monitor import Limits
    from rl.timing import overhead
    from rl.train import Plan, train

    cut = Limits(truncated=2.0, constant=2.0)  # no answer of a random model ends, and none is of interest
    plan = Plan(
        steps=STEPS, prompts=2, group=4, max_tokens=ANSWER, held_out_every=STEPS, learning_rate=1e-4, limits=cut
    )  # fmt: skip
    ended = train(_model(), _task(), plan, decode=lambda ids: " ".join(map(str, ids)))
    parts = ended.seconds
    told = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in sorted(parts.items(), key=lambda part: -part[1]))
    figure("training: outside generation, forward and backward", overhead(parts), "share", limit=0.05, note=told)


def _model() -> Any:
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=8192, hidden_size=256, intermediate_size=768, num_hidden_layers=8, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


@dataclass(frozen=True, slots=True)
class _Even:
    """Rewards even tokens, so that groups have spread."""

    examples: Sequence[Any]
    held_out: Sequence[Any]

    def worth(self, example: Any, answer: str) -> Any:
        from rl.rewards import Reward

        said = [int(word) % 2 == 0 for word in answer.split()]
        return Reward(sum(said) / len(said), {"even": sum(said) / len(said)})


def _task() -> _Even:
    from rl.rewards import Label
    from rl.task import Example

    prompts = [tuple((place * 31 + number * 7) % 8000 for place in range(PROMPT)) for number in range(12)]
    made = [Example(f"e{n}", prompt, "a source", Label()) for n, prompt in enumerate(prompts)]
    return _Even(tuple(made[:10]), tuple(made[10:]))


if __name__ == "__main__":
    main()
