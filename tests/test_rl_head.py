"""The FP32 head against a naive one in FP64: values, gradients, memory's chunks and the corners where a bf16 head fails."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")

from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from rl.head import IGNORED, _product, token_logprobs  # noqa: E402

BF16, FP32, FP64 = torch.bfloat16, torch.float32, torch.float64
ROUNDED = {torch.bfloat16: 2**-8, torch.float16: 2**-10, torch.float32: 1e-5}
"""How far a gradient that is rounded once may be off, relative to the largest."""


def operands(dtype=FP32, *, tokens=37, size=16, vocabulary=101, spread=1.0, frozen=False, seed=0):
    made = torch.Generator().manual_seed(seed)
    hidden = (torch.randn(tokens, size, generator=made) * spread).to(dtype).requires_grad_()
    weight = torch.randn(vocabulary, size, generator=made).to(dtype).requires_grad_(not frozen)
    return hidden, weight, torch.randint(vocabulary, (tokens,), generator=made)


def oracle(hidden, weight, targets, temperature=1.0):
    """The same operands in FP64, all logits at once."""
    hidden, weight = (tensor.detach().to(FP64).requires_grad_() for tensor in (hidden, weight))
    every = (hidden @ weight.T / temperature).log_softmax(dim=-1)
    logprobs = every[torch.arange(len(targets)), targets]
    return hidden, weight, logprobs, -(every.exp() * every).sum(dim=-1)


def off(found, true) -> float:
    return float((found.detach().to(FP64) - true.detach()).abs().max() / true.detach().abs().max().clamp(min=1e-30))


@pytest.mark.parametrize("entropy", [False, True], ids=["logprobs", "with-entropies"])
@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "trained"])
@pytest.mark.parametrize("dtype", [BF16, torch.float16, FP32], ids=["bf16", "fp16", "fp32"])
@pytest.mark.parametrize(("chunk_tokens", "chunk_vocab"), [(10, 7), (37, 101), (1, 1), (500, 500)])
def test_values_and_gradients_are_those_of_the_naive_head(dtype, frozen, entropy, chunk_tokens, chunk_vocab) -> None:
    hidden, weight, targets = operands(dtype, frozen=frozen)
    found = token_logprobs(
        hidden, weight, targets, temperature=0.7, chunk_tokens=chunk_tokens, chunk_vocab=chunk_vocab, entropy=entropy
    )
    logprobs, entropies = found if entropy else (found, torch.zeros(()))
    hidden64, weight64, logprobs64, entropies64 = oracle(hidden, weight, targets, 0.7)
    assert logprobs.dtype == FP32
    assert off(logprobs, logprobs64) < 1e-5
    upstream = torch.linspace(-2, 3, len(targets))
    loss, loss64 = (logprobs * upstream).sum(), (logprobs64 * upstream).sum()
    if entropy:
        assert off(entropies, entropies64) < 1e-5
        loss, loss64 = loss + (entropies * upstream.flip(0)).sum(), loss64 + (entropies64 * upstream.flip(0)).sum()
    loss.backward()
    loss64.backward()
    assert hidden.grad.dtype == dtype
    assert off(hidden.grad, hidden64.grad) < ROUNDED[dtype]
    if frozen:
        assert weight.grad is None
    else:
        assert weight.grad.dtype == dtype
        assert off(weight.grad, weight64.grad) < ROUNDED[dtype]


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "trained"])
def test_gradients_are_those_of_small_steps(frozen) -> None:
    hidden, weight, targets = operands(FP64, tokens=5, size=4, vocabulary=11, frozen=frozen)

    def head(hidden, weight):
        return token_logprobs(hidden, weight, targets, temperature=1.3, chunk_tokens=2, chunk_vocab=4, entropy=True)

    assert torch.autograd.gradcheck(head, (hidden, weight))


def test_a_gradient_is_summed_over_chunks_before_it_is_rounded() -> None:
    hidden, weight, targets = operands(BF16, tokens=8, vocabulary=4096, frozen=True)
    whole, pieces = (hidden.detach().clone().requires_grad_() for _ in range(2))
    token_logprobs(whole, weight, targets, chunk_vocab=4096).sum().backward()
    token_logprobs(pieces, weight, targets, chunk_vocab=3).sum().backward()
    assert off(pieces.grad, whole.grad.to(FP64)) <= 2**-8  # the last bit at most, after 1,366 chunks


def test_peaked_logits_keep_what_a_bf16_head_loses() -> None:
    hidden = torch.tensor([[4.0, 4.0]], dtype=BF16, requires_grad=True)
    weight = torch.tensor([[2.0, 2.0], [2.0, 2.015625], [0.0, 0.0]], dtype=BF16)
    targets = torch.tensor([1])
    rounded = (hidden @ weight.T).float().log_softmax(dim=-1)[0, 1]  # logits of 16 are .125 apart in bf16
    _, _, true, _ = oracle(hidden, weight, targets)
    assert abs((rounded - true).item()) > 0.01
    assert off(token_logprobs(hidden, weight, targets), true) < 1e-6


def test_a_log_probability_near_zero_is_exact_and_still_teaches() -> None:
    hidden = torch.tensor([[14.0]], requires_grad=True)
    weight = torch.tensor([[1.0], [0.0], [-1.0]])
    targets = torch.tensor([0])
    hidden64, _, true, _ = oracle(hidden, weight, targets)
    true.sum().backward()
    found = token_logprobs(hidden, weight, targets, chunk_vocab=2)
    found.sum().backward()
    assert off(found, true) < 1e-5  # -8.3e-7: FP32 has seven digits of 1, and that is all log softmax would keep
    assert off(hidden.grad, hidden64.grad) < 1e-5


@pytest.mark.parametrize("temperature", [1e-4, 1e4])
def test_extreme_temperatures_stay_finite_and_right(temperature) -> None:
    hidden, weight, targets = operands(tokens=9)
    found, entropies = token_logprobs(hidden, weight, targets, temperature=temperature, chunk_vocab=10, entropy=True)
    _, _, true, true_entropies = oracle(hidden, weight, targets, temperature)
    assert off(found, true) < 1e-5
    assert (entropies.to(FP64) - true_entropies).abs().max().item() < 1e-4
    found.sum().backward()
    assert hidden.grad.isfinite().all()
    assert weight.grad.isfinite().all()


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "trained"])
def test_masked_tokens_are_zero_and_nothing_flows_back_from_them(frozen) -> None:
    hidden, weight, targets = operands(frozen=frozen)
    with torch.no_grad():
        hidden[:5] = float("nan")
    targets[:5] = IGNORED
    found, entropies = token_logprobs(hidden, weight, targets, chunk_tokens=7, entropy=True)
    (found.sum() + entropies.sum()).backward()
    assert found[:5].tolist() == entropies[:5].tolist() == [0] * 5
    assert hidden.grad[:5].abs().max() == 0
    assert hidden.grad[5:].isfinite().all()


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "trained"])
def test_a_batch_of_masked_tokens_alone_moves_nothing(frozen) -> None:
    hidden, weight, targets = operands(frozen=frozen)
    token_logprobs(hidden, weight, torch.full_like(targets, IGNORED)).sum().backward()
    assert hidden.grad.abs().max() == 0
    assert frozen or weight.grad.abs().max() == 0


def test_no_tokens_are_no_log_probabilities() -> None:
    hidden, weight, targets = operands(tokens=0)
    found = token_logprobs(hidden, weight, targets)
    found.sum().backward()
    assert found.shape == (0,)
    assert weight.grad.abs().max() == 0


def test_a_vocabulary_of_one_is_certain() -> None:
    hidden, weight, targets = operands(vocabulary=1)
    found, entropies = token_logprobs(hidden, weight, targets, entropy=True)
    assert found.abs().max() == entropies.abs().max() == 0


def test_a_tied_embedding_learns_from_both_of_its_uses_and_keeps_its_dtype() -> None:
    _, weight, targets = operands(BF16)
    token_logprobs(torch.nn.functional.embedding(targets, weight), weight, targets).sum().backward()
    weight64 = weight.detach().to(FP64).requires_grad_()
    every = (weight64[targets] @ weight64.T).log_softmax(dim=-1)
    every[torch.arange(len(targets)), targets].sum().backward()
    assert weight.dtype == weight.grad.dtype == BF16
    assert off(weight.grad, weight64.grad) < 2**-6  # two gradients, each rounded, and their sum


def test_a_head_alone_can_be_trained() -> None:
    hidden, weight, targets = operands()
    token_logprobs(hidden.detach(), weight, targets).sum().backward()
    _, weight64, true, _ = oracle(hidden, weight, targets)
    true.sum().backward()
    assert off(weight.grad, weight64.grad) < 1e-5


class Called(TorchDispatchMode):
    """Notes which operators are called."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("dtype", [BF16, torch.float16], ids=["bf16", "fp16"])
def test_on_a_gpu_operands_stay_as_they_are_rounded_and_their_product_is_fp32(dtype) -> None:
    with FakeTensorMode():  # a GPU's shapes, dtypes and operators, without one and without numbers
        hidden, weight = (torch.empty(rows, 8, dtype=dtype, device="cuda") for rows in (5, 11))
        wide = weight.float()
        with Called() as called:
            logits = _product(hidden, weight, wide)
    assert (logits.dtype, logits.device.type, tuple(logits.shape)) == (FP32, "cuda", (5, 11))
    assert called.names[-1] == "aten.mm.dtype"
    assert "aten._to_copy.default" not in called.names  # nothing was widened


def test_on_a_gpu_an_fp32_head_on_a_rounded_body_is_widened() -> None:
    with FakeTensorMode():
        hidden, weight = torch.empty(5, 8, dtype=BF16, device="cuda"), torch.empty(11, 8, device="cuda")
        with Called() as called:
            assert _product(hidden, weight, weight).dtype == FP32
    assert called.names[-1] == "aten.mm.default"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"targets": torch.tensor([3, 101])}, "target 101 is not one of 101 tokens"),
        ({"targets": torch.tensor([3.0, 1.0])}, "2\\] integers"),
        ({"targets": torch.tensor([1])}, "2\\] integers"),
        ({"weight": torch.zeros(5, 3)}, "do not fit"),
        ({"weight": torch.zeros(101, 16, dtype=torch.int8)}, "bf16, fp16 or fp32"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"chunk_vocab": 0}, "at least one"),
    ],
    ids=["target", "float-target", "length", "sizes", "dtype", "cold", "nan", "chunk"],
)
def test_what_makes_no_sense_is_named(change, why) -> None:
    hidden, weight, targets = operands(tokens=2)
    with pytest.raises(ValueError, match=why):
        token_logprobs(**{"hidden": hidden, "weight": weight, "targets": targets, **change})
