"""A small suite on a real vLLM: two epochs, an adapterless model of poor wits, and every answer accounted for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai", reason="the evals extra is not installed")

from eval_samples import suite
from vllm_server import NAME, Vllm

from evals.asking import Manner
from evals.core import Case, Verdict
from evals.evaluate import Plan, evaluate
from evals.suites.instructions import INSTRUCTIONS
from evals.transcripts import said
from scout.serving.client import ModelClient
from scout.serving.messages import Message, Role
from scout.store import Store
from scout.store.evals import EvalRun

pytestmark = pytest.mark.vllm


def test_long_prompts_with_seeds_asked_all_at_once_leave_the_server_standing(vllm: Vllm, tmp_path: Path) -> None:
    """More tokens of prompts than one step of the server takes: read in parts, they ended vLLM 0.32 on a CPU."""

    def long(seed: int, n: int) -> tuple[Case[str], ...]:
        words = " ".join(str(k) for k in range(120))
        asked = [Message(Role.USER, f"{k} {words} {k}") for k in range(n)]
        return tuple(
            Case(id=f"q{k}", group="g", messages=(each,), gold="", max_tokens=2) for k, each in enumerate(asked)
        )

    plan = Plan(
        suite=replace(suite(), build=long, verify=lambda case, answer: Verdict(case.id, 0.0)),
        seed=1, items=32, epochs=1, manner=Manner(temperature=0.7),
    )  # fmt: skip
    with Store(tmp_path / "scout.db") as store:

        async def run(client: ModelClient) -> EvalRun:
            return await evaluate(store, tmp_path, client, plan)

        done = vllm.run(run, concurrency=32)
        assert (done.summary["answers"], done.summary["errors"]) == (32, 0), done.message


def test_a_suite_runs_on_a_real_server_and_every_answer_is_accounted_for(vllm: Vllm, tmp_path: Path) -> None:
    plan = Plan(suite=suite(), seed=1, items=6, epochs=2, manner=Manner(temperature=0.7))
    with Store(tmp_path / "scout.db") as store:

        async def run(client: ModelClient) -> EvalRun:
            return await evaluate(store, tmp_path, client, plan)

        done = vllm.run(run, concurrency=8)
        assert done.is_done, done.message
        assert (done.model, done.items, done.epochs) == (NAME, 6, 2)
        figures = done.summary
        assert (figures["of"], figures["answers"], figures["errors"], figures["requests"]) == (12, 12, 0, 12)
        assert figures["completion_tokens"] >= 12
        assert figures["prompt_tokens"] > 12 * 10
        assert 0 < figures["seconds"]["p50"] <= figures["seconds"]["p95"] <= figures["seconds"]["wall"]
        answers = said(tmp_path, done.id)
        assert {(told.item, told.epoch) for told in answers} == {(f"sum-1-{k}", e) for k in range(6) for e in (1, 2)}
        assert all(told.model == NAME for told in answers)
        assert len(store.evals.items(done.id)) == 6


def test_a_real_small_model_is_right_sometimes_at_the_easiest_level(vllm: Vllm, tmp_path: Path) -> None:
    """What the level is for: SmolLM2 of 135M solves more than half of these, and nearly none of the others."""

    def easiest(seed: int, n: int) -> tuple[Case[Any], ...]:
        return tuple(case for case in INSTRUCTIONS.build(seed, 4 * n) if case.level == 0)

    plan = Plan(
        suite=replace(INSTRUCTIONS, build=easiest),
        seed=1,
        items=15,
        epochs=1,
        manner=Manner(temperature=0.7, max_tokens=48),
    )
    with Store(tmp_path / "scout.db") as store:

        async def run(client: ModelClient) -> EvalRun:
            return await evaluate(store, tmp_path, client, plan)

        done = vllm.run(run, concurrency=15)
        assert list(done.summary["levels"]) == ["0"]
        assert done.summary["mean"] > 0.2
        assert done.summary["parts"]["rules kept"]["n"] == 15
