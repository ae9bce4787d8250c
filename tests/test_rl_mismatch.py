"""What trainer and sampler disagree by, and the weights that correct for it."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")

from rl.mismatch import masked, measure, truncated  # noqa: E402


def test_the_same_log_probabilities_are_no_mismatch() -> None:
    same = -torch.rand(50)
    found = measure(same, same)
    assert (found.tokens, found.mean, found.largest, found.k1, found.k3) == (50, 0, 0, 0, 0)
    assert (found.ratio_min, found.ratio_max) == (1, 1)
    assert found.correlation == pytest.approx(1)
    assert found.effective == pytest.approx(1)


def test_figures_are_their_formulas() -> None:
    trainer, sampler = torch.tensor([-1.0, -2.0, -0.5]), torch.tensor([-1.2, -1.9, -0.5])
    found = measure(trainer, sampler)
    ratios = [math.exp(0.2), math.exp(-0.1), 1.0]
    assert found.mean == pytest.approx(0.1)
    assert found.largest == pytest.approx(0.2)
    assert found.k1 == pytest.approx(-0.1 / 3)
    assert found.k3 == pytest.approx(sum(r - 1 - math.log(r) for r in ratios) / 3, rel=1e-5)
    assert (found.ratio_min, found.ratio_max) == (pytest.approx(ratios[1]), pytest.approx(ratios[0]))
    assert found.effective == pytest.approx(sum(ratios) ** 2 / (3 * sum(r * r for r in ratios)))


def test_the_estimates_of_kl_agree_with_the_true_one() -> None:
    made = torch.Generator().manual_seed(1)
    logits = torch.randn(50, generator=made)
    sampler, trainer = logits.log_softmax(0), (logits + 0.1 * torch.randn(50, generator=made)).log_softmax(0)
    drawn = torch.multinomial(sampler.exp(), 200_000, replacement=True, generator=made)
    true = float((sampler.exp() * (sampler - trainer)).sum())
    found = measure(trainer[drawn], sampler[drawn])
    assert found.k1 == pytest.approx(true, abs=0.001)
    assert found.k3 == pytest.approx(true, rel=0.05)


def test_masked_tokens_do_not_count() -> None:
    trainer, sampler = torch.tensor([[-1.0, float("nan")]]), torch.tensor([[-1.0, -3.0]])
    assert measure(trainer, sampler, torch.tensor([[True, False]])).tokens == 1


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 0.5], ids=["nan", "infinite", "above-zero"])
def test_what_cannot_be_a_log_probability_is_refused_with_its_place(value) -> None:
    with pytest.raises(ValueError, match="the sampler's log-probability of token 1 is"):
        measure(torch.tensor([-1.0, -1.0]), torch.tensor([-1.0, value]))


def test_nothing_to_compare_is_said() -> None:
    with pytest.raises(ValueError, match="no token"):
        measure(torch.zeros(0), torch.zeros(0))


def test_corrections_are_capped_or_cut() -> None:
    trainer, sampler = torch.log(torch.tensor([0.9, 0.3, 0.1])), torch.log(torch.tensor([0.3, 0.3, 0.9]))
    assert truncated(trainer, sampler).tolist() == pytest.approx([2.0, 1.0, 1 / 9])
    assert masked(trainer, sampler).tolist() == pytest.approx([0.0, 1.0, 0.0])
