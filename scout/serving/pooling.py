"""Vectors and scores of texts, by vLLM's pooling routes: `/v1/embeddings`, `/v1/score`, `/v1/rerank`.

`scout serve --pooling` starts such a server. Balancing, waiting and trying again are `client`'s; what becomes of the numbers is
the caller's. A score between two texts is a cross-encoder's where one is served, else the cosine of their vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scout.serving.endpoints import Endpoint
from scout.serving.errors import ModelError, ModelFault

if TYPE_CHECKING:
    from scout.serving.client import ModelClient

Floats = NDArray[np.float32]
LONGEST = 512
"""Tokens of a text that are looked at, unless said otherwise: models for this seldom know more, and an abstract fits."""


async def embed(client: ModelClient, texts: Sequence[str], *, longest: int = LONGEST) -> Floats:
    """[texts, dimensions]: a vector of each text, in their order.

    Raises:
        ModelError: no answer; BAD_REPLY where it holds no finite vector for each text, all of one length.
    """
    if not texts:
        return np.zeros((0, 0), dtype=np.float32)

    async def once(endpoint: Endpoint) -> Floats:
        answer = await _ask(client, endpoint, "embeddings", {"input": list(texts)}, longest)
        try:
            found = np.full((len(texts), len(answer["data"][0]["embedding"])), np.nan, dtype=np.float32)
            for entry in answer["data"]:
                found[_place(entry["index"], len(texts))] = entry["embedding"]
        except (KeyError, IndexError, TypeError, ValueError) as err:
            raise _bad(endpoint, "vector for each text", err) from err
        return _whole(found, endpoint, "vector for each text")

    return await client.patiently(once)


async def score(client: ModelClient, text: str, others: Sequence[str], *, longest: int = LONGEST) -> Floats:
    """[others]: how well each fits `text`; higher is better, what the scale is depends on the model.

    Raises:
        ModelError: no answer; BAD_REPLY where it holds no finite score for each.
    """
    return await _against(client, "score", {"queries": text}, others, ("data", "score"), longest)


async def rerank(client: ModelClient, query: str, texts: Sequence[str], *, longest: int = LONGEST) -> Floats:
    """[texts]: the relevance of each to `query`, in the order of `texts` and not of the answer, which is by relevance.

    Raises:
        ModelError: no answer; BAD_REPLY where it holds no finite score for each.
    """
    return await _against(client, "rerank", {"query": query}, texts, ("results", "relevance_score"), longest)


async def _against(
    client: ModelClient, route: str, one: Mapping[str, str], texts: Sequence[str], told: tuple[str, str], longest: int
) -> Floats:
    """[texts]: what the route says of each beside the one text; `told` is where its answer has that."""
    if not texts:
        return np.zeros(0, dtype=np.float32)

    async def once(endpoint: Endpoint) -> Floats:
        answer = await _ask(client, endpoint, route, {**one, "documents": list(texts)}, longest)
        return _scores(answer, *told, len(texts), endpoint)

    return await client.patiently(once)


async def _ask(
    client: ModelClient, endpoint: Endpoint, route: str, body: Mapping[str, Any], longest: int
) -> dict[str, Any]:
    """One try. Texts are cut by the server, which has the tokenizer; one that knows no cutting is asked without."""
    named = {"model": await client.connection.name(endpoint), **body}
    url = f"{endpoint.url}/{route}"
    if not endpoint.plain:
        try:
            return await client.connection.post(endpoint, url, {**named, "truncate_prompt_tokens": longest})
        except ModelError as err:
            if err.kind is not ModelFault.REJECTED:
                raise
    answer = await client.connection.post(endpoint, url, named)
    endpoint.plain = True
    return answer


def _scores(answer: Mapping[str, Any], where: str, name: str, count: int, endpoint: Endpoint) -> Floats:
    found = np.full(count, np.nan, dtype=np.float32)
    try:
        for entry in answer[where]:
            found[_place(entry["index"], count)] = entry[name]
    except (KeyError, IndexError, TypeError, ValueError) as err:
        raise _bad(endpoint, "score for each text", err) from err
    return _whole(found, endpoint, "score for each text")


def _place(index: Any, count: int) -> int:
    """Numpy would take a negative place, or a list of them, without a word."""
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < count:
        raise IndexError(f"index {index!r} of {count} texts")
    return index


def _whole(found: Floats, endpoint: Endpoint, what: str) -> Floats:
    if not found.size or not np.isfinite(found).all():
        raise _bad(endpoint, what, "some are missing or no numbers")
    return found


def _bad(endpoint: Endpoint, what: str, why: object) -> ModelError:
    said = f"{type(why).__name__}: {why}" if isinstance(why, Exception) else why
    return ModelError(ModelFault.BAD_REPLY, f"{endpoint.url} answered without a {what} ({said})", endpoint.url)
