"""What `tests/test_rl_distributed.py` starts by torchrun: short runs of the loop in several processes, their figures as JSON.

    torchrun --standalone --nproc-per-node 2 tests/two_processes.py FOLDER

`full`: every weight, the head tied to the embedding; `untied`: a head of its own; `lora`; `resumed`: `full`, ended after a step
and gone on with by a model of other weights, its checkpoint left in FOLDER.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tiny_policy import decode, echo, tiny, tiny_lora

from rl.distributed import joined, shard, whole, world
from rl.monitor import Limits, Step
from rl.recorder import _Nobody
from rl.train import Ended, Plan, train

PLAN = Plan(
    steps=3, prompts=3, group=5, learning_rate=1e-2, held_out_every=2, max_tokens=2, seed=3, ahead=1, limits=Limits(truncated=1)
)  # fmt: skip
KINDS = ("full", "untied", "lora")


class AfterOne(_Nobody):
    """Only the first process wishes to end: the others must end with it."""

    ended = False

    def step(self, step: Step) -> None:
        self.ended = world().rank == 0

    def stopping(self) -> bool:
        return self.ended


def policy(kind: str, seed: int = 0) -> Any:
    if kind == "lora":
        return tiny_lora(seed)
    model = tiny(seed)
    if kind == "untied":
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone() * 1.1)
        model.config.tie_word_embeddings = False
    return model


def run(kind: str, *, seed: int = 0, folder: Path | None = None, recorder: Any = None, steps: int = PLAN.steps) -> Any:
    """The figures of a run."""
    model = shard(policy(kind, seed))
    task = echo(lambda answer: answer.split().count("9") / 2)
    plan = replace(PLAN, steps=steps)
    done: Ended = train(model, task, plan, decode=decode, folder=folder, recorder=recorder or _Nobody())
    trained = {name: whole(weight.detach()) for name, weight in model.named_parameters() if weight.requires_grad}
    return {
        "steps": [[step.loss, step.reward, step.grad_norm, step.k3, step.held_out or 0.0] for step in done.steps],
        "weights": {name: weight.double().norm().item() for name, weight in trained.items()},
        "sharded": sum(type(weight).__name__ == "DTensor" for weight in model.parameters()),
    }


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    with joined() as here:
        told = {kind: run(kind) for kind in KINDS}
        run("full", folder=folder / "run", recorder=AfterOne())
        told["resumed"] = run("full", seed=9, folder=folder / "run")
        if here.rank == 0:
            (folder / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main()
