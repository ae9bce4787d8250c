"""Vectors and scores from a real vLLM that serves SmolLM2-135M for pooling, as `scout serve --pooling mean` starts it.

A server of its own: one that writes has no pooling routes. It is up in half a minute and answers in a second.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import vllm_server
from vllm_server import Vllm

from scout.serving import pooling
from scout.serving.client import ModelClient

pytestmark = pytest.mark.vllm

TEXTS = ["A cat sleeps on the mat.", "A kitten naps on a rug.", "We prove a bound on the rank of tensors."]


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vllm]:
    if reason := vllm_server.why_not():
        pytest.skip(reason)
    yield from vllm_server.serving(tmp_path_factory.mktemp("pooling"), length=512, pooling="mean")


def test_like_texts_lie_near_each_other_however_they_are_asked_for(pooled: Vllm) -> None:
    async def everything(client: ModelClient) -> tuple[pooling.Floats, pooling.Floats, pooling.Floats, pooling.Floats]:
        return (
            await pooling.embed(client, TEXTS),
            await pooling.embed(client, [TEXTS[2], "word " * 5000], longest=64),
            await pooling.score(client, TEXTS[0], TEXTS[1:]),
            await pooling.rerank(client, TEXTS[0], TEXTS[1:]),
        )

    vectors, cut, scores, ranks = pooled.run(everything)
    assert vectors.shape == (3, 576)
    likeness = (vectors[0] @ vectors[1:].T) / np.linalg.norm(vectors[0]) / np.linalg.norm(vectors[1:], axis=1)
    assert likeness[0] > likeness[1]
    assert scores == pytest.approx(likeness, abs=1e-3)
    assert ranks == pytest.approx(scores, abs=1e-3)
    assert cut[0] == pytest.approx(vectors[2], abs=1e-3)
