"""A run's state on disk: trained weights, optimizer, random numbers and history, so that resuming changes nothing.

Written beside and renamed, so that a full disk or a kill leaves the one before. Read with `weights_only`: a checkpoint is data.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rl.monitor import Step

if TYPE_CHECKING:
    from rl.train import Plan

NAME = "state.pt"


class OtherRun(Exception):
    """The folder holds a run that was begun with other settings."""


def settings_of(plan: Plan) -> str:
    """What a run may not change while it is under way; how long it goes on, it may."""
    told = {name: value for name, value in asdict(plan).items() if name not in ("steps", "keep_every")}
    return hashlib.blake2b(repr(sorted(told.items())).encode(), digest_size=8).hexdigest()


def keep(folder: Path, model: Any, optimizer: Any, generator: torch.Generator, plan: Plan, history: list[Step]) -> None:
    """
    Raises:
        OSError: it cannot be written; the checkpoint before stands.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        "settings": settings_of(plan),
        "weights": {name: weight for name, weight in model.named_parameters() if weight.requires_grad},
        "optimizer": optimizer.state_dict(),
        "random": generator.get_state(),
        "history": [{**asdict(replace(step, samples=())), "samples": []} for step in history],
    }
    beside = folder / f"{NAME}.{os.getpid()}.part"
    try:
        torch.save(state, beside)
        beside.replace(folder / NAME)
    finally:
        beside.unlink(missing_ok=True)


def resume(folder: Path | None, model: Any, optimizer: Any, generator: torch.Generator, plan: Plan) -> list[Step]:
    """The steps done so far, with everything as they left it; none where nothing was kept.

    Raises:
        OtherRun: see above.
    """
    if folder is None or not (folder / NAME).exists():
        return []
    state = torch.load(folder / NAME, weights_only=True)
    if state["settings"] != settings_of(plan):
        raise OtherRun(f"{folder} holds a run with other settings; name another folder, or remove it to begin anew")
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, weight in state["weights"].items():
            own[name].copy_(weight)
    optimizer.load_state_dict(state["optimizer"])
    generator.set_state(state["random"])
    return [Step(**{**step, "samples": ()}) for step in state["history"]]
