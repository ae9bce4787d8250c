"""The inside of a vLLM engine for given tokens: activations by hooks in this process, log-probabilities as it would serve them.

HTTP shows no activations, so the engine is built here, with the checkpoint that a server would load. One engine a process:
`python -m rl.engine CHECKPOINT IDS.json OUT.pt --dtype bfloat16 --head-dtype float32` (`traced` runs it). Needs vllm.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from rl.activations import Trace

TIMEOUT = 900.0
"""Seconds for the engine to start and answer."""
MEMORY = 0.2
"""Share of the device's memory that the engine may take (vLLM means the machine's on a CPU): one short sequence, no more."""


class EngineFailed(Exception):
    """The engine ended without a trace; the message holds the end of what it printed."""


def traced(checkpoint: Path, ids: Sequence[int], *, dtype: str, fp32_head: bool, python: str = sys.executable) -> Trace:
    """The trace of `ids` through a vLLM engine of its own.

    Args:
        dtype: the body's, as vLLM calls it: `bfloat16`, `float32`.
        fp32_head: serve with `head_dtype` float32.
        python: the Python of an environment that has vllm.

    Raises:
        EngineFailed: no engine could be built, or it ran other tokens than these.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "ids.json"), Path(folder, "trace.pt")
        asked.write_text(json.dumps(list(ids)))
        command = [python, "-m", "rl.engine", str(checkpoint), str(asked), str(answered), "--dtype", dtype]
        command += ["--head-dtype", "float32"] if fp32_head else []
        own = {
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_ALLOW_INSECURE_SERIALIZATION": "1",
            "VLLM_CPU_KVCACHE_SPACE": "1",
        }
        try:
            done = subprocess.run(
                command, env={**os.environ, **own}, capture_output=True, text=True, timeout=TIMEOUT,
                cwd=Path(__file__).resolve().parents[1],
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise EngineFailed(f"the engine for {checkpoint} did not answer within {TIMEOUT:.0f} s") from None
        if done.returncode or not answered.exists():
            raise EngineFailed(
                f"the engine for {checkpoint} ended with {done.returncode}:\n{_tail(done.stdout + done.stderr)}"
            )
        found = torch.load(answered, weights_only=True)
    return Trace(found["stream"], found["hidden"], found["logprobs"])


def _tail(text: str, lines: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


def run(checkpoint: str, ids: list[int], *, dtype: str, head_dtype: str | None) -> dict[str, torch.Tensor]:
    from vllm import LLM, SamplingParams

    engine = LLM(
        model=checkpoint, dtype=dtype, enforce_eager=True, enable_prefix_caching=False, max_model_len=len(ids) + 16,
        max_num_batched_tokens=max(2048, len(ids) + 16), max_num_seqs=4, gpu_memory_utilization=MEMORY,
        hf_overrides={"head_dtype": head_dtype} if head_dtype else {},
    )  # fmt: skip
    engine.apply_model(_watch)
    asked = SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0)
    [answer] = engine.generate([{"prompt_token_ids": ids}], asked, use_tqdm=False)
    [seen] = engine.apply_model(_seen)
    logprobs = [place[token].logprob for token, place in zip(ids[1:], answer.prompt_logprobs[1:], strict=True)]
    return {**{name: value[..., : len(ids), :] for name, value in seen.items()}, "logprobs": torch.tensor(logprobs)}


def _watch(model: Any) -> None:
    """Keep the residual stream between layers, and what the final norm gives. The first pass with tokens counts."""
    model.scout_seen = {}

    def keep(name: Any, value: torch.Tensor) -> None:
        model.scout_seen.setdefault(name, value.detach().float().cpu().clone())

    def stream(hidden: torch.Tensor, residual: torch.Tensor | None) -> torch.Tensor:
        return hidden if residual is None else hidden + residual

    layers = model.model.layers
    for n, layer in enumerate(layers):
        layer.register_forward_pre_hook(
            lambda _, args, kwargs, n=n: keep(n, stream(*_entering(args, kwargs))), with_kwargs=True
        )
    layers[-1].register_forward_hook(lambda _, __, out: keep(len(layers), stream(*out)))
    model.model.norm.register_forward_hook(lambda _, __, out: keep("hidden", out[0] if isinstance(out, tuple) else out))


def _entering(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor | None]:
    """A vLLM decoder layer is called with positions, hidden states and the residual, which is None at first."""
    given = dict(zip(("positions", "hidden_states", "residual"), args, strict=False)) | kwargs
    return given["hidden_states"], given.get("residual")


def _seen(model: Any) -> dict[str, torch.Tensor]:
    places = sorted(name for name in model.scout_seen if isinstance(name, int))
    return {"stream": torch.stack([model.scout_seen[n] for n in places]), "hidden": model.scout_seen["hidden"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("ids", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--head-dtype")
    asked = parser.parse_args()
    torch.save(
        run(asked.checkpoint, json.loads(asked.ids.read_text()), dtype=asked.dtype, head_dtype=asked.head_dtype),
        asked.out,
    )


if __name__ == "__main__":
    main()
