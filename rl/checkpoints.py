"""A run's state on disk: trained weights, optimizer, random numbers, history and rollouts in flight, so that resuming changes nothing.

Written beside, flushed and renamed, so that a full disk or a kill leaves the one before. Read with `weights_only`: a checkpoint
is data. Of several processes the first writes, whole tensors, so that any number of processes may go on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rl.distributed import like, told_or_raised, whole
from rl.monitor import Limits, Sample, Step

if TYPE_CHECKING:
    from rl.plan import Plan

NAME = "state.pt"
_MAY_CHANGE = ("steps", "keep_every", "at_once")
"""How long a run goes on, how often it is kept, and how much of a step is computed at once."""


class OtherRun(Exception):
    """The folder holds a run that was begun with other settings, or what is no checkpoint."""


class NotKept(OSError):
    """A checkpoint could not be written; the one before stands, if there is one. The message names both."""


@dataclass(frozen=True, slots=True)
class Resumed:
    history: list[Step] = field(default_factory=list)
    """The steps done so far."""
    in_flight: Sequence[Mapping[str, Any]] = ()
    """See `rl.pipeline.Pipeline.in_flight`."""


def settings_of(plan: Plan) -> str:
    """What a run may not change while it is under way."""
    told = {name: value for name, value in asdict(plan).items() if name not in _MAY_CHANGE}
    return hashlib.blake2b(repr(sorted(told.items())).encode(), digest_size=8).hexdigest()


def due(step: int, plan: Plan) -> bool:
    """Whether the state is kept after this step, whatever happens."""
    return step + 1 == plan.steps or bool(plan.keep_every and (step + 1) % plan.keep_every == 0)


def keep(
    folder: Path, model: Any, optimizer: Any, generator: torch.Generator, plan: Plan, history: Sequence[Step],
    in_flight: Sequence[Mapping[str, Any]] = (),
) -> None:  # fmt: skip
    """All processes must call it; the first writes.

    Raises:
        NotKept: it cannot be written; the checkpoint before stands.
    """
    state = {
        "settings": settings_of(plan),
        "weights": {name: whole(weight) for name, weight in model.named_parameters() if weight.requires_grad},
        "optimizer": whole(optimizer.state_dict()),
        "random": generator.get_state(),
        "history": _told(history, window=getattr(plan, "limits", Limits()).window),
        "in_flight": list(in_flight),
    }
    told_or_raised(lambda: _write(folder, state, len(history)))


def _write(folder: Path, state: dict[str, Any], steps: int) -> None:
    beside = folder / f"{NAME}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / NAME)
    except (OSError, RuntimeError) as err:  # torch tells of a full disk by a RuntimeError
        stands = "the one before stands" if (folder / NAME).exists() else "there is none before it"
        said = f"the checkpoint of {steps} steps cannot be written to {folder} ({_reason(err)}); {stands}"
        raise NotKept(said) from err
    finally:
        beside.unlink(missing_ok=True)


def resume(folder: Path | None, model: Any, optimizer: Any, generator: torch.Generator, plan: Plan) -> Resumed:
    """What was kept, with everything as it was left; nothing where nothing was kept.

    Raises:
        OtherRun: see above.
    """
    if folder is None or not (folder / NAME).exists():
        return Resumed()
    try:
        state = torch.load(folder / NAME, weights_only=True)
    except Exception as err:  # whatever unpickling makes of bytes that are none of ours
        raise OtherRun(f"{folder / NAME} is no checkpoint ({type(err).__name__}); remove it to begin anew") from err
    if state["settings"] != settings_of(plan):
        raise OtherRun(f"{folder} holds a run with other settings; name another folder, or remove it to begin anew")
    own = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if own.keys() != state["weights"].keys():
        raise OtherRun(
            f"{folder} holds a run that trained other weights; name another folder, or remove it to begin anew"
        )
    with torch.no_grad():
        for name, weight in state["weights"].items():
            own[name].copy_(like(weight, own[name]))
    optimizer.load_state_dict(_sharded(state["optimizer"], list(own.values())))
    generator.set_state(state["random"])
    history = [Step(**{**step, "samples": tuple(Sample(**s) for s in step["samples"])}) for step in state["history"]]
    return Resumed(history, state["in_flight"])


def _told(history: Sequence[Step], *, window: int) -> list[dict[str, Any]]:
    """Steps as plain values; samples of the last ones alone, those that alarms look at."""
    older, recent = history[:-window], history[-window:]
    return [*(asdict(replace(step, samples=())) for step in older), *map(asdict, recent)]


def _sharded(state: dict[str, Any], weights: Sequence[Any]) -> dict[str, Any]:
    """An optimizer's state, laid out as the weights are."""
    of = {
        place: {name: like(value, weights[place]) for name, value in each.items()}
        for place, each in state["state"].items()
    }
    return {**state, "state": of}


def _reason(err: BaseException) -> str:
    cause = err.__context__ if isinstance(err, RuntimeError) and isinstance(err.__context__, OSError) else err
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__
