"""Losses: against TRL's where it has the same one, against their formulas, and on batches that teach nothing."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")

from rl.advantages import group_advantages  # noqa: E402
from rl.losses import LOSSES, Batch, cispo, dapo, dr_grpo, grpo, gspo  # noqa: E402
from rl.thumbs_loss import kto  # noqa: E402

LENGTH = 12


def batch(*, seed=0, answers=6, length=9, drift=0.4, **more) -> Batch:
    made = torch.Generator().manual_seed(seed)
    old = -torch.rand(answers, length, generator=made) * 3
    logprobs = (old + torch.randn(answers, length, generator=made) * drift).requires_grad_()
    lengths = torch.randint(1, length + 1, (answers,), generator=made)
    mask = torch.arange(length)[None] < lengths[:, None]
    return Batch(logprobs=logprobs, old=old, mask=mask, advantages=torch.randn(answers, generator=made), **more)


def trls(name: str, given: Batch, *, low: float, high: float, beta: float = 0.0):
    """The loss as TRL's trainer computes it, handed our log-probabilities instead of a model's."""
    trainer = pytest.importorskip("trl.trainer.grpo_trainer", reason="needs trl, the oracle").GRPOTrainer
    level = "sequence" if name == "gspo" else "token"
    logprobs = given.logprobs.detach().clone().requires_grad_()
    asked = SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *_, **__: (logprobs, torch.zeros_like(logprobs), None),
        aux_loss_enabled=False, top_entropy_quantile=1.0, off_policy_mask_threshold=None, importance_sampling_level=level,
        beta=beta, loss_type="grpo" if name == "gspo" else name, epsilon_low=low, epsilon_high=high, use_vllm=given.weights is not None,
        vllm_importance_sampling_correction=given.weights is not None, _entropy_bonus_enabled=False,
        model=SimpleNamespace(training=True), current_gradient_accumulation_steps=1, max_completion_length=LENGTH,
        accelerator=SimpleNamespace(num_processes=1, gather=lambda x: x, reduce=lambda x, reduction: x),
        _metrics={"train": defaultdict(list)},
        args=SimpleNamespace(delta=None, use_bias_correction_kl=False, steps_per_generation=1),
    )  # fmt: skip
    ids = torch.zeros(logprobs.shape, dtype=torch.long)
    inputs = {
        "prompt_ids": ids[:, :0], "prompt_mask": ids[:, :0], "completion_ids": ids, "completion_mask": given.mask.long(),
        "advantages": given.advantages, "old_per_token_logps": given.old, "num_items_in_batch": given.mask.sum(),
        "ref_per_token_logps": given.reference, "importance_sampling_ratio": given.weights,
    }  # fmt: skip
    value = trainer._compute_loss(asked, None, {name: each for name, each in inputs.items() if each is not None})
    value.backward()
    return value.detach(), logprobs.grad


@pytest.mark.parametrize(
    ("name", "ours", "low", "high"),
    [
        ("cispo", lambda b, **m: cispo(b, cap=1.3, **m), 0.0, 1.3),
        ("grpo", lambda b, **m: grpo(b, low=0.2, high=0.2, **m), 0.2, 0.2),
        ("dr_grpo", lambda b, **m: dr_grpo(b, length=LENGTH, low=0.2, high=0.2, **m), 0.2, 0.2),
        ("dapo", lambda b, **m: dapo(b, low=0.2, high=0.28, **m), 0.2, 0.28),
        ("gspo", lambda b, **m: gspo(b, low=0.1, high=0.15, **m), 0.1, 0.15),
    ],
    ids=["cispo", "grpo", "dr_grpo", "dapo", "gspo"],
)
@pytest.mark.parametrize("extra", ["plain", "reference", "corrected"])
def test_a_loss_and_its_gradient_are_trls(name, ours, low, high, extra) -> None:
    if extra == "reference":
        given, beta = batch(reference=-torch.rand(6, 9)), 0.05
    elif extra == "corrected":
        given, beta = batch(weights=torch.rand(6, 9) + 0.5), 0.0
    else:
        given, beta = batch(), 0.0
    value, gradient = trls(name, given, low=low, high=high, beta=beta)
    found = ours(given, beta=beta)
    found.value.backward()
    assert found.value.item() == pytest.approx(value.item(), rel=1e-5, abs=1e-7)
    assert torch.allclose(given.logprobs.grad, gradient, rtol=1e-4, atol=1e-7)


def plain(name: str, given: Batch):
    return LOSSES[name](given, length=LENGTH) if name == "dr_grpo" else LOSSES[name](given)


@pytest.mark.parametrize("name", LOSSES)
def test_on_policy_the_gradient_is_the_policy_gradient(name) -> None:
    given = batch(drift=0.0)
    found = plain(name, given)
    found.value.backward()
    assert found.metrics["clipped"] == 0
    assert found.metrics["ratio_max"] == pytest.approx(1)
    signs = (-given.logprobs.grad).sign()[given.mask]
    assert torch.equal(signs, given.advantages[:, None].sign().expand_as(given.mask)[given.mask])


@pytest.mark.parametrize("name", LOSSES)
def test_what_stands_outside_of_the_mask_is_never_looked_at(name) -> None:
    clean = batch()
    spoilt = clean.logprobs.detach().clone().masked_fill(~clean.mask, float("nan")).requires_grad_()
    old = clean.old.masked_fill(~clean.mask, float("-inf"))
    found = plain(name, Batch(logprobs=spoilt, old=old, mask=clean.mask, advantages=clean.advantages))
    found.value.backward()
    assert found.value.item() == pytest.approx(plain(name, clean).value.item())
    assert spoilt.grad.isfinite().all()
    assert spoilt.grad[~clean.mask].abs().max() == 0


@pytest.mark.parametrize("name", LOSSES)
def test_an_all_masked_batch_moves_nothing(name) -> None:
    given = batch()
    empty = Batch(
        logprobs=given.logprobs, old=given.old, mask=torch.zeros_like(given.mask), advantages=given.advantages
    )
    found = plain(name, empty)
    found.value.backward()
    assert found.value.item() == 0
    assert found.metrics["tokens"] == 0
    assert given.logprobs.grad.abs().max() == 0


def test_cispo_teaches_by_tokens_that_a_clip_would_drop() -> None:
    old, advantages = torch.zeros(1, 1) - 2.0, torch.ones(1)
    logprobs = torch.full((1, 1), -1.0, requires_grad=True)  # the ratio is e, far above either clip
    given = Batch(logprobs=logprobs, old=old, mask=torch.ones(1, 1, dtype=torch.bool), advantages=advantages)
    (dropped,) = torch.autograd.grad(dapo(given).value, logprobs)
    (kept,) = torch.autograd.grad(cispo(given, cap=1.5).value, logprobs)
    assert dropped.item() == 0
    assert kept.item() == pytest.approx(-1.5)


def test_a_kl_term_without_a_reference_is_refused() -> None:
    with pytest.raises(ValueError, match="reference"):
        grpo(batch(), beta=0.1)


def test_kto_is_its_formula() -> None:
    logprobs = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    reference, up = torch.tensor([-1.5, -1.0, -0.5]), torch.tensor([True, False, False])
    found = kto(logprobs, reference, up, baseline=torch.tensor([0.1, 0.3]), beta=0.5, up_weight=2.0)
    margin, held = logprobs.detach() - reference, 0.2
    liked = 2 * (1 - torch.sigmoid(0.5 * (margin[0] - held)))
    disliked = [1 - torch.sigmoid(0.5 * (held - m)) for m in margin[1:]]
    assert found.value.item() == pytest.approx(((liked + sum(disliked)) / 3).item())
    found.value.backward()
    assert logprobs.grad[0] < 0 < logprobs.grad[1]
    assert found.metrics["right"] == 1.0


def trls_kto(lengths, logprobs, reference, up, mismatched, *, beta: float, up_weight: float, down_weight: float):
    """KTO as TRL's trainer computes it, handed log-probabilities instead of a model's: [B, L] of tokens, [B] of references."""
    trainer = pytest.importorskip("trl.trainer.kto_trainer", reason="needs trl, the oracle").KTOTrainer
    asked = SimpleNamespace(
        model=SimpleNamespace(training=True), aux_loss_enabled=False, precompute_ref_logps=True, calculate_KL=True,
        _compute_kl_logps=lambda *_: mismatched[0], loss_type="kto", beta=beta, desirable_weight=up_weight,
        undesirable_weight=down_weight, _metrics={"train": defaultdict(list)}, _total_train_tokens=0, _tp_size=1,
        accelerator=SimpleNamespace(device="cpu", gather_for_metrics=lambda x: x),
    )  # fmt: skip
    there = torch.arange(logprobs.shape[1] + 1)[None] <= lengths[:, None]
    told = SimpleNamespace(
        log_probs=logprobs, entropy=torch.zeros_like(logprobs), mean_logits=torch.zeros_like(logprobs)
    )
    inputs = {
        "input_ids": torch.zeros_like(there, dtype=torch.long), "attention_mask": there.long(), "completion_mask": there.long(),
        "label": up, "ref_logps": reference, "ref_KL_logps": mismatched[1],
    }  # fmt: skip
    return trainer._compute_loss(asked, lambda **_: told, inputs, False)


@pytest.mark.parametrize("drift", [0.0, 0.3, -0.3], ids=["at", "above", "below"])
def test_kto_and_its_gradient_are_trls(drift) -> None:
    made = torch.Generator().manual_seed(1)
    lengths = torch.randint(1, 10, (8,), generator=made)
    mask = torch.arange(9)[None] < lengths[:, None]
    tokens = (-torch.rand(8, 9, generator=made) * mask).requires_grad_()
    reference = tokens.detach().sum(dim=1) + torch.randn(8, generator=made) - drift
    up = torch.tensor([True, False, True, True, False, False, True, False])
    other = -torch.rand(8, generator=made) * 5
    mismatched = (other + drift, other)
    value = trls_kto(lengths, tokens, reference, up, mismatched, beta=0.4, up_weight=1.5, down_weight=0.8)
    (expected,) = torch.autograd.grad(value, tokens)
    found = kto(
        tokens.sum(dim=1),
        reference,
        up,
        baseline=mismatched[0] - mismatched[1],
        beta=0.4,
        up_weight=1.5,
        down_weight=0.8,
    )
    (gradient,) = torch.autograd.grad(found.value, tokens)
    assert found.value.item() == pytest.approx(value.item(), rel=1e-6)
    assert torch.allclose(gradient, expected, rtol=1e-5, atol=1e-8)
    assert gradient.abs().max() > 1e-3


def test_a_thumb_of_less_weight_counts_less_in_kto() -> None:
    logprobs, reference = torch.tensor([-1.0, -2.0], requires_grad=True), torch.tensor([-1.0, -2.0])
    found = kto(logprobs, reference, torch.tensor([True, False]), weights=torch.tensor([1.0, 0.5]))
    found.value.backward()
    assert logprobs.grad[1].item() == pytest.approx(-0.5 * logprobs.grad[0].item())


def test_a_baseline_below_zero_counts_as_zero() -> None:
    logprobs, reference, up = torch.tensor([-1.0, -2.0]), torch.tensor([-1.0, -2.0]), torch.tensor([True, False])
    assert kto(logprobs, reference, up, baseline=torch.tensor([-5.0])).metrics["baseline"] == 0


@pytest.mark.parametrize("value", [True, False], ids=["up", "down"])
def test_kto_refuses_a_batch_of_one_kind_of_thumb(value) -> None:
    with pytest.raises(ValueError, match="both thumbs"):
        kto(torch.zeros(3), torch.zeros(3), torch.full((3,), value))


def test_advantages_compare_answers_to_one_prompt() -> None:
    found = group_advantages(torch.tensor([[1.0, 0.0, 0.0, 1.0], [5.0, 5.0, 5.0, 5.0]]))
    assert found.values[0].tolist() == pytest.approx([0.866025, -0.866025, -0.866025, 0.866025], rel=1e-5)
    assert found.values[1].tolist() == [0] * 4
    assert found.flat.tolist() == [False, True]


def test_dr_grpos_advantages_keep_their_size() -> None:
    assert group_advantages(torch.tensor([[0.0, 0.5]]), by_spread=False).values.tolist() == [[-0.25, 0.25]]


@pytest.mark.parametrize(
    ("rewards", "why"),
    [(torch.tensor([[0.0, 1.0], [float("nan"), 1.0]]), "group 1 has a reward"), (torch.zeros(3, 1), "at least two")],
    ids=["nan", "alone"],
)
def test_rewards_that_cannot_be_compared_are_refused(rewards, why) -> None:
    with pytest.raises(ValueError, match=why):
        group_advantages(rewards)
