"""What `tests/test_rl_distributed.py` starts by torchrun: short runs of the loop in several processes, their figures as JSON.

    torchrun --standalone --nproc-per-node 2 tests/two_processes.py FOLDER

`full`: every weight, the head tied to the embedding; `untied`: a head of its own; `lora`; `pieces`: `full`, a prompt at once, the
others computed again in backward; `resumed`: `full`, ended after a step and gone on with by a model of other weights, its checkpoint
left in FOLDER. `head`: values and gradients of the head alone, its weight in bf16 shards.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tiny_policy import decode, echo, tiny, tiny_lora
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from rl import distributed
from rl.distributed import joined, shard, whole, world
from rl.head import token_logprobs
from rl.monitor import Limits, Step
from rl.recorder import _Nobody
from rl.train import Ended, Plan, train

PLAN = Plan(
    steps=3, prompts=3, group=5, learning_rate=1e-2, held_out_every=2, max_tokens=2, seed=3, ahead=1, limits=Limits(truncated=1)
)  # fmt: skip
KINDS = ("full", "untied", "lora", "pieces")


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
    plan = replace(PLAN, steps=steps, at_once=int(kind == "pieces"))
    done: Ended = train(model, task, plan, decode=decode, folder=folder, recorder=recorder or _Nobody())
    trained = {name: whole(weight.detach()) for name, weight in model.named_parameters() if weight.requires_grad}
    return {
        "steps": [[step.loss, step.reward, step.grad_norm, step.k3, step.held_out or 0.0] for step in done.steps],
        "weights": {name: weight.double().norm().item() for name, weight in trained.items()},
        "sharded": sum(type(weight).__name__ == "DTensor" for weight in model.parameters()),
    }


def head() -> dict[str, Any]:
    """Log-probabilities of each process's own tokens, and the gradients, by a head whose 11 rows two processes share."""
    made = torch.Generator().manual_seed(0)
    hidden, weight = torch.randn(6, 8, generator=made).bfloat16(), torch.randn(11, 8, generator=made).bfloat16()
    targets, here = torch.randint(11, (6,), generator=made), world()
    own = hidden[distributed.share(6)].requires_grad_()
    if here.size > 1:
        mesh = init_device_mesh("cpu", (here.size,))
        weight = distribute_tensor(weight, mesh, [Shard(0)])
    weight.requires_grad_()
    said = token_logprobs(own, weight, targets[distributed.share(6)], chunk_vocab=4)
    said.sum().backward()
    every = distributed.together(said.detach(), 6), distributed.together(own.grad.float(), 6)
    return {
        "dtype": str(weight.grad.dtype), "rows": len(weight.grad.to_local() if here.size > 1 else weight.grad),
        "logprobs": every[0].tolist(), "hidden": every[1].tolist(), "weight": whole(weight.grad).float().tolist(),
    }  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    with joined() as here:
        told = {kind: run(kind) for kind in KINDS} | {"head": head()}
        run("full", folder=folder / "run", recorder=AfterOne())
        told["resumed"] = run("full", seed=9, folder=folder / "run")
        if here.rank == 0:
            (folder / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main()
