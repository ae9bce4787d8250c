"""The client of the model: answers, faults, tries, several endpoints, label probabilities."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import scripted_server as scripted
from jsonschema import validate
from scripted_server import ScriptedServer, Turn

from scout.config import Model
from scout.serving import adapters
from scout.serving.client import ModelClient, Patience
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Finish, Message, Role, Tool

T = TypeVar("T")
NOW = datetime(2025, 12, 2, tzinfo=UTC)
HELLO = [Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Hello")]
SCHEMA = {
    "type": "object",
    "properties": {"tldr": {"type": "string"}, "points": {"type": "array", "items": {"type": "string"}, "minItems": 3}},
    "required": ["tldr", "points"],
    "additionalProperties": False,
}
LOOK = Tool("look", "Looks.", {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]})


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted.serving() as running:
        yield running


class Pauses:
    """Waits of the client, written down and not waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.then: Callable[[], None] = lambda: None

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.then()


def run(do: Callable[[ModelClient], Awaitable[T]], *urls: str, pauses: Pauses | None = None, **settings: Any) -> T:
    async def inside() -> T:
        model = Model(base_urls=urls, **settings)
        async with ModelClient(model, clock=lambda: NOW, pause=pauses or Pauses()) as client:
            return await do(client)

    return asyncio.run(inside())


def fault(do: Callable[[ModelClient], Awaitable[object]], *urls: str, **settings: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        run(do, *urls, **settings)
    return caught.value


async def hello(client: ModelClient) -> str:
    return (await client.chat(HELLO, max_tokens=20)).text


# Answers


def test_an_answer_comes_with_its_model_endpoint_and_usage(server: ScriptedServer) -> None:
    reply = run(lambda c: c.chat(HELLO, max_tokens=20, seed=3), server.base_url)
    assert (reply.text, reply.model, reply.endpoint) == (scripted.DEFAULT_TEXT, "scripted", server.base_url)
    assert reply.usage.prompt > 0
    assert reply.usage.completion > 0
    assert reply.finish_reason == Finish.STOP
    body = server.chats[0].body
    assert (body["model"], body["max_tokens"], body["temperature"], body["seed"]) == ("scripted", 20, 0.0, 3)
    assert "priority" not in body


def test_an_answer_under_a_schema_fits_it(server: ScriptedServer) -> None:
    import json

    reply = run(lambda c: c.chat(HELLO, max_tokens=200, schema=SCHEMA), server.base_url)
    answer = json.loads(reply.text)
    validate(answer, SCHEMA)
    assert set(SCHEMA["required"]) <= set(answer)


def test_tool_calls_come_as_the_model_wrote_them_and_go_back_with_its_thinking(server: ScriptedServer) -> None:
    server.script = lambda request: Turn(reasoning="Let me look.", calls=[("look", '{"what": ')])
    reply = run(lambda c: c.chat(HELLO, max_tokens=50, tools=[LOOK], tool_choice="look"), server.base_url)
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [("look", '{"what": ')]
    assert reply.finish_reason == Finish.TOOL_CALLS
    assert server.chats[0].body["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    result = Message(Role.TOOL, "seen", tool_call_id=reply.tool_calls[0].id)
    run(lambda c: c.chat([*HELLO, reply.message(), result], max_tokens=50, tools=[LOOK]), server.base_url)
    turn, tool = server.chats[1].messages[2:]
    assert turn["reasoning"] == "Let me look."
    assert turn["tool_calls"][0]["function"]["arguments"] == '{"what": '
    assert tool == {"role": "tool", "content": "seen", "tool_call_id": reply.tool_calls[0].id}


@pytest.mark.parametrize(
    ("said", "text", "reasoning"),
    [
        ("<think>hm\nso</think>\n\nYes.", "Yes.", "hm\nso"),
        ("hm</think>Yes.", "Yes.", "hm"),
        ("<think>without end", "", "without end"),
        ("a < b", "a < b", ""),
    ],
)
def test_thinking_left_in_the_text_is_taken_out(server: ScriptedServer, said: str, text: str, reasoning: str) -> None:
    server.script = lambda request: said
    reply = run(lambda c: c.chat(HELLO, max_tokens=50), server.base_url)
    assert (reply.text, reply.reasoning) == (text, reasoning)


def test_half_a_character_in_an_answer_can_be_stored(server: ScriptedServer) -> None:
    server.script = lambda request: "broken \ud83d here"
    assert run(hello, server.base_url).encode() == b"broken ? here"


def test_half_a_character_in_a_question_is_sent_as_a_question_mark(server: ScriptedServer) -> None:
    run(lambda c: c.chat([Message(Role.USER, "x \udcff")], max_tokens=5), server.base_url)
    assert server.chats[0].last == "x ?"


def test_the_rendered_prompt_holds_the_thinking_of_the_turn_before(server: ScriptedServer) -> None:
    turns = [*HELLO, Message(Role.ASSISTANT, "Hi.", "They greet me."), Message(Role.USER, "And now?")]
    prompt = run(lambda c: c.render(turns), server.base_url)
    assert prompt is not None
    assert "They greet me." in prompt
    assert "And now?" in prompt


def test_an_endpoint_that_renders_nothing_gives_none(server: ScriptedServer) -> None:
    server.tells_tokens = False
    assert run(lambda c: c.render(HELLO), server.base_url) is None


# Faults


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (scripted.status(500, "CUDA out of memory"), ModelFault.AWAY),
        (scripted.status(503), ModelFault.AWAY),
        (scripted.status(401), ModelFault.REFUSED),
        (scripted.status(403), ModelFault.REFUSED),
        (scripted.status(429), ModelFault.BUSY),
        (scripted.status(404, "The model `x` does not exist."), ModelFault.NO_MODEL),
        (scripted.status(400, "nonsense"), ModelFault.REJECTED),
        (scripted.status(307, location="http://elsewhere.example/"), ModelFault.REJECTED),
        (scripted.too_long(), ModelFault.TOO_LONG),
        (scripted.status(413), ModelFault.TOO_LONG),
        (scripted.TRUNCATED, ModelFault.BAD_REPLY),
        (scripted.NOT_UTF8, ModelFault.BAD_REPLY),
        (scripted.Fault(body=b"[]"), ModelFault.BAD_REPLY),
        (scripted.Fault(body=b'{"choices": []}'), ModelFault.BAD_REPLY),
        (scripted.Fault(body=b'{"choices": [{"message": "text"}]}'), ModelFault.BAD_REPLY),
        (scripted.Fault(body=b"[" * 100_000), ModelFault.BAD_REPLY),
        (scripted.Fault(body=b"x", headers={"content-encoding": "gzip"}), ModelFault.BAD_REPLY),
        (scripted.CLOSE, ModelFault.AWAY),
    ],
)  # fmt: skip
def test_every_fault_has_its_kind_and_names_the_endpoint(
    server: ScriptedServer, given: scripted.Fault, kind: ModelFault
) -> None:
    server.fails(given, times=None)
    error = fault(hello, server.base_url)
    assert error.kind == kind
    assert error.endpoint == server.base_url
    assert server.base_url in error.message
    assert len(error.message) < 600


def test_a_server_that_is_down_is_away() -> None:
    with scripted.serving() as server:
        url = server.base_url
    error = fault(hello, url)
    assert error.kind == ModelFault.AWAY
    assert "scout serve" in error.message


def test_a_server_that_hangs_is_slow_and_not_asked_again(server: ScriptedServer) -> None:
    server.fails(scripted.HANG, times=None)
    assert fault(lambda c: c.chat(HELLO, max_tokens=5, deadline=0.1), server.base_url).kind == ModelFault.SLOW
    assert len(server.chats) == 1


def test_waiting_for_a_slot_is_no_slowness(server: ScriptedServer) -> None:
    server.latency = 0.03

    async def many(client: ModelClient) -> list[object]:
        return list(await asyncio.gather(*(client.chat(HELLO, max_tokens=5, deadline=2.0) for _ in range(8))))

    assert len(run(many, server.base_url, concurrency=1, name="scripted")) == 8


def test_no_setting_is_a_fault_that_names_it() -> None:
    error = fault(hello)
    assert "model.base_urls" in error.message


def test_an_answer_that_was_cut_off_is_a_fault_that_holds_it(server: ScriptedServer) -> None:
    server.script = lambda request: Turn("Half a", finish="length")
    error = fault(hello, server.base_url)
    assert error.kind == ModelFault.CUT
    assert error.reply is not None
    assert error.reply.text == "Half a"
    reply = run(lambda c: c.chat(HELLO, max_tokens=3, cut_is_fault=False), server.base_url)
    assert reply.finish_reason == Finish.LENGTH


def test_the_key_is_sent_and_told_to_nobody(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    server.key = "sk-secret"
    with caplog.at_level(logging.DEBUG):
        assert run(hello, server.base_url, api_key="sk-secret") == scripted.DEFAULT_TEXT
        error = fault(hello, server.base_url, api_key="sk-wrong")
    assert error.kind == ModelFault.REFUSED
    assert "SCOUT_MODEL__API_KEY" in error.message
    assert "sk-" not in caplog.text + error.message


# Trying again


@pytest.mark.parametrize("given", [scripted.status(503), scripted.CLOSE, scripted.TRUNCATED, scripted.NOT_UTF8])
def test_a_passing_fault_is_tried_again_with_growing_pauses(server: ScriptedServer, given: scripted.Fault) -> None:
    pauses = Pauses()
    server.fails(given, times=2)
    assert run(hello, server.base_url, pauses=pauses) == scripted.DEFAULT_TEXT
    assert len(server.chats) == 3
    first, second = pauses.seconds
    assert 0.5 <= first < second <= 2.5


def test_tries_are_bounded(server: ScriptedServer) -> None:
    server.fails(scripted.status(503), times=None)
    fault(hello, server.base_url)
    assert len(server.chats) == Patience().attempts


@pytest.mark.parametrize("code", [400, 401, 404])
def test_what_no_second_try_mends_is_asked_once(server: ScriptedServer, code: int) -> None:
    server.fails(scripted.status(code), times=None)
    fault(hello, server.base_url)
    assert len(server.chats) == 1


def test_a_short_retry_after_is_waited(server: ScriptedServer) -> None:
    pauses = Pauses()
    server.fails(scripted.status(429, retry_after="3"))
    run(hello, server.base_url, pauses=pauses)
    assert 3.0 <= pauses.seconds[0] <= 3.75


def test_a_long_retry_after_is_handed_to_the_caller_at_once(server: ScriptedServer) -> None:
    server.fails(scripted.status(429, retry_after="600"))
    error = fault(hello, server.base_url)
    assert error.kind == ModelFault.BUSY
    assert error.retry_at == NOW + timedelta(minutes=10)
    assert len(server.chats) == 1


def test_a_server_restarted_under_the_client_answers_again(server: ScriptedServer) -> None:
    async def across(client: ModelClient) -> str:
        await hello(client)
        server.stop()
        server.model = "another"
        return (await client.chat(HELLO, max_tokens=5)).model

    pauses = Pauses()
    pauses.then = lambda: server.start() if server._loop is None else None
    assert run(across, server.base_url, pauses=pauses) == "another"


def test_a_wrong_name_is_told_apart_from_a_server_that_is_away(server: ScriptedServer) -> None:
    error = fault(hello, server.base_url, name="no-such-model")
    assert error.kind == ModelFault.NO_MODEL
    assert "no-such-model" in error.message
    assert "model.name" in error.message


# Several endpoints


def test_requests_go_where_fewest_are_out(server: ScriptedServer) -> None:
    with scripted.serving() as other:
        server.latency = other.latency = 0.05

        async def many(client: ModelClient) -> None:
            await asyncio.gather(*(hello(client) for _ in range(8)))

        run(many, server.base_url, other.base_url, name="scripted")
        assert (len(server.chats), len(other.chats)) == (4, 4)


def test_a_dead_endpoint_is_passed_over_without_a_pause(server: ScriptedServer) -> None:
    with scripted.serving() as other:
        dead = other.base_url
    pauses = Pauses()

    async def many(client: ModelClient) -> list[str]:
        return [await hello(client) for _ in range(6)]

    assert run(many, dead, server.base_url, pauses=pauses) == [scripted.DEFAULT_TEXT] * 6
    assert pauses.seconds == []


def test_an_endpoint_that_came_back_is_asked_again(server: ScriptedServer) -> None:
    with scripted.serving() as other:
        other.fails(scripted.status(500), times=1)

        async def many(client: ModelClient) -> None:
            for _ in range(4):
                await hello(client)
            for endpoint in client.endpoints.all:
                endpoint.resting_until = 0.0  # the time has passed
            for _ in range(4):
                await hello(client)

        run(many, server.base_url, other.base_url)
        assert len(other.chats) >= 2


def test_an_endpoint_without_the_model_leaves_it_to_the_other(server: ScriptedServer) -> None:
    with scripted.serving() as other:
        other.model = "something-else"
        assert run(hello, other.base_url, server.base_url, name="scripted") == scripted.DEFAULT_TEXT


# Labels


def test_label_probabilities_sum_to_one_and_follow_the_model(server: ScriptedServer) -> None:
    given = {"A": 6.0, "B": 3.0, "C": 1.0}
    server.labelling = lambda request, tokens: {token: given.get(token, 0.0) for token in tokens}
    found = run(lambda c: c.label(HELLO, ["A", "B", "C"], priority=5), server.base_url)
    assert found == pytest.approx({"A": 0.6, "B": 0.3, "C": 0.1}, abs=1e-6)
    body = server.chats[0].body
    assert len(body["logprob_token_ids"]) == 6  # each label, with and without a space before it
    assert (body["max_tokens"], body["priority"]) == (1, 5)


def test_labels_are_tokenized_once(server: ScriptedServer) -> None:
    async def twice(client: ModelClient) -> None:
        await client.label(HELLO, ["A", "B"])
        await client.label(HELLO, ["A", "B"])

    run(twice, server.base_url)
    assert len([request for request in server.requests if request.path == "/tokenize"]) == 4


def test_an_endpoint_that_is_not_vllm_is_asked_for_the_likeliest_tokens(server: ScriptedServer) -> None:
    server.tells_tokens = False

    async def twice(client: ModelClient) -> dict[str, float]:
        await client.label(HELLO, ["A", "B"], priority=3)
        return await client.label(HELLO, ["A", "B"], priority=3)

    found = run(twice, server.base_url)
    assert sum(found.values()) == pytest.approx(1.0)
    assert len(server.chats) == 3  # what it rejects is tried once, then remembered
    assert "priority" not in server.chats[-1].body


def test_labels_that_the_model_never_says_are_a_bad_reply(server: ScriptedServer) -> None:
    server.tells_tokens = False
    assert fault(lambda c: c.label(HELLO, ["yes", "no"]), server.base_url).kind == ModelFault.BAD_REPLY


def test_an_endpoint_without_log_probabilities_is_a_bad_reply(server: ScriptedServer) -> None:
    server.fails(scripted.Fault(body=b'{"choices": [{"message": {"content": "A"}, "logprobs": null}]}'), times=None)
    assert fault(lambda c: c.label(HELLO, ["A", "B"]), server.base_url).kind == ModelFault.BAD_REPLY


# Adapters


def test_an_adapter_is_loaded_everywhere_asked_by_name_and_dropped(server: ScriptedServer, tmp_path: Path) -> None:
    async def life(client: ModelClient) -> tuple[str, ...]:
        await adapters.load(client, "mine-v1", tmp_path)
        loaded = await client.models()
        await adapters.drop(client, "mine-v1")
        await adapters.drop(client, "mine-v1")
        return loaded

    with scripted.serving() as other:
        assert run(life, server.base_url, other.base_url) == ("scripted", "mine-v1")
        for each in (server, other):
            assert each.adapters == {}
            assert [r.path for r in each.requests if "load_lora" in r.path].count("/v1/load_lora_adapter") == 1


def test_an_adapter_that_is_not_taken_is_told(server: ScriptedServer, tmp_path: Path) -> None:
    async def twice(client: ModelClient) -> None:
        await adapters.load(client, "mine", tmp_path)
        await adapters.load(client, "mine", tmp_path)

    error = fault(twice, server.base_url)
    assert error.kind == ModelFault.REJECTED
    assert "loaded already" in error.message
