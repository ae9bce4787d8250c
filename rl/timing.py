"""Where a run's seconds go, by part. What is not in a part is the loop's own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rl.rollout import Refused, Rollout, Sampler, Sampling

WORK = ("generation", "forward", "backward")
"""What a step cannot do without."""


class Clock:
    def __init__(self) -> None:
        self._parts: dict[str, float] = {}
        self._since = time.perf_counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._parts[name] = self._parts.get(name, 0.0) + time.perf_counter() - begun

    @property
    def parts(self) -> Mapping[str, float]:
        """Seconds by part since the clock was made, and `other`: what no part took."""
        whole = time.perf_counter() - self._since
        return {**self._parts, "other": max(0.0, whole - sum(self._parts.values()))}


class Timed:
    """A sampler (`rl.rollout.Sampler`) whose sampling is timed, unless it goes on beside training."""

    def __init__(self, inner: Sampler, clock: Clock) -> None:
        self.inner, self._clock = inner, clock

    @property
    def overlaps(self) -> bool:
        return self.inner.overlaps

    def publish(self, model: Any, version: str) -> None:
        self.inner.publish(model, version)

    def give_up(self) -> None:
        self.inner.give_up()

    def sample(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, *, version: str, seed: int
    ) -> list[Rollout | Refused]:
        if self.overlaps:  # another thread's; what training waits for is timed where it waits
            return self.inner.sample(prompts, sampling, version=version, seed=seed)
        with self._clock.part("generation"):
            return self.inner.sample(prompts, sampling, version=version, seed=seed)


def overhead(parts: Mapping[str, float]) -> float:
    """The share of a step that is neither generation nor forward nor backward; looks at held-out labels are left out."""
    steps = {name: seconds for name, seconds in parts.items() if name not in ("held-out", "setup")}
    whole = sum(steps.values())
    return sum(seconds for name, seconds in steps.items() if name not in WORK) / whole if whole else 0.0
