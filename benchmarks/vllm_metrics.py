"""What a vLLM tells of itself: counters from /metrics, and how long its scheduler's steps took, from its log. No asking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import httpx

_LINE = re.compile(r"^(vllm:\w+?)(?:_total)?(?:\{[^}]*\})? ([\d.eE+-]+)$", re.M)
_STEP = re.compile(r"Iteration\((\d+)\):.*?elapsed time: ([\d.]+) ms")


def counters(root: str) -> Mapping[str, float]:
    """The sum over all labels of each counter and gauge, by its name without `_total`."""
    answer = httpx.get(f"{root}/metrics", trust_env=False, timeout=60)
    answer.raise_for_status()
    found: dict[str, float] = {}
    for name, value in _LINE.findall(answer.text):
        found[name] = found.get(name, 0.0) + float(value)
    return found


def steps(log: Path) -> list[float]:
    """Milliseconds of each step of the scheduler so far, in order; needs `--enable-logging-iteration-details`."""
    return [float(took) for _, took in _STEP.findall(log.read_text(encoding="utf-8", errors="replace"))]
