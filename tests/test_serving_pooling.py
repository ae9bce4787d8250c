"""Vectors and scores of texts from a server: what is asked, what comes back in which order, and what is no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
import scripted_server as scripted
from client_samples import fault, run
from scripted_server import Fault, ScriptedServer, status

from scout.serving import pooling
from scout.serving.command import Command, ServeOptions, command
from scout.serving.errors import ModelFault
from scout.serving.families import family

TEXTS = ["owls hunt at night", "tides follow the moon", "owls and tides"]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted.serving() as running:
        yield running


def test_each_text_gets_its_own_vector_whatever_the_order_of_the_answer(server: ScriptedServer) -> None:
    found = run(lambda c: pooling.embed(c, TEXTS, longest=64), server.base_url)
    assert found.shape == (3, 24)
    for row, text in zip(found, TEXTS, strict=True):
        assert row == pytest.approx(server.embedding(text))
    assert server.requests[-1].body["truncate_prompt_tokens"] == 64


def test_scores_and_ranks_come_in_the_order_of_the_texts(server: ScriptedServer) -> None:
    scored = run(lambda c: pooling.score(c, "owls", TEXTS), server.base_url)
    ranked = run(lambda c: pooling.rerank(c, "owls", TEXTS), server.base_url)
    assert list(scored) == pytest.approx(list(ranked))
    assert scored.argmin() == 1
    assert [request.path for request in server.requests if "score" in request.path or "rerank" in request.path] == [
        "/v1/score",
        "/v1/rerank",
    ]


def test_nothing_is_asked_about_no_texts(server: ScriptedServer) -> None:
    assert run(lambda c: pooling.embed(c, []), server.base_url).shape == (0, 0)
    assert len(run(lambda c: pooling.score(c, "owls", []), server.base_url)) == 0
    assert server.requests == []


def test_a_server_that_knows_no_cutting_is_asked_without(server: ScriptedServer) -> None:
    server.tells_tokens = False
    assert run(lambda c: pooling.embed(c, TEXTS), server.base_url).shape == (3, 24)
    assert "truncate_prompt_tokens" not in server.requests[-1].body


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": -1, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": ["owl"]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [None]}],
    ],
    ids=["none", "too few", "a negative place", "two lengths", "words", "nothing"],
)
def test_an_answer_without_a_whole_vector_for_each_text_is_none(
    server: ScriptedServer, entries: list[dict[str, object]]
) -> None:
    server.fails(Fault(200, json.dumps({"data": entries}).encode()), times=None)
    err = fault(lambda c: pooling.embed(c, TEXTS[:2]), server.base_url)
    assert err.kind is ModelFault.BAD_REPLY
    assert server.base_url in err.message


def test_a_server_that_writes_words_has_no_such_route(server: ScriptedServer) -> None:
    server.fails(status(404, "Not Found"), times=None)
    assert fault(lambda c: pooling.embed(c, TEXTS), server.base_url).kind is ModelFault.NO_MODEL


def made(pooled: str) -> Command:
    options = ServeOptions(model="smollm2", pooling=pooled, cpu=True, offline=True, port=8001)
    return command(options, family("SmolLM2-135M"))


def test_a_pooling_server_is_started_without_what_only_writing_needs() -> None:
    mean, own = made("mean"), made("model")
    for found in (mean, own):
        assert found.argv[found.argv.index("--runner") + 1] == "pooling"
        assert not {"--enable-lora", "--tool-call-parser", "--hf-overrides", "--scheduling-policy"} & set(found.argv)
    assert json.loads(mean.argv[mean.argv.index("--pooler-config") + 1]) == {"pooling_type": "MEAN"}
    assert "--pooler-config" not in own.argv


def test_vectors_are_finite_numbers_of_single_precision(server: ScriptedServer) -> None:
    server.embedding = lambda text: [1e-3, -2.5, 3]
    found = run(lambda c: pooling.embed(c, TEXTS), server.base_url)
    assert found.dtype == np.float32
    assert found[2].tolist() == pytest.approx([1e-3, -2.5, 3])
