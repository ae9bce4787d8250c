"""The FP32 head against the naive one and TRL's chunked kernel: time, memory beyond the gradients, and error against FP64.

Every form runs in a process of its own, in turn with the others. Needs torch (the rl extra), and trl for its row:
`PYTHON -m benchmarks head` with the Python of an environment that has them. `PYTHON -m benchmarks.bench_head trained 1` measures
one mode, in so many rounds.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import figure

if TYPE_CHECKING:
    from torch import Tensor

TOKENS, SIZE, VOCABULARY = 2048, 1024, 151_936
ROUNDS = 2
CHECKED = 64
"""Tokens whose values are compared with FP64."""


LIMITS = {"frozen": 0.9, "trained": 1.35}
"""Of naive's time."""


def main(modes: Sequence[str] = tuple(LIMITS), rounds: int = ROUNDS) -> None:
    if importlib.util.find_spec("torch") is None:
        print("head: needs torch, which the rl extra brings; nothing was measured", file=sys.stderr)
        return
    forms = ["naive", "chunked", *(["trl"] if importlib.util.find_spec("trl") else [])]
    for mode in modes:
        limit = LIMITS[mode]
        runs = [(form, _child(form, mode)) for _ in range(rounds) for form in forms]
        seconds = {form: min(run["seconds"] for name, run in runs if name == form) for form in forms}
        worked = {form: min(run["worked"] for name, run in runs if name == form) for form in forms}
        extra = {form: min(run["extra"] for name, run in runs if name == form) for form in forms}
        error = {form: max(run["error"] for name, run in runs if name == form) for form in forms}
        naive = f"naive {seconds['naive']:.1f} s, {extra['naive']:.0f} MB"
        for form in forms[1:]:
            ours = form == "chunked"
            name = f"head {mode}: {'ours' if ours else 'TRL'}"
            figure(
                f"{name}, time of naive",
                seconds[form] / seconds["naive"],
                "ratio",
                limit=limit if ours else None,
                note=naive,
            )
            figure(f"{name}, processor time of naive", worked[form] / worked["naive"], "ratio",
                   note=f"naive {worked['naive']:.1f} s")  # fmt: skip
            figure(f"{name}, memory of naive", extra[form] / extra["naive"], "ratio", limit=0.1 if ours else None,
                   note=f"{extra[form]:.0f} MB beyond the gradients")  # fmt: skip
            figure(f"{name}, largest error to FP64", error[form] * 1e6, "1e-6 rel.", limit=10 if ours else None)


def _child(form: str, mode: str) -> dict[str, float]:
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_head", form, mode], check=True, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": str(os.cpu_count())},
    )  # fmt: skip
    told: dict[str, float] = json.loads(found.stdout.splitlines()[-1])
    return told


def measure(form: str, mode: str) -> dict[str, float]:
    import torch

    made = torch.Generator().manual_seed(0)

    def operand(rows: int, scale: float) -> torch.Tensor:
        # In small pieces, so that making it does not set the peak that is measured.
        values = torch.empty(rows, SIZE, dtype=torch.bfloat16)
        for piece in values.split(1024):
            piece.copy_(torch.randn(piece.shape, generator=made) * scale)
        return values

    hidden, weight = operand(TOKENS, 1.0).requires_grad_(), operand(VOCABULARY, 0.1)
    weight.requires_grad_(mode == "trained")
    targets = torch.randint(VOCABULARY, (TOKENS,), generator=made)
    logprobs = FORMS[form]
    logprobs(hidden[:2], weight[:64], targets[:2] % 64).sum().backward()  # what a first call loads
    hidden.grad = weight.grad = None
    before = _resident()
    started, worked = time.perf_counter(), time.process_time()
    found = logprobs(hidden, weight, targets)
    found.sum().backward()
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    gradients = sum(t.grad.numel() * t.grad.element_size() for t in (hidden, weight) if t.grad is not None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    true = _exact(hidden.detach()[:CHECKED], weight.detach(), targets[:CHECKED])
    error = ((found.detach()[:CHECKED].double() - true).abs() / true.abs()).max()
    return {"seconds": seconds, "worked": worked, "extra": (peak - before - gradients) / 1e6, "error": float(error)}


def naive(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """All logits at once, in FP32."""
    return (hidden.float() @ weight.float().T).log_softmax(dim=-1).gather(1, targets[:, None])[:, 0]


def chunked(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    from rl.head import token_logprobs

    return token_logprobs(hidden, weight, targets)


def trl(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    from trl.kernels.chunked_logprob import ChunkedLogProbFunction

    return ChunkedLogProbFunction.apply(hidden, weight, None, targets, 1.0, 4096, None, 1.0, ())[0]


FORMS = {"naive": naive, "chunked": chunked, "trl": trl}


def _exact(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    import torch

    logits = torch.cat([hidden.double() @ piece.double().T for piece in weight.split(8192)], dim=1)
    return logits.log_softmax(dim=-1).gather(1, targets[:, None])[:, 0]


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in FORMS:
        print(json.dumps(measure(sys.argv[1], sys.argv[2])))
    elif len(sys.argv) == 3:
        main([sys.argv[1]], int(sys.argv[2]))
    else:
        main()
