"""Whatever ends a run, it goes on to the bit: rollouts in flight, SIGTERM in the middle of a step, a full disk."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
pytest.importorskip("transformers", reason="needs the rl extra")

from tiny_policy import decode, echo, tiny, weights  # noqa: E402

from rl import checkpoints  # noqa: E402
from rl.monitor import Step  # noqa: E402
from rl.pipeline import Pipeline  # noqa: E402
from rl.recorder import _Nobody  # noqa: E402
from rl.rollout import InProcess, Rollout  # noqa: E402
from rl.signals import terminable  # noqa: E402
from rl.train import Ended, Plan, train  # noqa: E402

PLAN = Plan(steps=5, prompts=3, group=6, learning_rate=3e-3, held_out_every=2, seed=5, ahead=2)


class Until(_Nobody):
    """Wishes the run to end after some steps."""

    def __init__(self, steps: int) -> None:
        self.steps, self.done = steps, 0

    def step(self, step: Step) -> None:
        self.done += 1

    def stopping(self) -> bool:
        return self.done == self.steps


@pytest.fixture(scope="module")
def straight() -> tuple[Any, Ended]:
    model = tiny()
    return model, train(model, echo(), PLAN, decode=decode)


def same(straight: tuple[Any, Ended], model: Any, done: Ended) -> bool:
    assert done.steps == straight[1].steps  # every figure, and the samples that alarms look at
    return all(torch.equal(a, b) for a, b in zip(weights(straight[0]), weights(model), strict=True))


@pytest.mark.parametrize("steps", [1, 3])
def test_a_run_resumed_with_rollouts_in_flight_ends_with_the_same_bits(straight, tmp_path, steps) -> None:
    stopped = train(tiny(), echo(), PLAN, decode=decode, folder=tmp_path, recorder=Until(steps))
    assert stopped.stopped
    assert len(stopped.steps) == steps
    kept = torch.load(tmp_path / checkpoints.NAME, weights_only=True)["in_flight"]
    assert [(each["step"], each["sampled_at"]) for each in kept] == [(n, max(n - 2, 0)) for n in (steps, steps + 1)]
    model = tiny(seed=9)  # other weights, all of which the checkpoint holds
    assert same(straight, model, train(model, echo(), PLAN, decode=decode, folder=tmp_path))
    assert [step.staleness for step in straight[1].steps] == [0, 1, 2, 2, 2]


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_while_sampling_keeps_the_step_before_and_resumes_to_the_bit(straight, tmp_path) -> None:
    seen = Until(-1)

    def interrupted(ids: Any) -> str:
        if seen.done == 2:  # in the third step's judging
            seen.done += 1
            terminate()
        return decode(ids)

    stopped = train(tiny(), echo(), PLAN, decode=interrupted, folder=tmp_path, recorder=seen)
    assert stopped.stopped
    assert len(stopped.steps) == 2
    model = tiny(seed=9)
    assert same(straight, model, train(model, echo(), PLAN, decode=decode, folder=tmp_path))


def test_sigterm_while_gradients_are_computed_makes_no_half_update(straight, tmp_path) -> None:
    model, calls = tiny(), []

    def hook(gradient: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            terminate()

    model.model.norm.weight.register_hook(hook)
    stopped = train(model, echo(), PLAN, decode=decode, folder=tmp_path)
    assert stopped.stopped
    assert len(stopped.steps) == 2
    resumed = tiny(seed=9)
    assert same(straight, resumed, train(resumed, echo(), PLAN, decode=decode, folder=tmp_path))


def test_sigterm_is_left_to_whoever_handles_it_already() -> None:
    noted: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda *_: noted.append(1))
    try:
        with terminable() as stop:
            terminate()
        assert noted == [1]
        assert not stop.asked
    finally:
        signal.signal(signal.SIGTERM, before)
    assert signal.getsignal(signal.SIGTERM) == before


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a full disk: writing beyond fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_last_good_checkpoint_and_says_so(straight, tmp_path) -> None:
    train(tiny(), echo(), PLAN, decode=decode, folder=tmp_path, recorder=Until(2))
    good = (tmp_path / checkpoints.NAME).read_bytes()
    with (
        files_of_at_most(len(good) // 2),
        pytest.raises(checkpoints.NotKept, match=r"of 5 steps cannot be written .*; the one before stands"),
    ):
        train(tiny(), echo(), PLAN, decode=decode, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoints.NAME]
    assert (tmp_path / checkpoints.NAME).read_bytes() == good
    model = tiny(seed=9)
    assert same(straight, model, train(model, echo(), PLAN, decode=decode, folder=tmp_path))


def test_a_file_that_is_no_checkpoint_and_one_of_other_weights_are_refused(tmp_path) -> None:
    train(tiny(), echo(), replace(PLAN, steps=1), decode=decode, folder=tmp_path)
    model = tiny()
    model.model.norm.requires_grad_(False)
    with pytest.raises(checkpoints.OtherRun, match="other weights"):
        train(model, echo(), PLAN, decode=decode, folder=tmp_path)
    (tmp_path / checkpoints.NAME).write_bytes(b"PK half of it")
    with pytest.raises(checkpoints.OtherRun, match="is no checkpoint"):
        train(tiny(), echo(), PLAN, decode=decode, folder=tmp_path)


def test_what_a_server_has_not_sampled_yet_is_asked_for_again_with_the_same_seed() -> None:
    class Slow(InProcess):
        """Elsewhere, and away until it is let go on."""

        overlaps = True

        def __init__(self) -> None:
            super().__init__()
            self.go_on = threading.Event()
            self.seeds: list[int] = []

        def sample(self, prompts: Any, sampling: Any, *, version: str, seed: int) -> list[Any]:
            assert self.go_on.wait(60)
            self.seeds.append(seed)
            return [
                Rollout(tuple(prompt), (2 + n % 5,), (-1.0,), version, cut=True) for n, prompt in enumerate(prompts)
            ]

    def pipeline(sampler: Slow, in_flight: Any = ()) -> Pipeline:
        return Pipeline(echo(), sampler, replace(PLAN, replace=0), decode, torch.Generator().manual_seed(1), in_flight)

    first, second = Slow(), Slow()
    with pipeline(first) as waiting:
        waiting.begin(0)
        kept = waiting.in_flight()
        first.go_on.set()
        asked = [waiting.rollouts()[0] for _ in range(1)]
    assert [each["found"] for each in kept] == [None] * 3
    second.go_on.set()
    with pipeline(second, kept) as again:
        again.begin(0)
        assert again.rollouts() == (asked[0], 0)
        assert second.seeds[0] == first.seeds[0]
        [done, *_] = again.in_flight()
    with pipeline(Slow(), [done]) as restored:  # found before: not asked for again
        assert restored.rollouts() == (asked[0], 0)


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    train(tiny(), echo(), replace(PLAN, steps=1), decode=decode, folder=tmp_path / "deep" / "run")
    assert (tmp_path / "deep" / "run" / checkpoints.NAME).exists()
