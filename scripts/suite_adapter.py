"""Train a small LoRA adapter on right answers of suites at another seed, for `scout eval compare` to find a real difference.

The questions are made where the `evals` extra is, the training done where torch and peft are:

    python scripts/suite_adapter.py ask answers.jsonl --suites instructions refusal code --seed 7 --items 100
    .venv-vllm/bin/python scripts/suite_adapter.py train answers.jsonl --model .cache/smollm2 --to adapter --steps 40
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

RANK, ALPHA, RATE = 8, 16, 1e-3
LONGEST = 200
"""Tokens; longer conversations are left out."""


def ask(path: Path, suites: list[str], seed: int, items: int) -> None:
    """Write a line for each case: its conversation with the right answer as the last turn."""
    from evals.suites import SUITES

    with path.open("w", encoding="utf-8") as file:
        for name in suites:
            suite = SUITES[name]
            for case in suite.build(seed, items):
                turns = [{"role": str(each.role), "content": each.content} for each in case.messages]
                told = [*turns, {"role": "assistant", "content": suite.gold_answer(case).text}]
                file.write(json.dumps(told) + "\n")


def train(path: Path, model: str, to: Path, steps: int, batch: int) -> None:
    """Teach the answers, and nothing of the questions, for so many steps of so many conversations."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    words = AutoTokenizer.from_pretrained(model)
    whole = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    config = LoraConfig(
        r=RANK, lora_alpha=ALPHA, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"], task_type="CAUSAL_LM"
    )
    tuned = get_peft_model(whole, config)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [pair for pair in (_tokens(words, line) for line in lines) if len(pair[0]) <= LONGEST]
    random.Random(0).shuffle(pairs)  # noqa: S311  no secret
    optimizer = torch.optim.AdamW([each for each in tuned.parameters() if each.requires_grad], lr=RATE)
    for step in range(steps):
        mine = [pairs[(step * batch + place) % len(pairs)] for place in range(batch)]
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        total = 0.0
        for ids, labels in mine:
            loss = tuned(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss / batch
            loss.backward()
            total += loss.item()
        optimizer.step()
        optimizer.zero_grad()
        print(f"step {step + 1} of {steps}: loss {total:.3f}", flush=True)
    tuned.save_pretrained(to)


def _tokens(words: Any, turns: list[dict[str, str]]) -> tuple[list[int], list[int]]:
    """Token ids, and the same as labels with all but the last turn masked."""
    asked = words.apply_chat_template(turns[:-1], add_generation_prompt=True, tokenize=True, return_dict=False)
    answer = words(turns[-1]["content"] + "<|im_end|>\n", add_special_tokens=False)["input_ids"]
    return [*asked, *answer], [*[-100] * len(asked), *answer]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=["ask", "train"])
    parser.add_argument("answers", type=Path)
    parser.add_argument("--suites", nargs="+", default=["instructions", "refusal", "code"])
    parser.add_argument("--seed", type=int, default=7, help="not the one that is asked later")
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--model", default=".cache/smollm2")
    parser.add_argument("--to", type=Path, default=Path("adapter"))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch", type=int, default=4)
    given = parser.parse_args()
    if given.do == "ask":
        ask(given.answers, given.suites, given.seed, given.items)
    else:
        train(given.answers, given.model, given.to, given.steps, given.batch)


if __name__ == "__main__":
    main()
