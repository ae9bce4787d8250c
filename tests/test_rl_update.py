"""One update: what the ratio is to, which advantages, what a reference costs, how much is held at once, and in which precision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
pytest.importorskip("transformers", reason="needs the rl extra")
pytest.importorskip("peft", reason="needs the rl extra")

from tiny_policy import decode, echo, tiny, tiny_lora, weights  # noqa: E402

from rl.collect import Collected, Group  # noqa: E402
from rl.master import MasterAdamW  # noqa: E402
from rl.mismatch import Correction  # noqa: E402
from rl.plan import Plan  # noqa: E402
from rl.rewards import Reward  # noqa: E402
from rl.rollout import Rollout, Sampling, logprobs_of, pack, sample  # noqa: E402
from rl.timing import Clock  # noqa: E402
from rl.train import train  # noqa: E402
from rl.update import Update, updated  # noqa: E402

PLAN = Plan(steps=1, prompts=2, group=3, learning_rate=1e-2, max_tokens=2)
PROMPTS = ((1, 2, 3), (1, 4, 2, 6))


def collected(model: Any, *, rewards: tuple[float, ...] = (0.0, 0.4, 1.0), off: float = 0.0) -> Collected:
    """Answers of the model itself to two prompts; the sampler says `off` more of each token than the model does."""
    drawn = torch.Generator().manual_seed(2)
    made = sample(model, [p for p in PROMPTS for _ in rewards], Sampling(2), version="step-0", generator=drawn)
    told = [replace(each, logprobs=tuple(min(value + off, 0.0) for value in each.logprobs)) for each in made]
    size = len(rewards)
    return Collected(
        tuple(
            Group(
                place,
                tuple(told[place * size : (place + 1) * size]),
                ("",) * size,
                tuple(Reward(value) for value in rewards),
            )
            for place in range(2)
        ),
        "step-0",
    )


def one_update(model: Any, plan: Plan = PLAN, *, staleness: int = 0, **how: Any) -> Update:
    optimizer = MasterAdamW([weight for weight in model.parameters() if weight.requires_grad], plan)
    return updated(model, optimizer, collected(model, **how), plan, staleness=staleness, clock=Clock())


def gradients(model: Any) -> list[torch.Tensor]:
    return [weight.grad for weight in model.parameters() if weight.grad is not None]


def test_fresh_rollouts_have_ratio_one_and_what_was_computed_differently_is_a_weight() -> None:
    plan = replace(PLAN, loss="dapo", correction=Correction.NONE)
    same, corrected = one_update(tiny(), plan), one_update(tiny(), replace(plan, correction=Correction.TRUNCATED))
    assert same.clipped == corrected.clipped == 0
    assert same.grad_norm == pytest.approx(corrected.grad_norm, rel=1e-3)  # the sampler is the model: weights are 1
    off = one_update(tiny(), replace(plan, correction=Correction.TRUNCATED), off=0.1)
    assert off.clipped == 0
    assert off.grad_norm == pytest.approx(same.grad_norm * 2.718281828**-0.1, rel=1e-2)


def test_rollouts_of_an_older_policy_are_held_by_the_losses_own_clip() -> None:
    plan = replace(PLAN, loss="dapo", limits=replace(PLAN.limits, k3=9.0))
    assert one_update(tiny(), plan, off=-0.5).clipped == 0
    assert one_update(tiny(), plan, off=-0.5, staleness=1).clipped > 0.2  # the ratio is 1.65, and dapo stops at 1.28


def test_tokens_that_the_sampler_computed_far_off_teach_nothing_where_they_are_masked() -> None:
    plan = replace(PLAN, correction=Correction.MASKED, limits=replace(PLAN.limits, k3=9.0))
    assert one_update(tiny(), plan, off=-0.8).grad_norm == 0  # ratios of 2.2, and 2 is allowed
    assert one_update(tiny(), plan, off=-0.1).grad_norm > 0


def test_dr_grpo_keeps_how_far_rewards_lie_apart_and_grpo_does_not() -> None:
    for loss, kept in (("dr_grpo", True), ("grpo", False)):
        far, near = (
            one_update(tiny(), replace(PLAN, loss=loss), rewards=rewards).grad_norm
            for rewards in ((0.0, 0.4, 1.0), (0.0, 0.04, 0.1))
        )
        assert (near < 0.11 * far) is kept
        assert near == pytest.approx(0.1 * far if kept else far, rel=1e-3)


def test_kl_to_the_model_beneath_the_adapter_draws_the_policy_back() -> None:
    torch.manual_seed(1)
    model = tiny_lora()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight += 0.2 * torch.randn_like(weight)
    plan = replace(PLAN, beta=5.0, learning_rate=3e-3)
    before = one_update(model, plan).kl_reference
    for _ in range(20):
        after = one_update(model, plan).kl_reference
    assert before > 0.01
    assert after < before / 2
    with pytest.raises(ValueError, match="needs an adapter"):
        one_update(tiny(), plan)


@pytest.mark.parametrize("made", [tiny, tiny_lora], ids=["full", "lora"])
def test_how_much_is_held_at_once_changes_no_number(made) -> None:
    whole, pieces = made(), made()
    one, other = one_update(whole), one_update(pieces, replace(PLAN, at_once=1))
    assert other.loss == pytest.approx(one.loss, abs=1e-6)
    assert other.entropy == pytest.approx(one.entropy, rel=1e-5)
    for a, b in zip(gradients(whole), gradients(pieces), strict=True):
        assert torch.allclose(a, b, atol=1e-6, rtol=1e-4)


def test_rows_that_are_fed_the_same_tokens_go_through_the_body_once() -> None:
    model, sizes = tiny(), []
    model.model.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.last_hidden_state.shape[:2])))
    drawn = torch.Generator().manual_seed(0)
    made = sample(model, [p for p in PROMPTS for _ in range(5)], Sampling(1), version="v", generator=drawn)
    assert [each.prompt for each in made] == [p for p in PROMPTS for _ in range(5)]
    logprobs, _ = logprobs_of(model, packed := pack(made))
    assert sizes == [(2, 4), (2, 4)]
    apart = torch.cat([logprobs_of(model, pack([each]))[0][:, -1] for each in made])
    assert torch.allclose(logprobs[packed.mask], apart, atol=1e-6)
    assert torch.allclose(logprobs[packed.mask], packed.old[packed.mask], atol=1e-6)


def test_answers_of_several_tokens_are_read_each_for_itself() -> None:
    model = tiny()
    rows = [
        Rollout((1, 2), answer, (0.0,) * len(answer), "", cut=True) for answer in ((3, 4, 5), (3, 4), (3, 7, 5), (9,))
    ]
    logprobs, _ = logprobs_of(model, packed := pack(rows))
    for place, each in enumerate(rows):
        alone, _ = logprobs_of(model, one := pack([each]))
        assert torch.allclose(logprobs[place][packed.mask[place]], alone[one.mask], atol=1e-6)


def test_updates_too_small_for_bf16_add_up_in_the_fp32_original() -> None:
    weight = torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    optimizer = MasterAdamW([weight], replace(PLAN, learning_rate=1e-4))
    for step in range(100):
        optimizer.zero_grad()
        weight.grad = torch.ones_like(weight)
        optimizer.step()
        assert step > 10 or weight.tolist() == [1, 1, 1]  # the next number below 1 is .996
    assert weight.dtype == torch.bfloat16
    assert weight.tolist() == pytest.approx([0.99] * 3, abs=0.003)
    assert optimizer.state_dict()["originals"][0].tolist() == pytest.approx([0.99] * 3, abs=1e-4)


def test_a_model_in_bf16_resumes_to_the_same_bits_its_originals_included(tmp_path) -> None:
    plan = replace(PLAN, steps=4, learning_rate=1e-4, max_tokens=1, prompts=3, group=6)
    whole, parts, resumed = tiny().bfloat16(), tiny().bfloat16(), tiny(seed=9).bfloat16()
    train(whole, echo(), plan, decode=decode)
    train(parts, echo(), replace(plan, steps=2), decode=decode, folder=tmp_path)
    kept = torch.load(tmp_path / "state.pt", weights_only=True)["optimizer"]["originals"]
    assert {each.dtype for each in kept.values()} == {torch.float32}
    train(resumed, echo(), plan, decode=decode, folder=tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
