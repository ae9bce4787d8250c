"""Requests and answers of the OpenAI-compatible protocol, as vLLM speaks it. Pure: values in, JSON-ready values out and back.

Sending them, waiting and trying again is `client`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from scout.net.hints import retry_after
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Finish, Message, Reply, Role, Tool, ToolCall, Usage

_SAID = 300
"""Characters of a server's own words that go into a message."""

_TOO_LONG = (
    "context length",
    "maximum model length",
    "max_model_len",
    "context_length_exceeded",
    "longer than the maximum",
)


def message_body(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"role": str(message.role), "content": message.content}
    if message.role == Role.ASSISTANT:
        if message.reasoning:
            body["reasoning"] = message.reasoning
        if message.tool_calls:
            body["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in message.tool_calls
            ]
    elif message.role == Role.TOOL:
        body["tool_call_id"] = message.tool_call_id
    return body


def tool_body(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def chat_body(
    messages: Sequence[Message],
    *,
    max_tokens: int,
    temperature: float,
    schema: Mapping[str, Any] | None = None,
    tools: Sequence[Tool] | None = None,
    tool_choice: str | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """A chat request, the model's name still missing. `tool_choice` is auto, none, required, or the name of a tool."""
    body: dict[str, Any] = {
        "messages": [message_body(message) for message in messages],
        "max_tokens": max_tokens,
        "temperature": temperature,
    }
    if schema is not None:
        named = {"name": str(schema.get("title", "answer")), "schema": dict(schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    if tools:
        body["tools"] = [tool_body(tool) for tool in tools]
        if tool_choice is not None:
            plain = tool_choice in ("auto", "none", "required")
            body["tool_choice"] = tool_choice if plain else {"type": "function", "function": {"name": tool_choice}}
    if seed is not None:
        body["seed"] = seed
    return body


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8; lone surrogates, which no server takes, become question marks."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def decode(data: bytes, endpoint: str) -> dict[str, Any]:
    """The JSON object in `data`.

    Raises:
        ModelError: BAD_REPLY, where there is none.
    """
    try:
        value = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as err:
        raise ModelError(ModelFault.BAD_REPLY, f"{endpoint} answered with bytes that are not UTF-8", endpoint) from err
    except (ValueError, RecursionError) as err:
        said = f"{endpoint} answered with {len(data)} bytes that are not whole JSON"
        raise ModelError(ModelFault.BAD_REPLY, said, endpoint) from err
    if not isinstance(value, dict):
        raise ModelError(ModelFault.BAD_REPLY, f"{endpoint} answered with JSON that is no object", endpoint)
    return value


def reply(answer: Mapping[str, Any], endpoint: str, seconds: float) -> Reply:
    """The first choice of a chat answer.

    Raises:
        ModelError: BAD_REPLY, where it does not have what an answer must have.
    """
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        text, reasoning = _thinking_apart(message)
        return Reply(
            text=text,
            reasoning=reasoning,
            tool_calls=tuple(_tool_call(call) for call in message.get("tool_calls") or ()),
            finish_reason=_finish(choice.get("finish_reason")),
            usage=usage(answer),
            model=str(answer.get("model") or ""),
            endpoint=endpoint,
            seconds=seconds,
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError) as err:
        said = f"{endpoint} answered with JSON that is no chat completion ({type(err).__name__}: {err})"
        raise ModelError(ModelFault.BAD_REPLY, said, endpoint) from err


def usage(answer: Mapping[str, Any]) -> Usage:
    counts = answer.get("usage") or {}
    details = counts.get("prompt_tokens_details") or {}
    told = counts.get("prompt_tokens"), counts.get("completion_tokens"), details.get("cached_tokens")
    return Usage(*(max(0, int(count or 0)) for count in told))


def _thinking_apart(message: Mapping[str, Any]) -> tuple[str, str]:
    """Text and thinking; a server without a reasoning parser leaves the thinking in the text, in its tags."""
    text = _text(message.get("content"))
    reasoning = _text(message.get("reasoning") or message.get("reasoning_content"))
    head, closed, rest = text.partition("</think>")
    if not reasoning and closed:
        return rest.strip(), head.strip().removeprefix("<think>").strip()
    if not reasoning and text.lstrip().startswith("<think>"):
        return "", text.lstrip().removeprefix("<think>").strip()
    return text, reasoning


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):  # content in parts
        value = "".join(str(part.get("text") or "") for part in value)
    if isinstance(value, str):
        return (
            value if value.isascii() else value.encode("utf-8", "replace").decode()
        )  # half a character can be stored nowhere
    raise TypeError(f"content is {type(value).__name__}, not text")


def _tool_call(call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    arguments = function.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return ToolCall(str(call.get("id") or ""), str(function["name"]), text)


def _finish(value: Any) -> Finish:
    try:
        return Finish(value)
    except ValueError:
        return Finish.OTHER


def fault(status: int, headers: Mapping[str, str], data: bytes, endpoint: str, now: datetime) -> ModelError:
    """What an answer that is no success means."""
    said = said_by(data)
    tail = f": {said}" if said else ""
    if status in (401, 403):
        hint = "set SCOUT_MODEL__API_KEY to the server's key"
        return ModelError(ModelFault.REFUSED, f"{endpoint} refused the key ({status}); {hint}", endpoint)
    if status == 429:
        when = retry_after(headers, now)
        return ModelError(ModelFault.BUSY, f"{endpoint} is asked too much (429){tail}", endpoint, retry_at=when)
    if status == 404:
        hint = "; model.name must be one it serves, and model.base_urls end in /v1"
        return ModelError(ModelFault.NO_MODEL, f"{endpoint} knows no such model or address (404){tail}{hint}", endpoint)
    if status >= 500:
        when = retry_after(headers, now)
        return ModelError(ModelFault.AWAY, f"{endpoint} failed ({status}){tail}", endpoint, retry_at=when)
    if status in (400, 413, 422) and (status == 413 or any(words in said.lower() for words in _TOO_LONG)):
        return ModelError(ModelFault.TOO_LONG, f"{endpoint} cannot take so long a request ({status}){tail}", endpoint)
    return ModelError(ModelFault.REJECTED, f"{endpoint} rejected the request ({status}){tail}", endpoint)


def said_by(data: bytes) -> str:
    """The server's own words about an error, on one line and short."""
    text = data[:20_000].decode("utf-8", "replace")
    try:
        value = json.loads(text)
        error = value.get("error", value)
        text = str(error.get("message") or error.get("detail") or text) if isinstance(error, dict) else str(error)
    except (ValueError, AttributeError, RecursionError):
        pass
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _SAID else text[: _SAID - 1] + "…"
