"""The table that decides about the head: trainer against server with a bf16 and an FP32 head on either side.

Each server is a vLLM engine of its own (`rl.engine`), the trainer is the same checkpoint in transformers. The report with an
FP32 head on both sides goes through the layers as well (`rl.parity`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from rl.activations import trace
from rl.engine import traced
from rl.mismatch import Mismatch, measure
from rl.parity import Report, compare
from scout.progress import SILENT, Progress

BODIES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
LARGEST_MEAN = 0.05
"""Mean |Δ log-probability|, in nats, with which training may begin: what a 16-bit body alone costs is .03 to .05."""


@dataclass(frozen=True, slots=True)
class Row:
    server_fp32: bool
    trainer_fp32: bool
    mismatch: Mismatch


@dataclass(frozen=True, slots=True)
class Precision:
    checkpoint: str
    body: str
    tokens: int
    rows: tuple[Row, ...]
    report: Report
    """With an FP32 head on both sides."""
    limit: float = LARGEST_MEAN
    """Mean |Δ log-probability|, in nats, with which training may begin."""

    @property
    def verdict(self) -> str:
        """Why training on this pair should not begin; empty where it may."""
        if self.report.fault:
            return self.report.fault
        mean = self.report.mismatch.mean
        return f"mean |Δ log-probability| is {mean:.3f}, more than {self.limit}" if mean > self.limit else ""

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def measured(
    checkpoint: Path, ids: Sequence[int], *, body: str, python: str = sys.executable, progress: Progress = SILENT,
    limit: float = LARGEST_MEAN,
) -> Precision:  # fmt: skip
    """Run both engines and all four pairs. A body in FP32 has one head only, so one pair.

    Raises:
        rl.engine.EngineFailed: an engine did not start or answer.
        OSError: there is no such checkpoint.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    dtype = BODIES[body]
    heads = (True,) if dtype == torch.float32 else (False, True)
    progress.stage("engines", len(heads))
    trainer = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=dtype).eval()
    ours = {fp32: trace(trainer, ids, fp32_head=fp32).logprobs for fp32 in heads}
    rows, servers = [], {}
    for fp32_server in heads:
        servers[fp32_server] = traced(checkpoint, ids, dtype=body, fp32_head=fp32_server, python=python)
        progress.step("FP32 head" if fp32_server else f"{body} head")
        rows += [Row(fp32_server, fp32, measure(ours[fp32], servers[fp32_server].logprobs)) for fp32 in heads]
    reference = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=dtype).to(torch.float32).eval()
    report = compare(servers[True], trainer, reference, ids, dtype=dtype, fp32_head=True)
    progress.done()
    return Precision(str(checkpoint), body, len(ids), tuple(rows), report, limit)


def tokenized(checkpoint: Path, text: str) -> list[int]:
    """The text's token ids.

    Raises:
        OSError, ValueError: there is no tokenizer that can be read.
    """
    from transformers import AutoTokenizer

    ids: list[int] = AutoTokenizer.from_pretrained(checkpoint)(text)["input_ids"]
    return ids
