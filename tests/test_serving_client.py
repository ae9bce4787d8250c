"""The client of the model: what it asks and what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import scripted_server as scripted
from client_samples import HELLO, LOOK, SCHEMA, hello, run
from jsonschema import validate
from scripted_server import ScriptedServer, Turn

from scout.serving.messages import Finish, Message, Role


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted.serving() as running:
        yield running


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
