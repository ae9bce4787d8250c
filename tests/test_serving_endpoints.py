"""Several endpoints as one: least busy first, the dead passed over; adapters loaded on each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import scripted_server as scripted
from client_samples import Pauses, fault, hello, run
from scripted_server import ScriptedServer

from scout.serving import adapters
from scout.serving.client import ModelClient
from scout.serving.errors import ModelFault


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted.serving() as running:
        yield running


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
