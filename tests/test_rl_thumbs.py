"""Learning thumbs on the rating token: the plain forward's function, learned, resumed to the bit, refused where it cannot be."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
pytest.importorskip("transformers", reason="needs the rl extra")
pytest.importorskip("peft", reason="needs the rl extra")

from rl import checkpoints, lora, rating, tail, thumbs  # noqa: E402
from rl.advantages import group_advantages  # noqa: E402
from rl.rewards import STANDS_FOR, Label, brier  # noqa: E402
from rl.task import Example  # noqa: E402
from rl.thumbs import Plan, learn  # noqa: E402
from rl.thumbs_run import area  # noqa: E402
from rl.timing import Clock, overhead  # noqa: E402
from scout.triage.prompting import RATING_LABELS  # noqa: E402
from tests.tiny_policy import tiny, tiny_lora  # noqa: E402

PLAN = Plan(
    kto_epochs=8,
    batch=8,
    rank=4,
    dropout=0.0,
    learning_rate=2e-2,
    cispo_rate=2e-3,
    held_out_every=8,
    keep_every=3,
    seed=3,
)
LABELS = (5, 6, 7, 8, 9)
"""Tokens of the ratings 1 to 5."""


class Digits:
    def encode(self, text, add_special_tokens):
        return [LABELS[int(text) - 1]]


@pytest.fixture(autouse=True)
def checkpoint(monkeypatch, tmp_path):
    monkeypatch.setattr(
        lora, "loaded", lambda path, body: (tiny(seed=1).to(lora.BODIES[body]).requires_grad_(False), Digits())
    )
    return tmp_path / "model"


def liked(prefix: str, count: int, *, reasons=()) -> list[Example]:
    """A thumb up for what holds a 3, down for what holds a 4; all prompts begin alike and end alike."""
    made = torch.Generator().manual_seed(len(prefix))
    found = []
    for n in range(count):
        noise = torch.randint(10, 14, (1 + n % 4,), generator=made).tolist()
        up = n % 2 == 0
        label = Label(up=up, reasons=() if up else reasons)
        found.append(Example(f"{prefix}{n}", (1, 2, 2, *noise, 3 if up else 4, 0), "", label))
    return found


def test_what_is_shared_changes_nothing_but_the_time() -> None:
    model = tiny_lora(seed=2)
    prompts = [example.prompt for example in liked("x", 5)]
    assert tail.shared_prefix(prompts) == 3
    plain = torch.stack([tail.body_of(model)(input_ids=torch.tensor([p])).last_hidden_state[0, -1] for p in prompts])
    toward = torch.randn(plain.shape, generator=torch.Generator().manual_seed(0))
    wanting = [weight for weight in model.parameters() if weight.requires_grad]
    expected = torch.autograd.grad((plain * toward).sum(), wanting, allow_unused=True)
    for first in (0, 1):
        found = tail.below(model, prompts, first=first, prefix=3)
        states = tail.last_states(model, found, first=first)
        assert torch.allclose(states, plain, atol=1e-5)
        gradients = torch.autograd.grad((states * toward).sum(), wanting, allow_unused=True)
        names = [name for name, weight in model.named_parameters() if weight.requires_grad]
        for name, one, other in zip(names, gradients, expected, strict=True):
            if first == 0 or ".layers.1." in name:
                assert torch.allclose(one, other, atol=1e-5), name


@pytest.mark.parametrize(
    ("prompts", "said"),
    [([[1, 2, 3], [4, 2, 3]], "prompt 1 has no token"), ([[1, 2, 3], [1, 2]], "prompt 1 has no token")],
    ids=["another beginning", "nothing of its own"],
)
def test_prompts_that_do_not_fit_the_prefix_are_named(prompts, said) -> None:
    with pytest.raises(ValueError, match=said):
        tail.below(tiny(), prompts, first=1, prefix=2)


def test_thumbs_are_learned_by_kto_and_held_by_cispo(checkpoint, tmp_path) -> None:
    done = learn(
        checkpoint,
        liked("t", 48),
        liked("held", 20),
        replace(PLAN, cispo_epochs=2),
        folder=tmp_path,
        ask=liked("asked", 20),
    )
    assert done.alarms == ()
    assert len(done.steps) == 60
    assert done.steps[-1].held_out > 0.9
    assert done.steps[-1].reward > done.steps[0].reward
    asked = liked("asked", 20)
    after, _ = area([done.scores[e.id] for e in asked], [e.label.up for e in asked])
    before, _ = area([done.before[e.id] for e in asked], [e.label.up for e in asked])
    assert after > 0.9 > before
    between, _ = area([done.between[e.id] for e in asked], [e.label.up for e in asked])
    assert between > 0.9
    assert done.between != done.scores
    assert (done.adapter / "adapter_model.safetensors").exists()
    assert "drawn" in done.steps[-1].parts
    assert "drawn" not in done.steps[0].parts


def test_a_run_stopped_and_resumed_ends_with_the_same_bits(checkpoint, tmp_path) -> None:
    plan = replace(PLAN, kto_epochs=1, cispo_epochs=1, dropout=0.1, first_layer=1)
    held, asked = liked("h", 8)[:4], liked("h", 8)[4:]
    straight = learn(checkpoint, liked("t", 24), held, plan, folder=tmp_path / "a", ask=asked)
    stopped = 0
    while (
        again := learn(checkpoint, liked("t", 24), held, plan, folder=tmp_path / "b", ask=asked, minutes=0)
    ).adapter is None:
        stopped += 1
        assert not again.scores
    assert stopped == len(straight.steps) - 1
    assert again.steps == straight.steps
    assert again.scores == straight.scores
    assert again.between == straight.between
    assert again.between.keys() == {example.id for example in liked("h", 8)}


def test_a_body_in_sixteen_bits_trains_an_adapter_of_thirty_two(checkpoint, tmp_path) -> None:
    done = learn(checkpoint, liked("t", 48), liked("held", 20), replace(PLAN, body="bfloat16"), folder=tmp_path)
    assert done.steps[-1].held_out > 0.9
    kept = torch.load(tmp_path / checkpoints.NAME, weights_only=True)["weights"]
    assert {weight.dtype for weight in kept.values()} == {torch.float32}


def test_a_folder_with_other_thumbs_is_refused(checkpoint, tmp_path) -> None:
    plan = replace(PLAN, kto_epochs=1)
    learn(checkpoint, liked("t", 24), (), plan, folder=tmp_path)
    with pytest.raises(checkpoints.OtherRun):
        learn(checkpoint, liked("t", 32), (), plan, folder=tmp_path)


def test_thumbs_of_one_kind_are_refused(checkpoint, tmp_path) -> None:
    with pytest.raises(ValueError, match="one up and one down"):
        learn(checkpoint, liked("t", 24)[::2], (), PLAN, folder=tmp_path)


def test_a_rating_of_two_tokens_is_refused() -> None:
    class Pieces:
        def encode(self, text, add_special_tokens):
            return [1, 2] if text == "4" else [1]

    with pytest.raises(ValueError, match="'4' is no single token"):
        rating.label_ids(Pieces())


def test_an_alarm_ends_the_run_without_an_adapter(checkpoint, tmp_path, monkeypatch) -> None:
    planted = thumbs.Alarm("canary", 0, "planted")
    monkeypatch.setattr(thumbs, "alarms", lambda history, limits: (planted,) if len(history) == 2 else ())
    done = learn(checkpoint, liked("t", 24), (), PLAN, folder=tmp_path)
    assert done.alarms == (planted,)
    assert done.adapter is None
    assert len(done.steps) == 2


def test_a_thumb_whose_reason_says_less_moves_less() -> None:
    logprobs = torch.full((2, 5), -2.0, requires_grad=True)
    up = torch.tensor([True, False])
    rating.kto_loss(logprobs, logprobs.detach(), up, torch.tensor([1.0, 0.3]), beta=1.0).value.backward()
    strong, weak = logprobs.grad[0], logprobs.grad[1]
    assert strong[4] < strong[3] < 0 < strong[1] < strong[0]  # every label counts by what it stands for
    assert weak[0].item() == pytest.approx(0.3 * strong[4].item(), rel=1e-4)
    assert abs(strong[2].item()) < 1e-8


def test_what_is_trained_is_what_serving_reads() -> None:
    logprobs = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    assert rating.log_odds(logprobs).sigmoid().tolist() == pytest.approx(rating.read(logprobs), abs=1e-6)


def test_a_lean_that_all_answers_share_is_worth_nothing_to_kto() -> None:
    made = torch.Generator().manual_seed(0)
    reference, up = torch.randn(8, 5, generator=made), torch.arange(8) % 2 == 0
    leaning = (reference + torch.tensor([0.0, 3.0, 6.0, 9.0, 12.0])).requires_grad_()
    found = rating.kto_loss(leaning, reference, up, torch.ones(8), beta=0.1)
    assert found.metrics["baseline"] > 3
    assert found.value.item() == pytest.approx(0.5, abs=0.05)
    (gradient,) = torch.autograd.grad(found.value, leaning)
    toward_yes = gradient[:, 4] - gradient[:, 0]
    assert (toward_yes[up] < 0).all()
    assert (toward_yes[~up] > 0).all()
    assert abs(toward_yes.mean()) < 0.1 * toward_yes.abs().mean()


def test_ratings_that_became_less_likely_than_they_were_are_drawn_back_and_likelier_ones_are_left() -> None:
    reference = torch.full((2, 5), 0.1).log()
    up, weights = torch.tensor([True, False]), torch.ones(2)
    for share, pulled in ((0.02, True), (0.19, False)):
        logprobs = torch.full((2, 5), share).log().requires_grad_()
        plain, kept = (rating.kto_loss(logprobs, reference, up, weights, beta=1.0, keep=keep) for keep in (0.0, 0.2))
        assert kept.metrics["lost"] == pytest.approx(max(0.0, math.log(0.1 / share)), abs=1e-5)
        (gradient,) = torch.autograd.grad(kept.value - plain.value, logprobs)
        assert bool((gradient.sum(dim=1) < 0).all()) is pulled  # each more likely, all alike
        assert gradient.std() < 1e-7


def test_odds_beyond_what_serving_reads_are_drawn_back_and_nearer_ones_are_left() -> None:
    up, weights = torch.tensor([True, False]), torch.ones(2)
    for certain, pulled in ((6.0, True), (3.0, False)):  # serving reads no further than 3.9 nats
        scores = torch.linspace(-certain, certain, 5)
        logprobs = torch.stack([scores, -scores]).log_softmax(dim=1).requires_grad_()
        plain, held = (
            rating.kto_loss(logprobs, logprobs.detach(), up, weights, beta=1.0, bound=bound) for bound in (0.0, 0.1)
        )
        assert (held.metrics["beyond"] > 0) is pulled
        (gradient,) = torch.autograd.grad(held.value - plain.value, logprobs)
        sure = gradient[0, 4] - gradient[0, 0], gradient[1, 0] - gradient[1, 4]
        assert all(each > 1e-3 for each in sure) if pulled else gradient.abs().max() < 1e-7


def test_an_answer_that_is_all_but_sure_still_learns() -> None:
    logprobs = torch.tensor([[0.0, -40.0, -40.0, -40.0, -40.0]] * 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(rating.log_odds(logprobs).sum(), logprobs)
    assert gradient.isfinite().all()
    assert gradient[0, 4] > 0.3


def test_cispo_over_all_ratings_is_what_many_draws_come_to() -> None:
    made = torch.Generator().manual_seed(0)
    logprobs = torch.randn(3, 5, generator=made).log_softmax(dim=1).requires_grad_()
    given, draws = [Label(up=True), Label(up=False, reasons=("weak",)), Label(up=True)], 200_000
    found = rating.cispo_loss(logprobs, given)
    drawn = torch.multinomial(logprobs.detach().exp(), draws, replacement=True, generator=made)
    worth = torch.tensor([[brier(STANDS_FOR[each], up=label.up) for each in RATING_LABELS] for label in given]).gather(
        1, drawn
    )
    advantages = group_advantages(worth).values * torch.tensor([label.weight for label in given])[:, None]
    naive = -(advantages * logprobs.gather(1, drawn)).mean()
    ours, theirs = (torch.autograd.grad(value, logprobs)[0] for value in (found.value, naive))
    theirs = theirs - logprobs.detach().exp() * theirs.sum(dim=1, keepdim=True)  # of the distribution, which sums to 1
    assert torch.allclose(ours, theirs, atol=2e-3)
    assert found.metrics["drawn"] == pytest.approx(worth.mean().item(), abs=2e-3)


def test_of_a_guess_cispo_wants_the_rating_that_says_how_likely_it_is() -> None:
    for label, best in ((Label(up=True, sure=0.4), 3), (Label(up=True), 4), (Label(up=False, sure=0.0), 2)):
        logprobs = torch.full((1, 5), 0.2).log().requires_grad_()
        (gradient,) = torch.autograd.grad(rating.cispo_loss(logprobs, [label]).value, logprobs)
        assert int(gradient.argmin()) == best  # a 4 says .7, a 5 says .9, a 3 even odds


def test_a_kl_term_draws_back_to_where_training_began() -> None:
    logprobs = torch.tensor([[0.1, 0.1, 0.1, 0.2, 0.5]]).log().requires_grad_()
    given, reference = [Label(up=True)], torch.full((1, 5), 0.2).log()
    plain, held = (rating.cispo_loss(logprobs, given, reference=reference, beta=beta) for beta in (0.0, 0.5))
    apart = (logprobs.exp() * (logprobs - reference)).sum().item()
    assert held.value.item() - plain.value.item() == pytest.approx(0.5 * apart, rel=1e-5)
    assert held.metrics["kl_reference"] == pytest.approx(apart, rel=1e-5)


def test_area_and_its_error_are_hanley_and_mcneils() -> None:
    found, error = area([0.9, 0.8, 0.7, 0.3, 0.6, 0.2, 0.1, 0.4], [True] * 4 + [False] * 4)
    assert found == pytest.approx(14 / 16)
    q1, q2 = found / (2 - found), 2 * found**2 / (1 + found)
    expected = (found * (1 - found) + 3 * (q1 - found**2) + 3 * (q2 - found**2)) / 16
    assert error == pytest.approx(expected**0.5)
    assert area([0.5], [True]) == (None, 0.0)


def test_what_no_part_took_is_the_loops_own(monkeypatch) -> None:
    now = iter([0.0, 1.0, 4.0, 5.0])
    monkeypatch.setattr("rl.timing.time.perf_counter", lambda: next(now))
    clock = Clock()
    with clock.part("forward"):
        pass
    assert clock.parts == {"forward": 3.0, "other": 2.0}
    assert overhead({"forward": 3.0, "backward": 6.0, "other": 1.0, "held-out": 50.0, "setup": 9.0}) == pytest.approx(
        0.1
    )


@pytest.mark.parametrize(("layers", "first"), [(30, 26), (3, 0)])
def test_the_last_four_layers_are_trained_unless_another_first_one_is_named(tmp_path, layers, first) -> None:
    import transformers

    transformers.LlamaConfig(num_hidden_layers=layers).save_pretrained(tmp_path)
    assert lora.first_of_last(tmp_path) == first
