"""What tests of the model's client share: questions, a client that writes its pauses down, and its faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from scout.config import Model
from scout.serving.client import ModelClient
from scout.serving.errors import ModelError
from scout.serving.messages import Message, Role, Tool

T = TypeVar("T")
NOW = datetime(2025, 12, 2, tzinfo=UTC)
HELLO = [Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Hello")]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"tldr": {"type": "string"}, "points": {"type": "array", "items": {"type": "string"}, "minItems": 3}},
    "required": ["tldr", "points"],
    "additionalProperties": False,
}
LOOK = Tool("look", "Looks.", {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]})


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
