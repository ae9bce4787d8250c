"""The probability of labels as the next token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import scripted_server as scripted
from client_samples import HELLO, fault, run
from scripted_server import ScriptedServer

from scout.serving.client import ModelClient
from scout.serving.errors import ModelFault


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted.serving() as running:
        yield running


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
