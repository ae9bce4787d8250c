"""Rollouts from a server: ids stay ids, versions stay apart, training goes on meanwhile, and nothing doubtful is trained on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
pytest.importorskip("transformers", reason="needs the rl extra")
pytest.importorskip("peft", reason="needs the rl extra")

from tiny_policy import decode, echo, tiny, tiny_lora  # noqa: E402
from token_server import TokenServer, token_server  # noqa: E402

from rl.gate import NotOneFunction, allowed  # noqa: E402
from rl.mismatch import measure  # noqa: E402
from rl.monitor import Kind, Step  # noqa: E402
from rl.recorder import _Nobody  # noqa: E402
from rl.rollout import Refused, Rollout, SamplerFailed, Sampling, logprobs_of, pack  # noqa: E402
from rl.server_rollout import ServerSampler  # noqa: E402
from rl.train import Plan, train  # noqa: E402
from scout.config import Model  # noqa: E402
from scout.serving.client import Patience  # noqa: E402

PLAN = Plan(steps=4, prompts=2, group=3, learning_rate=1e-2, held_out_every=100, seed=3, ahead=1)
PROMPTS = [(1, 2, 3), (1, 4, 2, 6), (5, 5)]
SAMPLING = Sampling(6, 1.0, frozenset({0, 1}))
GATE, FIRST = 16, PLAN.prompts * PLAN.group
"""Rollouts that are asked for before a run begins, and for its first step."""


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server(tiny) as served:
        yield served


@pytest.fixture
def sampler(server: TokenServer, tmp_path: Path) -> ServerSampler:
    return ServerSampler(
        Model(base_urls=(server.base_url,)), tmp_path, run="test", keep=3, patience=Patience(attempts=2, first_pause=0.01)
    )  # fmt: skip


def perturbed(model: Any, size: float = 0.3) -> Any:
    torch.manual_seed(7)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight += size * torch.randn_like(weight)
    return model


def test_rollouts_are_the_ids_and_log_probabilities_of_the_policy_that_was_published(server, sampler) -> None:
    model = perturbed(tiny_lora())
    sampler.publish(model, "step-0")
    made = sampler.sample(PROMPTS, SAMPLING, version="step-0", seed=11)
    assert [each.prompt for each in made] == PROMPTS
    assert {each.version for each in made} == {"step-0"}
    assert all(each.cut == (each.answer[-1] not in SAMPLING.end) for each in made)
    packed = pack(made)
    assert measure(logprobs_of(model, packed)[0], packed.old, packed.mask).largest < 1e-5
    base = logprobs_of(tiny(), packed)[0]
    assert measure(base, packed.old, packed.mask).largest > 0.01  # the adapter's, not the model's beneath
    assert made == sampler.sample(PROMPTS, SAMPLING, version="step-0", seed=11)


def test_sampling_is_plain_whatever_the_servers_defaults(server, sampler) -> None:
    sampler.publish(tiny_lora(), "step-0")
    sampler.sample(PROMPTS[:1], replace(SAMPLING, temperature=0.7), version="step-0", seed=11)
    [body] = server.asked
    assert (body["temperature"], body["top_p"], body["top_k"], body["min_p"], body["repetition_penalty"]) == (
        0.7,
        1,
        0,
        0,
        1,
    )
    assert (body["prompt"], body["stop_token_ids"], body["ignore_eos"]) == ([1, 2, 3], [0, 1], True)


def test_prompts_are_scored_by_a_version_or_by_the_model_beneath(sampler) -> None:
    model = perturbed(tiny_lora())
    sampler.publish(model, "step-0")
    row = pack([Rollout((1,), (2, 3, 9), (0.0,) * 3, "", cut=False)])
    for version, own in (("step-0", model), (None, tiny())):
        assert torch.allclose(sampler.scored([1, 2, 3, 9], version=version), logprobs_of(own, row)[0][0], atol=1e-5)


def test_a_run_is_trained_on_what_the_policy_of_one_step_before_sampled(server, sampler) -> None:
    done = train(tiny_lora(), echo(), PLAN, decode=decode, sampler=sampler)
    assert [(step.version, step.staleness) for step in done.steps] == [
        ("step-0", 0), ("step-0", 1), ("step-1", 1), ("step-2", 1),
    ]  # fmt: skip
    assert done.steps[0].mismatch["largest"] < 1e-4 < done.steps[2].mismatch["largest"]  # the policy's own step since
    names = {body["model"] for body in server.asked}
    assert all(name.startswith("test-step-") for name in names)
    assert len(names) == 3  # every version under a name of its own
    assert len(server.adapters) == 3  # the fourth made the first superfluous


def test_the_server_samples_for_the_next_step_while_this_one_trains(server, sampler) -> None:
    """The first step is not done before the second's rollouts are asked for, and these do not come before it is done."""
    asked_ahead, trained = threading.Event(), threading.Event()
    met: list[bool] = []

    class Watching(_Nobody):
        def step(self, step: Step) -> None:
            if step.step == 0:
                met.append(asked_ahead.wait(60))
                trained.set()

    def hold_back(body: dict[str, Any]) -> None:
        if len(server.asked) == GATE + FIRST + 1:
            asked_ahead.set()
            met.append(trained.wait(60))

    server.before = hold_back
    plan = replace(PLAN, steps=3, replace=0)
    train(tiny_lora(), echo(), plan, decode=decode, sampler=sampler, recorder=Watching())
    assert met == [True, True]


def test_sigterm_while_a_server_samples_ends_at_once_and_the_run_goes_on_later(server, sampler, tmp_path) -> None:
    go_on = threading.Event()
    asked: list[int] = []

    def hold_back(body: dict[str, Any]) -> None:
        if "prompt_logprobs" not in body and not go_on.is_set():
            asked.append(1)
            if len(asked) == 24:
                os.kill(os.getpid(), signal.SIGTERM)
                go_on.wait(60)

    server.before = hold_back
    stopped = train(tiny_lora(), echo(), PLAN, decode=decode, sampler=sampler, folder=tmp_path / "run")
    still = [thread for thread in threading.enumerate() if thread.name.startswith("rollouts")]
    for thread in still:
        thread.join(60)
    assert not any(thread.is_alive() for thread in still)  # though the server still holds its answer back
    assert stopped.stopped
    go_on.set()
    done = train(tiny_lora(), echo(), PLAN, decode=decode, sampler=sampler, folder=tmp_path / "run")
    assert len(stopped.steps) < len(done.steps) == PLAN.steps
    assert [step.staleness for step in done.steps][: len(stopped.steps)] == [step.staleness for step in stopped.steps]


def test_a_server_started_again_is_given_the_adapter_again(server, sampler, caplog) -> None:
    server.before = lambda body: server.forgets() if len(server.asked) == 24 else None
    done = train(tiny_lora(), echo(), PLAN, decode=decode, sampler=sampler)
    assert len(done.steps) == PLAN.steps
    assert "adapter loaded again" in caplog.messages


def test_an_adapter_that_fails_to_load_ends_the_run_before_anything_is_trained(server, sampler) -> None:
    server.takes_adapters = False
    model = tiny_lora()
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    with pytest.raises(SamplerFailed, match=r"adapter of step-0 cannot be loaded: .*max_lora_rank"):
        train(model, echo(), PLAN, decode=decode, sampler=sampler)
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


def test_another_model_beneath_the_adapter_does_not_pass_the_gate(server, sampler) -> None:
    server.base = lambda: tiny(seed=1)
    with pytest.raises(NotOneFunction, match="do not compute one function"):
        train(tiny_lora(), echo(), PLAN, decode=decode, sampler=sampler)


def test_few_tokens_may_differ_by_what_chance_adds_to_their_mean() -> None:
    made = torch.Generator().manual_seed(0)
    size = torch.randn(4000, 16, generator=made).abs() * 0.05 * (torch.pi / 2) ** 0.5  # of mean .05, the limit
    refused = (size.mean(dim=1) > allowed(0.05, 16)).float().mean()
    assert refused < 0.04
    assert allowed(0.05, 16) < 0.07
    assert allowed(0.05, 2000) < 0.052


def test_a_server_that_changes_under_way_is_an_alarm_and_makes_no_update(server, sampler) -> None:
    model = tiny_lora()
    last: dict[str, Any] = {}

    class Watching(_Nobody):
        def step(self, step: Step) -> None:
            if step.step == 0:
                server.base = lambda: tiny(seed=1)  # what is loaded from now on has another model beneath
                last.update({name: weight.clone() for name, weight in model.named_parameters()})

    plan = replace(PLAN, ahead=0, limits=replace(PLAN.limits, k3=0.01))
    done = train(model, echo(), plan, decode=decode, sampler=sampler, recorder=Watching())
    assert [alarm.kind for alarm in done.alarms] == [Kind.MISMATCH]
    assert "sampled by step-1" in done.alarms[0].evidence
    assert all(torch.equal(weight, last[name]) for name, weight in model.named_parameters())


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ("logprobs", {"token_logprobs": [float("nan")], "tokens": ["token_id:9"]}, "token 0 is nan"),
        ("logprobs", {"token_logprobs": [-9999.0], "tokens": ["token_id:9"]}, "-9999"),
        ("logprobs", {"token_logprobs": [float("-inf")], "tokens": ["token_id:9"]}, "-inf"),
        ("logprobs", {"token_logprobs": [0.5], "tokens": ["token_id:9"]}, "0.5"),
        ("logprobs", {"token_logprobs": [None], "tokens": ["token_id:9"]}, "None"),
        ("logprobs", {"token_logprobs": [-1.0], "tokens": ["token_id:8"]}, "other tokens"),
        ("logprobs", {"token_logprobs": [-1.0, -1.0], "tokens": ["token_id:9"]}, "1 tokens with 2"),
        ("token_ids", [], "no token"),
        ("finish_reason", "abort", "abort"),
    ],
    ids=["nan", "vllm-floor", "infinite", "above-zero", "none", "other-tokens", "lengths", "empty", "aborted"],
)  # fmt: skip
def test_an_answer_that_cannot_be_used_leaves_its_group_out(server, sampler, place, value, why) -> None:
    def falsify(answer: dict[str, Any]) -> dict[str, Any]:
        [choice] = answer["choices"]
        if place in choice and choice["prompt_token_ids"] == [1, 2, 2]:
            choice |= {"token_ids": [9], "logprobs": {"token_logprobs": [-1.0], "tokens": ["token_id:9"]}, place: value}
        return answer

    server.falsify = falsify
    sampler.publish(tiny_lora(), "step-0")
    whole, odd = sampler.sample([(1, 3, 2), (1, 2, 2)], Sampling(1), version="step-0", seed=1)
    assert isinstance(whole, Rollout)
    assert isinstance(odd, Refused)
    assert why in odd.why


def test_groups_left_out_are_counted_and_a_step_without_any_stops(server, sampler) -> None:
    def falsify(answer: dict[str, Any]) -> dict[str, Any]:
        [choice] = answer["choices"]
        if "logprobs" in choice and (choice["prompt_token_ids"][1] == 2 or broken):
            choice["logprobs"]["token_logprobs"][0] = float("nan")
        return answer

    broken: list[int] = []
    server.falsify = falsify
    plan = replace(PLAN, steps=1, prompts=14, group=2, ahead=0, replace=0)
    done = train(tiny_lora(), echo(), plan, decode=decode, sampler=sampler)
    assert done.steps[0].refused == 5  # of 14 examples, those that begin so
    broken.append(1)
    with pytest.raises(SamplerFailed, match="nan"):
        train(tiny_lora(), echo(), plan, decode=decode, sampler=sampler)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda answer: {**answer, "model": "scripted"}, "another policy than the one recorded"),
        (
            lambda answer: {**answer, "choices": [{**answer["choices"][0], "prompt_token_ids": [1, 2]}]},
            "do not come back",
        ),
        (lambda answer: {**answer, "choices": [{"text": "9"}]}, "a vLLM server is needed"),
        (lambda answer: {"model": answer["model"], "choices": []}, "a vLLM server is needed"),
    ],
    ids=["other-model", "other-tokens", "no-ids", "no-choice"],
)
def test_a_server_that_answers_something_else_stops_the_run(server, sampler, change, why) -> None:
    server.falsify = change
    with pytest.raises(SamplerFailed, match=why):
        train(tiny_lora(), echo(), PLAN, decode=decode, sampler=sampler)


def test_no_server_and_no_adapter_are_said(server, sampler) -> None:
    with pytest.raises(SamplerFailed, match="train with LoRA"):
        sampler.publish(tiny(), "step-0")
    with pytest.raises(SamplerFailed, match="step-7 is not loaded"):
        sampler.sample(PROMPTS, SAMPLING, version="step-7", seed=0)
    server.stop()
    with pytest.raises(SamplerFailed, match="is not there"):
        sampler.publish(tiny_lora(), "step-0")


def test_an_adapter_with_what_is_no_number_is_not_published(server, sampler) -> None:
    model = tiny_lora()
    with torch.no_grad():
        next(weight for name, weight in model.named_parameters() if "lora_" in name).fill_(float("inf"))
    with pytest.raises(SamplerFailed, match="no finite number"):
        sampler.publish(model, "step-0")
    assert server.adapters == {}
