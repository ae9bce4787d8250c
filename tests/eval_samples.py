"""A suite small enough to see through, and models for it, for tests of what runs, keeps and compares suites."""

from __future__ import annotations

import re
from collections.abc import Callable

from scripted_server import Request

from evals.core import Answer, Case, Suite, Verdict
from scout.serving.messages import Message, Role


def sums(seed: int, n: int) -> tuple[Case[str], ...]:
    """Sums of two numbers, in families of four."""
    return tuple(
        Case(
            id=f"sum-{seed}-{k}", group=f"family-{k // 4}", gold=str(k + seed), max_tokens=32, level=k % 3,
            messages=(Message(Role.SYSTEM, "Answer with the number alone."), Message(Role.USER, f"What is {k} + {seed}?")),
        )
        for k in range(n)
    )  # fmt: skip


def right(case: Case[str], answer: Answer) -> Verdict:
    same = answer.text.strip() == case.gold
    return Verdict(case.id, float(same), "right" if same else f"{answer.text!r} is not {case.gold}")


def suite(*, version: int = 1, name: str = "sums", verify: Callable[[Case[str], Answer], Verdict] = right) -> Suite:
    return Suite(
        name=name, version=version, domain="arithmetic", title="Adds two numbers.", build=sums, verify=verify, items=12,
        gold_answer=lambda case: Answer(case_id=case.id, text=case.gold), families=3,
    )  # fmt: skip


def adds(request: Request) -> str:
    """A model that is right, and knows nothing but sums."""
    a, b = _numbers(request)
    return str(a + b) if b else "no idea"


def adds_even(request: Request) -> str:
    """A model that is right where the first number is even."""
    a, b = _numbers(request)
    return str(a + b) if b and a % 2 == 0 else "no idea"


def _numbers(request: Request) -> tuple[int, int]:
    found = re.findall(r"\d+", request.last)
    return (int(found[0]), int(found[1])) if len(found) == 2 else (0, 0)
