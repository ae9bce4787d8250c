"""The stage in which a served model embeds items, and what looks its vectors up when a policy decides.

Vectors are kept by item and model, a batch at a time, so that nothing is asked for twice and a run killed anywhere goes on
where it was. Without a model, or with one that is away, everything works: an item without a vector is decided on by its words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scout.clock import now
from scout.config import Settings
from scout.items import Decision, Item
from scout.progress import SILENT, Progress
from scout.serving.errors import ModelError, ModelFault
from scout.serving.pooling import embed
from scout.store import Store
from scout.triage.recipes import Fitted
from scout.triage.vectors import NONE, Vectors

if TYPE_CHECKING:
    from scout.serving.client import ModelClient

log = logging.getLogger("scout")

_LONGEST = 6000
"""Characters of an item that are sent."""
_SHORT = 1000
"""The same for one that the model did not take."""
_TOO_MUCH = (ModelFault.TOO_LONG, ModelFault.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedReport:
    model: str = ""
    done: int = 0
    """Items that got a vector in this run."""
    waiting: int = 0
    """Items that have none yet."""
    message: str = ""
    """What stopped it, for whoever must act; empty where nothing did."""


def embed_new(store: Store, settings: Settings, items: Iterable[Item], *, progress: Progress = SILENT) -> EmbedReport:
    """Vectors of those `items` that have none, the first ones first. Nothing happens where no model is set."""
    if not settings.embedding.base_urls:
        return EmbedReport()
    return asyncio.run(_embed(store, settings, list({item.id: item for item in items}.values()), progress))


async def _embed(store: Store, settings: Settings, items: Sequence[Item], progress: Progress) -> EmbedReport:
    from scout.serving.client import ModelClient

    chosen = settings.embedding
    model, done = model_of(store, settings), 0  # the one that made the newest, should it be away
    lacking = store.vectors.lacking(model, items)
    async with ModelClient(chosen.endpoint()) as client:
        try:
            model = await client.model_name()
            lacking = store.vectors.lacking(model, items)
            todo = lacking[: chosen.items_per_run]
            progress.stage("embed", len(todo))
            for start in range(0, len(todo), chosen.batch):
                batch = todo[start : start + chosen.batch]
                found = await _batch(client, batch, chosen.tokens)
                store.vectors.write(model, found, now())
                done += len(found)
                for _ in batch:
                    progress.step()
        except ModelError as err:
            log.warning("not embedded", extra={"outcome": str(err.kind), "error": err.message})
            return EmbedReport(model=model, done=done, waiting=len(lacking) - done, message=err.message)
    return EmbedReport(model=model, done=done, waiting=len(lacking) - done)


async def _batch(client: ModelClient, batch: Sequence[Item], tokens: int) -> list[tuple[Item, NDArray[np.float32]]]:
    """Vectors of length 1; of a batch that the model does not take, those of the items that it takes alone and cut short."""
    try:
        found = await embed(client, [_text(item, _LONGEST) for item in batch], longest=tokens)
    except ModelError as err:
        if err.kind not in _TOO_MUCH:
            raise
        pairs = [(item, await _alone(client, item, tokens)) for item in batch]
        return [(item, _unit(vector)) for item, vector in pairs if vector is not None]
    return [(item, _unit(vector)) for item, vector in zip(batch, found, strict=True)]


async def _alone(client: ModelClient, item: Item, tokens: int) -> NDArray[np.float32] | None:
    try:
        alone: NDArray[np.float32] = (await embed(client, [_text(item, _SHORT)], longest=tokens))[0]
        return alone
    except ModelError as err:
        if err.kind not in _TOO_MUCH:
            raise
        log.warning("not embedded", extra={"item": item.id, "outcome": str(err.kind), "error": err.message})
        return None


def _text(item: Item, longest: int) -> str:
    return f"{item.title}\n{item.text}"[:longest]


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-9))


def model_of(store: Store, settings: Settings) -> str:
    """Whose vectors a fit may look at: those of the model that is set, else of the one that made the newest."""
    return settings.embedding.name or store.vectors.newest_model()


def known(store: Store, model: str, items: Iterable[Item]) -> Vectors:
    """What there is of `model`'s vectors of these items."""
    return Vectors(model, store.vectors.of(model, [item.id for item in items])) if model else NONE


class Seeing:
    """A policy that is shown the vectors of what it decides on, where it looks at any."""

    def __init__(self, policy: Fitted, store: Store) -> None:
        self.policy, self._store = policy, store
        self.version, self.recipe = policy.version, policy.recipe

    def decide(self, items: Sequence[Item]) -> list[Decision]:
        return self.policy.decide(items, known(self._store, self.policy.sees, items))
