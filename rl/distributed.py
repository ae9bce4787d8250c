"""Several processes train one model: FSDP2 shards weights and optimizer, each process computes its share of the answers.

Only log-probabilities are gathered, with the gradient of one's own: so every process sees the whole batch, losses need know
nothing of processes, and a run gives the losses that one process gives. With one process all of this does nothing.
Started by `torchrun`; backends are NCCL on GPUs, gloo elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Partial, Shard, distribute_tensor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    rank: int = 0
    size: int = 1


def world() -> World:
    """This process among those that train together."""
    if not (dist.is_available() and dist.is_initialized()):
        return World()
    return World(dist.get_rank(), dist.get_world_size())


@contextmanager
def joined() -> Iterator[World]:
    """Joins the processes that `torchrun` started; alone where it did not start this one."""
    if "RANK" not in os.environ:
        yield World()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield world()
    finally:
        dist.destroy_process_group()


def shard(model: Any) -> Any:
    """Shard a transformers causal model, or a peft model of one, over all processes, layer by layer; in place.

    The head stays outside of FSDP's hooks, since its weight is used without its module: `rl.head` gathers it.
    """
    if world().size == 1:
        return model
    mesh = init_device_mesh("cuda" if torch.cuda.is_available() else "cpu", (world().size,))
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    body, head = base.model, base.get_output_embeddings()
    tied = head.weight is base.get_input_embeddings().weight
    for layer in body.layers:
        _sharded(layer, mesh)
    _sharded(body, mesh)
    if tied:
        head.weight = base.get_input_embeddings().weight
    else:
        own = distribute_tensor(head.weight.detach(), mesh, [Shard(0)])
        head.weight = torch.nn.Parameter(own, requires_grad=head.weight.requires_grad)
    return model


def _sharded(module: Any, mesh: Any) -> None:
    fully_shard(module, mesh=mesh, reshard_after_forward=True)
    module.set_gradient_divide_factor(1.0)  # losses are those of the whole batch: gradients are summed
    module.set_force_sum_reduction_for_comms(True)


def gathered(weight: Tensor) -> Tensor:
    """A sharded weight as a whole one, for use outside of its module; gradients of all processes are summed."""
    if not isinstance(weight, DTensor):
        return weight
    whole_: Tensor = weight.full_tensor(grad_placements=[Partial()] * weight.device_mesh.ndim)
    return whole_


def share(rows: int) -> list[int]:
    """The rows that this process computes, side by side, as many as the others do: row 0 again where they do not divide."""
    here = world()
    each = -(-rows // here.size)
    return [row if row < rows else 0 for row in range(here.rank * each, (here.rank + 1) * each)]


def together(own: Float[Tensor, "n ..."], rows: int) -> Float[Tensor, "rows ..."]:
    """All rows from the shares of all processes; only one's own rows carry a gradient."""
    here = world()
    if here.size == 1:
        return own
    parts = [torch.empty_like(own) for _ in range(here.size)]
    dist.all_gather(parts, own.detach().contiguous())
    parts[here.rank] = own
    return torch.cat(parts)[:rows]


def agreed(drawn: Tensor) -> Tensor:
    """What the first process drew: they must not part ways over the last bit of a probability."""
    if world().size > 1:
        there = drawn.to("cuda") if torch.cuda.is_available() else drawn.contiguous()
        dist.broadcast(there, src=0)
        return there.to(drawn.device)
    return drawn


def told(value: T) -> T:
    """The first process's value."""
    if world().size == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def told_or_raised(ask: Callable[[], T]) -> T:
    """What the first process is told by `ask`, in all processes; what it raises, all raise."""
    if world().size == 1:
        return ask()
    outcome: Any = None
    if world().rank == 0:
        try:
            outcome = ask()
        except Exception as err:
            outcome = err
    outcome = told(outcome)
    if isinstance(outcome, Exception):
        raise outcome
    found: T = outcome
    return found


def any_of(flag: bool) -> bool:
    """Whether it is so in any process."""
    if world().size == 1:
        return flag
    flags: list[Any] = [None] * world().size
    dist.all_gather_object(flags, flag)
    return any(flags)


def whole(value: Any) -> Any:
    """Sharded tensors, also within dicts and lists, as whole ones on the CPU or where they were; all processes must ask."""
    if isinstance(value, DTensor):
        return value.full_tensor()
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [whole(each) for each in value]
    return value


def like(value: Any, weight: Any) -> Any:
    """A whole tensor laid out as the weight is; what has another shape, such as a count of steps, stays as it is."""
    if isinstance(weight, DTensor) and isinstance(value, Tensor) and value.shape == weight.shape:
        return distribute_tensor(value.to(weight.device), weight.device_mesh, weight.placements)
    return value
