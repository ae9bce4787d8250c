"""Where vLLM is installed on this machine, what helps it there, and what a model's folder says of itself. Reads, starts nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

NAMED_BY = "SCOUT_VLLM_PYTHON"
"""A variable that names the interpreter, where vLLM has an environment of its own elsewhere."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What the config.json of a checkpoint on this machine tells."""

    architecture: str = ""
    length: int | None = None


def vllm_python(beside: Path) -> Path | None:
    """The interpreter that can import vLLM: the one named, this one, or that of `.venv-vllm` in the folder `beside`."""
    if named := os.environ.get(NAMED_BY):
        return Path(named)
    if importlib.util.find_spec("vllm") is not None:
        return Path(sys.executable)
    for folder in (beside, Path(__file__).resolve().parents[2]):
        if (found := folder.absolute() / ".venv-vllm" / "bin" / "python").exists():
            return found
    return None


def preloads(python: Path) -> tuple[str, ...]:
    """Libraries that make the CPU build faster, where they are: a better allocator, Intel's OpenMP."""
    here = Path(python).parent.parent / "lib"
    found = [next(iter(sorted(Path("/usr/lib").glob("*/libtcmalloc_minimal.so.4"))), None), here / "libiomp5.so"]
    return tuple(str(path) for path in found if path is not None and path.exists())


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def model_folder(model: str) -> ModelFolder | None:
    """What a folder says of the model in it; None where `model` is no folder but a name on the Hub."""
    path = Path(model)
    if not path.is_dir():
        return None
    try:
        told = json.loads((path / "config.json").read_text(encoding="utf-8"))
        length = told.get("max_position_embeddings")
        return ModelFolder(str(told.get("model_type", "")), length if isinstance(length, int) else None)
    except (OSError, ValueError, AttributeError):
        return ModelFolder()
