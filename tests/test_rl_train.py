"""The loop with a tiny model: it learns, says when it cheats, resumes to the bit, and refuses garbage."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
transformers = pytest.importorskip("transformers", reason="needs the rl extra")

from tiny_policy import decode, echo, tiny, weights  # noqa: E402

from rl import checkpoints  # noqa: E402
from rl.mismatch import measure  # noqa: E402
from rl.monitor import Kind  # noqa: E402
from rl.rewards import Label  # noqa: E402
from rl.rollout import SamplerFailed, Sampling, logprobs_of, pack, sample  # noqa: E402
from rl.task import Triage, rating, rating_examples, rendering  # noqa: E402
from rl.train import Plan, train  # noqa: E402

PLAN = Plan(steps=6, prompts=4, group=16, learning_rate=3e-3, held_out_every=2, seed=5)


def test_a_toy_task_is_learned_and_the_held_out_labels_agree() -> None:
    done = train(tiny(), echo(), replace(PLAN, steps=80, prompts=8, held_out_every=20), decode=decode)
    assert done.alarms == ()
    assert done.steps[0].reward < 0.2
    assert sum(step.reward for step in done.steps[-10:]) / 10 > 0.8
    assert done.steps[-1].held_out > 0.6
    assert done.steps[-1].entropy < done.steps[0].entropy


@pytest.mark.parametrize("loss", ["grpo", "dr_grpo", "dapo", "gspo"])
def test_every_loss_moves_the_policy_towards_reward(loss) -> None:
    done = train(tiny(), echo(), replace(PLAN, steps=40, prompts=8, loss=loss, held_out_every=100), decode=decode)
    assert done.steps[-1].reward > done.steps[0].reward + 0.2


def test_a_planted_loophole_stops_the_run_with_its_evidence() -> None:
    model, honest = tiny(), echo()
    train(model, honest, replace(PLAN, steps=45, prompts=8), decode=decode)  # a policy that knows its task …
    loophole = echo(pays=lambda answer: answer == "13")  # … is offered a word that always pays
    done = train(
        model, loophole, replace(PLAN, steps=200, prompts=8, temperature=1.5, learning_rate=5e-3), decode=decode
    )
    assert len(done.steps) < 200
    assert {alarm.kind for alarm in done.alarms} & {Kind.HACKING, Kind.CONSTANT}
    assert all(alarm.evidence for alarm in done.alarms)


def test_a_run_resumed_ends_with_the_same_bits(tmp_path) -> None:
    whole, parts = tiny(), tiny()
    straight = train(whole, echo(), PLAN, decode=decode)
    train(parts, echo(), replace(PLAN, steps=3), decode=decode, folder=tmp_path)
    resumed_model = tiny(seed=9)  # other weights, all of which the checkpoint holds
    resumed = train(resumed_model, echo(), PLAN, decode=decode, folder=tmp_path)
    assert [step.reward for step in resumed.steps] == [step.reward for step in straight.steps]
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed_model), strict=True))


def test_the_same_seed_is_the_same_run_and_another_is_not() -> None:
    one, two, other = (train(tiny(), echo(), plan, decode=decode).steps for plan in (PLAN, PLAN, replace(PLAN, seed=6)))
    assert one == two
    assert [s.reward for s in one] != [s.reward for s in other]


def test_a_folder_of_another_run_is_refused(tmp_path) -> None:
    train(tiny(), echo(), replace(PLAN, steps=1), decode=decode, folder=tmp_path)
    with pytest.raises(checkpoints.OtherRun, match="other settings"):
        train(tiny(), echo(), replace(PLAN, learning_rate=1.0), decode=decode, folder=tmp_path)


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch) -> None:
    train(tiny(), echo(), replace(PLAN, steps=1), decode=decode, folder=tmp_path)
    before = (tmp_path / checkpoints.NAME).read_bytes()

    def full(state, file):
        file.write(b"half of it")
        raise OSError("No space left on device")

    monkeypatch.setattr(checkpoints.torch, "save", full)
    with pytest.raises(checkpoints.NotKept, match=r"of 2 steps .*No space.*the one before stands"):
        train(tiny(), echo(), replace(PLAN, steps=2), decode=decode, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoints.NAME]
    assert (tmp_path / checkpoints.NAME).read_bytes() == before


def test_the_trainer_computes_what_the_sampler_did() -> None:
    model = tiny()
    prompts = [(1, 2, 3), (4,), (5, 6, 7, 8, 9)]
    rollouts = sample(
        model, prompts, Sampling(6, 0.8, frozenset({0, 1})), version="v", generator=torch.Generator().manual_seed(0)
    )
    packed = pack(rollouts)
    logprobs, entropies = logprobs_of(model, packed, temperature=0.8)
    found = measure(logprobs, packed.old, packed.mask)
    assert found.tokens == sum(len(rollout.answer) for rollout in rollouts)
    assert found.largest < 1e-4
    assert entropies[packed.mask].min() > 0
    assert all(r.cut == (r.answer[-1] not in (0, 1)) for r in rollouts)


def test_weights_that_are_no_numbers_are_said_to_be() -> None:
    model = tiny()
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(SamplerFailed, match="no numbers"):
        train(model, echo(), PLAN, decode=decode)


def test_groups_without_spread_move_nothing() -> None:
    model = tiny()
    before = weights(model)
    done = train(model, echo(pays=lambda _: 1.0), replace(PLAN, steps=2, held_out_every=100), decode=decode)
    assert [step.grad_norm for step in done.steps] == [0, 0]
    assert all(torch.equal(a, b) for a, b in zip(before, weights(model), strict=True))


def test_nothing_to_train_on_and_an_unknown_loss_are_said() -> None:
    with pytest.raises(ValueError, match="no examples"):
        train(tiny(), Triage((), ()), PLAN, decode=decode)
    with pytest.raises(ValueError, match="there are cispo"):
        train(tiny(), echo(), replace(PLAN, loss="ppo"), decode=decode)


def test_lora_trains_its_adapter_alone() -> None:
    peft = pytest.importorskip("peft", reason="needs the rl extra")
    model = peft.get_peft_model(tiny(), peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    train(model, echo(), replace(PLAN, steps=3), decode=decode)
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    assert changed
    assert all("lora_" in name for name in changed)


def test_examples_are_servings_own_prompts(triage_profile, paper) -> None:
    asked = []
    made = rating_examples(
        triage_profile,
        [(paper, Label(up=True)), (paper, Label(up=False))],
        lambda messages: asked.append(messages) or [1, 2],
    )
    assert [example.label.up for example in made] == [False]  # of two words the later counts
    assert "from 1 to 5" in asked[0][-1].content
    assert paper.title in asked[0][-1].content
    assert Triage(made, ()).worth(made[0], " 1 ").parts["rating"] == pytest.approx(0.99)
    assert rating("6") is rating("good") is None


@pytest.fixture
def triage_profile():
    from scout.items import Subject
    from scout.triage.policy import Profile

    return Profile("ada", (Subject(slug="agents", name="Agents", description="Agents that act."),))


@pytest.fixture
def paper():
    from scout.items import Item, ItemKind

    return Item(
        id="arxiv:2512.00001", kind=ItemKind.PAPER, title="A paper on agents", url="https://arxiv.org/abs/2512.00001",
        text="We let agents act. They act well.", source="arxiv",
    )  # fmt: skip


def test_a_chat_template_renders_roles_as_the_server_does() -> None:
    class Tokenizer:
        def apply_chat_template(self, messages, *, add_generation_prompt, return_dict):
            assert add_generation_prompt
            assert not return_dict
            return [len(message["content"]) for message in messages]

    from scout.serving.messages import Message, Role

    assert rendering(Tokenizer())([Message(Role.SYSTEM, "ab"), Message(Role.USER, "c")]) == [2, 1]
