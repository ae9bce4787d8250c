"""Rollouts for the steps to come, asked for `ahead` steps early: while a step trains, a server samples for later ones.

A step is trained on what the policy of exactly `ahead` steps before sampled (the first ones on the first policy's): staleness
is a setting, not an accident, and a run with the sampler in this process stays a function of its seed. What is in flight is part
of a checkpoint; what was not sampled yet when it was written is asked for again with the same seed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import torch

from rl import distributed
from rl.collect import Collected, Decode, collect, judged
from rl.rollout import Rollout, Sampler
from rl.task import Task

if TYPE_CHECKING:
    from rl.plan import Plan

_SEEDS = 2**62
_LOOK = 0.2
"""Seconds between looks at whether the run is to end, while rollouts are waited for."""


def version_of(step: int) -> str:
    """The policy that this step begins with."""
    return f"step-{step}"


@dataclass(slots=True)
class Asked:
    """Rollouts of one step, on their way or here."""

    step: int
    seed: int
    sampled_at: int
    """The step whose policy samples."""
    found: Future[Collected] | None = None


class Pipeline:
    """Use as a context: leaving it waits for no one."""

    def __init__(
        self, task: Task, sampler: Sampler, plan: Plan, decode: Decode, generator: torch.Generator,
        in_flight: Sequence[Mapping[str, Any]] = (),
    ) -> None:  # fmt: skip
        self._task, self._sampler, self._plan, self._decode = task, sampler, plan, decode
        self._generator = generator
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="rollouts") if sampler.overlaps else None
        self._asked = deque(self._restored(each) for each in in_flight)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker:
            self._worker.shutdown(wait=False, cancel_futures=True)
            self._sampler.give_up()

    def publish(self, step: int, model: Any) -> None:
        """Hand the sampler the policy of this step; nothing is asked of it yet.

        Raises:
            SamplerFailed: the sampler does not take the policy.
        """
        self._sampler.publish(model, version_of(step))

    def begin(self, step: int) -> None:
        """Ask for what the policy of this step, which was published, is to sample.

        Raises:
            SamplerFailed: the sampler (in this process) gives nothing.
        """
        last = self._asked[-1].step if self._asked else step - 1
        for each in range(last + 1, min(step + self._plan.ahead, self._plan.steps - 1) + 1):
            self._asked.append(Asked(each, int(torch.randint(_SEEDS, (), generator=self._generator)), step))
        for asked in self._asked:
            if asked.found is None:
                asked.sampled_at = step
                asked.found = self._start(asked)

    def rollouts(self, look: Callable[[], None] = lambda: None) -> tuple[Collected, int]:
        """What the oldest step asked for is trained on, and the updates since the policy that sampled it. It stays in flight until
        `end`.

        Args:
            look: called while waiting; may raise.

        Raises:
            SamplerFailed: nothing came.
        """
        asked = self._asked[0]

        def waited() -> Collected:
            assert asked.found is not None, "begin comes first"
            while not wait([asked.found], timeout=_LOOK).done:
                look()
            return asked.found.result()

        return distributed.told_or_raised(waited) if self._worker else waited(), asked.step - asked.sampled_at

    def end(self) -> None:
        """The step is done."""
        self._asked.popleft()

    def in_flight(self) -> list[dict[str, Any]]:
        """What `in_flight` takes; plain values."""
        return [
            {"step": each.step, "seed": each.seed, "sampled_at": each.sampled_at, "found": _plain(each.found)}
            for each in self._asked
        ]

    def _start(self, asked: Asked) -> Future[Collected]:
        def work() -> Collected:
            return collect(
                self._task, self._sampler, self._plan, self._decode, version=version_of(asked.sampled_at), seed=asked.seed
            )  # fmt: skip

        here: Future[Collected] = Future()
        if self._worker and distributed.world().rank:
            return here  # the first process asks, and tells
        if self._worker:
            return self._worker.submit(work)
        here.set_result(work())
        return here

    def _restored(self, state: Mapping[str, Any]) -> Asked:
        asked = Asked(int(state["step"]), int(state["seed"]), int(state["sampled_at"]))
        if (told := state["found"]) is not None:
            groups = tuple(
                judged(self._task, self._plan, self._decode, place, [_rollout(row) for row in rows])
                for place, rows in told["groups"]
            )  # fmt: skip
            asked.found = Future()
            asked.found.set_result(Collected(groups, told["version"], told["replaced"], told["refused"]))
        return asked


def _rollout(row: Sequence[Any]) -> Rollout:
    prompt, answer, logprobs, version, cut = row
    return Rollout(tuple(prompt), tuple(answer), tuple(logprobs), version, cut)


def _plain(found: Future[Collected] | None) -> dict[str, Any] | None:
    if found is None or not found.done() or found.cancelled() or found.exception():
        return None
    got = found.result()
    rows = [
        (group.place, [(list(r.prompt), list(r.answer), list(r.logprobs), r.version, r.cut) for r in group.rollouts])
        for group in got.groups
    ]
    return {"groups": rows, "version": got.version, "replaced": got.replaced, "refused": got.refused}
