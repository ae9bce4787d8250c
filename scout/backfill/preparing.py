"""What a backfill takes from the store: the judge that serves a reader now, and papers that are stored and undecided."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator

from scout import adapters, policies
from scout.backfill.files import Source
from scout.backfill.judge import Asked, Judge
from scout.config import Settings
from scout.items import Item, ItemId
from scout.locks import held
from scout.reading import policy as model_policy
from scout.store import Store
from scout.store.rows import batches


class NoPolicy(Exception):
    """Nothing can decide yet; the message says what to do."""


def judge_of(store: Store, settings: Settings, reader: str, *, by_model: bool) -> Judge:
    """The policy that serves `reader`, refitted first if there is something new to learn from; with the served model, if asked.

    Raises:
        NoPolicy: nothing is stored that a policy could be fitted against.
        Locked: a run is under way.
        ModelError: the model cannot be used.
    """
    if not store.items.count():
        raise NoPolicy("there are no items to fit a policy against; `scout run` fetches the first ones")
    with held(settings, "run"):
        policies.serving(store, settings, reader)
        asked = asyncio.run(_asked(store, settings, reader)) if by_model else None
    champion = store.policies.champion(reader)
    assert champion is not None, "policies.serving has crowned one"
    return Judge(reader, champion.recipe, champion.version, champion.weights, asked)


async def _asked(store: Store, settings: Settings, reader: str) -> Asked:
    from scout.serving.client import ModelClient

    endpoint = adapters.asked(store, settings, reader)
    async with ModelClient(endpoint) as client:
        if adapter := store.adapters.serving(reader):
            await adapters.ensure(client, store, settings, adapter)
        await client.models()  # a server that is away is told of before anything is begun
        name = await client.model_name()
    policy = model_policy.serving(store, settings, reader, name)
    return Asked(
        endpoint.model_copy(update={"name": name}), name, policy.rubric, policy.thresholds, policy.weight
    )  # fmt: skip


def undecided(store: Store, reader: str) -> list[ItemId]:
    """What is stored and undecided for `reader`, in the order of arrival, as far as the newest digest has looked.

    What came later is the daily run's; a reader without a digest has all.
    """
    return store.decisions.undecided_ids(
        reader, until_seq=store.digests.newest_cutoff(reader) or store.items.newest_seq()
    )


def stored(ids: list[ItemId]) -> Source:
    """These items as an input."""
    digest = hashlib.blake2b("\n".join(ids).encode("utf-8", "replace"), digest_size=16).hexdigest()
    return Source("what is stored", digest, len(ids))


def items(store: Store, ids: list[ItemId]) -> Iterator[Item]:
    """In that order; what is no more stored is left out."""
    for batch in batches(ids):
        found = store.items.many(batch)
        yield from (found[id] for id in batch if id in found)
