"""Whether a run may be believed: the deployment gate asked of the server, and a suite's own check. Both label, one refuses."""

from __future__ import annotations

import importlib
from enum import StrEnum
from pathlib import Path
from typing import Any

from evals.core import Suite
from scout.progress import SILENT, Progress
from scout.serving import gate, verdicts
from scout.serving.client import ModelClient


class Gate(StrEnum):
    RUN = "run"
    """Ask the server now."""
    KEPT = "kept"
    """Take the last verdict on a model of that name."""
    SKIP = "skip"


async def label(
    client: ModelClient, data_dir: Path, how: Gate, *, queries: int = 20, progress: Progress = SILENT
) -> tuple[str, dict[str, Any]]:
    """Why runs on this server would not be trusted (empty where there is no reason), and what was checked.

    Raises:
        ModelError: the model is away, or refuses us.
    """
    if how is Gate.RUN:
        verdict = await gate.check(client, queries=queries, progress=progress)
        verdicts.keep(data_dir, verdict)
        return verdict.label, verdicts.to_json(verdict)
    if how is Gate.KEPT:
        kept = verdicts.label(data_dir, await client.model_name())
        return kept, {"passed": not kept, "label": kept, "checks": []}
    return verdicts.UNCHECKED, {"passed": False, "label": verdicts.UNCHECKED, "checks": []}


def vet(suite: Suite) -> str:
    """What is wrong with a suite by its own check; empty where nothing is."""
    return str(importlib.import_module("evals.selfcheck").why_not(suite))
