"""One step's rollouts: groups that teach nothing give way to other prompts', and what cannot teach at all is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
pytest.importorskip("transformers", reason="needs the rl extra")

from tiny_policy import Echo, decode, echo, tiny, weights  # noqa: E402

from rl.collect import collect  # noqa: E402
from rl.rewards import Label  # noqa: E402
from rl.rollout import InProcess, Refused, Rollout, SamplerFailed  # noqa: E402
from rl.train import Plan, train  # noqa: E402

PLAN = Plan(steps=2, prompts=4, group=4, held_out_every=100)


class Scripted:
    """Answers 0 to all, but for prompts that `varies` names: there to every other."""

    overlaps = False

    def __init__(self, varies: Any) -> None:
        self.varies, self.calls = varies, 0

    def publish(self, model: Any, version: str) -> None:
        return None

    def sample(self, prompts: Any, sampling: Any, *, version: str, seed: int) -> list[Any]:
        self.calls += 1
        return [
            Rollout(tuple(p), (p[-1] + 6 if self.varies(p) and n % 2 else 0,), (-1.0,), version, cut=True)
            for n, p in enumerate(prompts)
        ]


def test_groups_without_spread_give_way_to_other_prompts() -> None:
    sampler = Scripted(lambda prompt: prompt[1] == 2)
    found = collect(echo(), sampler, replace(PLAN, replace=3), decode, version="v", seed=1)
    assert len(found.groups) == 4
    assert not any(group.is_flat for group in found.groups)
    assert found.replaced > 0
    assert sampler.calls > 1
    assert len({group.place for group in found.groups}) == 4  # no prompt twice


def test_flat_groups_fill_up_when_the_tries_are_spent_and_teach_nothing() -> None:
    found = collect(echo(), Scripted(lambda prompt: False), PLAN, decode, version="v", seed=1)
    assert len(found.groups) == 4
    assert all(group.is_flat for group in found.groups)
    none = collect(echo(), Scripted(lambda prompt: False), replace(PLAN, replace=0), decode, version="v", seed=1)
    assert [group.place for group in none.groups] == [
        group.place for group in found.groups
    ]  # the first that were asked


def test_the_same_seed_draws_the_same_prompts_and_another_does_not() -> None:
    def places(seed: int) -> list[int]:
        made = InProcess()
        made.publish(tiny(), "v")
        return [group.place for group in collect(echo(), made, PLAN, decode, version="v", seed=seed).groups]

    assert places(1) == places(1) != places(2)


def test_fewer_answers_than_asked_for_and_none_that_can_be_used_are_said() -> None:
    class Short(Scripted):
        def sample(self, prompts: Any, *given: Any, **more: Any) -> list[Any]:
            return super().sample(prompts, *given, **more)[1:]

    class Broken(Scripted):
        def sample(self, prompts: Any, *given: Any, **more: Any) -> list[Any]:
            return [Refused("the log-probability of token 0 is nan")] * len(prompts)

    with pytest.raises(SamplerFailed, match="16 answers were asked for, 15 came"):
        collect(echo(), Short(lambda prompt: True), PLAN, decode, version="v", seed=1)
    with pytest.raises(SamplerFailed, match="none of 12 groups can be trained on; the first: the log-prob"):
        collect(echo(), Broken(lambda prompt: True), PLAN, decode, version="v", seed=1)


def test_steps_without_spread_do_not_move_the_policy_by_what_the_optimizer_remembers() -> None:
    model = tiny()
    task = echo()
    paid: list[int] = []
    task.pays = lambda answer: float(answer == "9") if len(paid) < 2 else 1.0
    seen: list[Any] = []

    class Watching:
        def step(self, step: Any) -> None:
            paid.append(1)
            seen.append(weights(model))

        def kept(self, *_: Any) -> None: ...
        def alarms(self, *_: Any) -> None: ...
        def stopping(self) -> bool:
            return False

    train(model, task, replace(PLAN, steps=4, learning_rate=1e-2), decode=decode, recorder=Watching())
    assert not all(torch.equal(a, b) for a, b in zip(seen[0], seen[1], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(seen[1], seen[3], strict=True))


@pytest.mark.parametrize(("up", "way"), [(True, "up"), (False, "down")], ids=["up", "down"])
def test_thumbs_that_all_point_one_way_are_refused(up, way) -> None:
    made = echo()
    one_way = Echo(tuple(replace(example, label=Label(up=up)) for example in made.examples), ())
    with pytest.raises(ValueError, match=f"all 14 thumbs are {way}"):
        train(tiny(), one_way, PLAN, decode=decode)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="ahead, replace and at_once"):
        train(tiny(), echo(), replace(PLAN, ahead=-1), decode=decode)
