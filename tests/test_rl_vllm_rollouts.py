"""Rollouts from a real vLLM: its answers are the adapter's that was published, token by token, and a run is trained on them.

Runs in .venv-vllm, where torch is: `.venv-vllm/bin/python -m pytest -m vllm tests/test_rl_vllm_rollouts.py`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
transformers = pytest.importorskip("transformers", reason="needs the rl extra")
peft = pytest.importorskip("peft", reason="needs the rl extra")

from vllm_server import CHECKPOINT, Vllm  # noqa: E402

from rl.gate import NotOneFunction, check  # noqa: E402
from rl.mismatch import measure  # noqa: E402
from rl.parity import different_tokens  # noqa: E402
from rl.rewards import Label, Reward  # noqa: E402
from rl.rollout import Rollout, Sampling, logprobs_of, pack  # noqa: E402
from rl.served import SAID  # noqa: E402
from rl.server_rollout import ServerSampler  # noqa: E402
from rl.task import Example, rendering  # noqa: E402
from rl.train import Plan, train  # noqa: E402
from scout.serving import adapters  # noqa: E402
from scout.serving.client import ModelClient  # noqa: E402

pytestmark = pytest.mark.vllm
TEXTS = ("Papers on agents are", "The capital of France is", "In this work we show")


@dataclass
class Short:
    """Worth more the shorter the answer's text is."""

    examples: tuple[Example, ...]
    held_out: tuple[Example, ...] = ()

    def worth(self, example: Example, answer: str) -> Reward:
        value = 1 / (1 + len(answer))
        return Reward(value, {"short": value})


def adapted() -> Any:
    torch.manual_seed(0)
    base = transformers.AutoModelForCausalLM.from_pretrained(CHECKPOINT, dtype=torch.float32)
    model = peft.get_peft_model(base, peft.LoraConfig(r=8, target_modules=["q_proj", "v_proj", "down_proj"]))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight += 0.02 * torch.randn_like(weight)
    return model.eval()


def test_a_real_server_samples_what_was_published_and_a_run_trains_on_it(vllm: Vllm, tmp_path: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(CHECKPOINT)
    prompts = [tuple(tokenizer(text)["input_ids"]) for text in TEXTS]
    sampler, model = ServerSampler(vllm.settings, tmp_path, run="test"), adapted()
    end = frozenset(tokenizer(word)["input_ids"][0] for word in (".", ",", " the", " and", "\n", "<|im_end|>"))
    sampling = Sampling(16, 1.0, end)

    # the adapter's own answers, ended by the tokens that were named, those included
    sampler.publish(model, "step-0")
    made = sampler.sample(prompts * 4, sampling, version="step-0", seed=1)
    assert all(isinstance(each, Rollout) for each in made), made
    assert any(not each.cut for each in made)
    assert all(each.cut == (len(each.answer) == 16 and each.answer[-1] not in end) for each in made)
    packed = pack(made)
    with torch.no_grad():
        own = logprobs_of(model, packed)[0]
        with model.disable_adapter():
            beneath = logprobs_of(model, packed)[0]
    assert measure(own, packed.old, packed.mask).largest < 2e-3
    assert measure(beneath, packed.old, packed.mask).mean > 0.02

    # prompts are scored as the trainer scores them, and templates are rendered alike
    plan = Plan(steps=2, prompts=2, group=3, max_tokens=4, end=end, ahead=1, learning_rate=1e-4, held_out_every=100)
    passed = check(model, sampler, prompts, plan, version="step-0", limit=1e-3)
    assert passed.scored is not None
    assert passed.scored.tokens == sum(len(ids) - 1 for ids in prompts)
    assert different_tokens(rendering(tokenizer)(SAID), vllm.run(lambda client: client.rendered_ids(SAID))) == ""

    # a server that has lost the adapter is given it again; one that has an older one does not pass
    async def lose() -> None:
        async with ModelClient(vllm.settings) as client:
            await adapters.drop(client, sampler.name_of("step-0"))

    asyncio.run(lose())
    assert isinstance(sampler.sample(prompts[:1], sampling, version="step-0", seed=1)[0], Rollout)
    with torch.no_grad():
        model.get_base_model().model.layers[3].mlp.up_proj.weight.mul_(1.5)  # another model beneath
    with pytest.raises(NotOneFunction):
        check(model, sampler, prompts, plan, version="step-0", limit=1e-3)

    task = Short(tuple(Example(f"e{n}", ids, TEXTS[n], Label()) for n, ids in enumerate(prompts)))
    learner = adapted()
    done = train(
        learner, task, plan, decode=tokenizer.decode, sampler=ServerSampler(vllm.settings, tmp_path, run="run")
    )
    assert [(step.version, step.staleness) for step in done.steps] == [("step-0", 0), ("step-0", 1)]
    assert done.steps[0].mismatch["largest"] < 2e-3
    assert done.steps[0].grad_norm > 0
