"""The client of the model: what goes wrong has a kind, and what passes is tried again within bounds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
import scripted_server as scripted
from client_samples import HELLO, NOW, Pauses, fault, hello, run
from deadlines import Deadlines
from scripted_server import ScriptedServer, Turn

from scout.serving.client import ModelClient, Patience
from scout.serving.errors import ModelFault
from scout.serving.messages import Finish


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted.serving() as running:
        yield running


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


def test_a_server_that_hangs_is_slow_and_not_asked_again(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    Deadlines(server, monkeypatch).hang(lambda request: True)
    assert fault(hello, server.base_url).kind == ModelFault.SLOW
    assert len(server.chats) == 1


def test_a_deadline_of_ones_own_ends_a_request_too(server: ScriptedServer) -> None:
    server.fails(scripted.HANG, times=None)
    error = fault(lambda c: c.chat(HELLO, max_tokens=5, deadline=0.1), server.base_url)
    assert (error.kind, "within 0.1 s" in error.message) == (ModelFault.SLOW, True)


def test_waiting_for_a_slot_is_no_slowness(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline of a request begins when all before it were answered, where one goes out at a time."""
    deadlines = Deadlines(server, monkeypatch)

    async def many(client: ModelClient) -> list[object]:
        return list(await asyncio.gather(*(hello(client) for _ in range(8))))

    assert len(run(many, server.base_url, concurrency=1, name="scripted")) == 8
    assert deadlines.begun == list(range(8))


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
