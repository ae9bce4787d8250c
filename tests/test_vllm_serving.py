"""Our client against a real vLLM that serves SmolLM2-135M on the CPU. Its words are poor; what is asserted is behaviour."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path

import httpx
import pytest
from jsonschema import validate
from vllm_server import KEY, NAME, Vllm

from scout.serving import adapters, launch
from scout.serving.client import ModelClient
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Finish, LabelReading, Message, Reply, Role, Tool, ToolCall

pytestmark = pytest.mark.vllm

SCHEMA = {
    "type": "object",
    "properties": {
        "subject": {"type": "string", "enum": ["cats", "dogs"]},
        "points": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "integer", "minimum": 1, "maximum": 3},
        },
    },
    "required": ["subject", "points"],
    "additionalProperties": False,
}
LOOK = Tool(
    "look",
    "Looks something up.",
    {
        "type": "object",
        "properties": {"what": {"type": "string", "enum": ["cats", "dogs"]}},
        "required": ["what"],
        "additionalProperties": False,
    },
)
RUBRIC = "You rate papers for a reader. " + " ".join(f"Rule {n}: be fair, be brief, be strict." for n in range(40))


def said(text: str, system: str = "Be brief.") -> list[Message]:
    return [Message(Role.SYSTEM, system), Message(Role.USER, text)]


def fault(vllm: Vllm, do: object, **changes: object) -> ModelError:
    with pytest.raises(ModelError) as caught:
        vllm.run(do, **changes)  # type: ignore[arg-type]
    return caught.value


def test_it_is_healthy_written_down_and_lists_its_model(vllm: Vllm) -> None:
    assert vllm.server.healthy()
    record = launch.running(vllm.folder)
    assert record is not None
    assert record.url == vllm.url
    assert vllm.run(lambda c: c.models()) == (NAME,)


def test_the_key_is_asked_for_and_stands_in_no_argument_or_log(vllm: Vllm) -> None:
    assert httpx.get(f"{vllm.url}/models", trust_env=False).status_code == 401
    process = Path(f"/proc/{vllm.server.process.pid}/cmdline").read_bytes()
    assert KEY.encode() not in process
    assert KEY not in vllm.server.log.read_text(errors="replace")


def test_the_head_is_computed_in_fp32_and_requests_are_scheduled_by_priority(vllm: Vllm) -> None:
    log = vllm.server.log.read_text(errors="replace")
    assert "'head_dtype': 'float32'" in log
    assert "'scheduling_policy': 'priority'" in log
    assert "'enable_prefix_caching': True" in log


def test_an_answer_under_a_schema_fits_it(vllm: Vllm) -> None:
    reply = vllm.run(lambda c: c.chat(said("Say something of cats as JSON."), max_tokens=120, schema=SCHEMA))
    validate(json.loads(reply.text), SCHEMA)
    assert reply.usage.completion > 0
    assert reply.model == NAME


def test_a_forced_tool_call_has_arguments_that_fit(vllm: Vllm) -> None:
    reply = vllm.run(lambda c: c.chat(said("Look up cats."), max_tokens=200, tools=[LOOK], tool_choice="required"))
    (call,) = reply.tool_calls[:1]
    assert call.name == "look"
    validate(json.loads(call.arguments), dict(LOOK.parameters))


def test_a_tool_result_goes_back_and_is_answered(vllm: Vllm) -> None:
    turns = [
        *said("Look up cats."),
        Message(Role.ASSISTANT, "", "I should look.", (ToolCall("c1", "look", '{"what":"cats"}'),)),
        Message(Role.TOOL, "Cats sleep.", tool_call_id="c1"),
    ]
    reply = vllm.run(lambda c: c.chat(turns, max_tokens=12, tools=[LOOK], tool_choice="none", cut_is_fault=False))
    assert reply.finish_reason in (Finish.STOP, Finish.LENGTH)
    assert reply.text.strip()


def test_label_probabilities_sum_to_one_and_come_again_the_same(vllm: Vllm) -> None:
    question = said("Is a horse an animal (A) or a number (B)? Answer with the letter alone.")

    async def twice(client: ModelClient) -> tuple[LabelReading, LabelReading]:
        return await client.read_labels(question, ["A", "B"]), await client.read_labels(
            question, ["A", "B"], priority=7
        )

    first, second = vllm.run(twice)
    assert sum(first.probabilities.values()) == pytest.approx(1.0)
    assert all(0 < p < 1 for p in first.probabilities.values())
    assert 0 < first.mass <= 1
    assert second.probabilities == pytest.approx(first.probabilities, abs=1e-3)
    assert not vllm.run(_is_plain)


async def _is_plain(client: ModelClient) -> bool:
    """Whether the endpoint rejects what vLLM adds to the protocol."""
    await client.label(said("A or B?"), ["A", "B"], priority=2)
    return client.endpoints.all[0].plain


def test_two_turns_render_and_this_template_drops_the_thinking(vllm: Vllm) -> None:
    """SmolLM2 does not think, and its template shows no thinking: the round trip of the gate must be able to see that."""
    turns = [*said("Hello"), Message(Role.ASSISTANT, "Good day.", "They greet me."), Message(Role.USER, "And now?")]
    prompt = vllm.run(lambda c: c.render(turns))
    assert prompt is not None
    assert prompt.index("Hello") < prompt.index("Good day.") < prompt.index("And now?")
    assert "They greet me." not in prompt


def test_the_rubric_comes_from_the_prefix_cache_the_second_time(vllm: Vllm) -> None:
    async def twice(client: ModelClient) -> list[Reply]:
        texts = ("A paper on owls.", "A paper on tides.")
        return [await client.chat(said(text, RUBRIC), max_tokens=1, cut_is_fault=False) for text in texts]

    _, second = vllm.run(twice)
    assert second.usage.cached / second.usage.prompt > 0.7


def test_each_fault_of_the_real_server_has_its_kind(vllm: Vllm) -> None:
    async def long(client: ModelClient) -> Reply:
        return await client.chat(said("word " * 5000), max_tokens=10)

    async def brief(client: ModelClient) -> Reply:
        return await client.chat(said("Tell a long story."), max_tokens=4)

    async def hurried(client: ModelClient) -> Reply:
        return await client.chat(said("Tell a long story."), max_tokens=400, deadline=0.3)

    assert fault(vllm, long).kind == ModelFault.TOO_LONG
    assert fault(vllm, brief).kind == ModelFault.CUT
    assert fault(vllm, hurried).kind == ModelFault.SLOW
    assert fault(vllm, brief, name="no-such-model").kind == ModelFault.NO_MODEL
    assert fault(vllm, brief, api_key=type(vllm.settings.api_key)("wrong")).kind == ModelFault.REFUSED


def write_adapter(folder: Path, layers: int = 30, width: int = 576, rank: int = 1) -> Path:
    """A LoRA adapter of the attention output that is far from doing nothing, written by hand."""
    folder.mkdir()
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 8, "target_modules": ["o_proj"], "lora_dropout": 0.0,
              "bias": "none", "task_type": "CAUSAL_LM", "base_model_name_or_path": NAME}  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(config))
    header: dict[str, object] = {}
    data = b""
    for layer in range(layers):
        for side, shape in (("A", (rank, width)), ("B", (width, rank))):
            raw = struct.pack(f"<{width}f", *(0.05 * ((n * 7 + layer) % 11 - 5) for n in range(width)))
            name = f"base_model.model.model.layers.{layer}.self_attn.o_proj.lora_{side}.weight"
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
    head = json.dumps(header).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)
    return folder


def test_an_adapter_is_loaded_while_it_serves_and_changes_what_is_said(vllm: Vllm, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "adapter-v1")
    question = said("Is a horse an animal (A) or a number (B)? Answer with the letter alone.")
    base = vllm.run(lambda c: c.label(question, ["A", "B"]))
    vllm.run(lambda c: adapters.load(c, "adapter-v1", folder))
    try:
        assert "adapter-v1" in vllm.run(lambda c: c.models())
        tuned = vllm.run(lambda c: c.label(question, ["A", "B"]), name="adapter-v1")
        assert abs(tuned["A"] - base["A"]) > 0.01
    finally:
        vllm.run(lambda c: adapters.drop(c, "adapter-v1"))
    assert vllm.run(lambda c: c.models()) == (NAME,)
    assert vllm.run(lambda c: c.label(question, ["A", "B"])) == pytest.approx(base, abs=1e-3)


def test_a_server_killed_in_the_middle_of_a_request_is_away_and_answers_after_a_restart(vllm: Vllm) -> None:
    async def killed(client: ModelClient) -> Reply:
        asked = asyncio.create_task(client.chat(said("Tell a very long story."), max_tokens=1500))
        while client.endpoints.all[0].outstanding == 0:
            await asyncio.sleep(0)
        await asyncio.to_thread(vllm.server.process.kill)
        return await asked

    assert fault(vllm, killed).kind == ModelFault.AWAY
    vllm.server.process.wait()
    assert launch.running(vllm.folder) is None
    assert fault(vllm, lambda c: c.models()).kind == ModelFault.AWAY
    vllm.start_again()
    reply = vllm.run(lambda c: c.chat(said("Hello"), max_tokens=5, cut_is_fault=False))
    assert reply.text
