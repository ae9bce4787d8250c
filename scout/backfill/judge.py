"""What decides, as data that can be sent to another machine, and the one function that every engine calls: `judged`.

Without a model it is pure: the same chunk and judge give the same rows, bit by bit, wherever it runs. With one, what the
embedded policy would not skip is put to the model's endpoints, a chunk's papers side by side, as the daily run does it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from scout.backfill.chunks import Chunk
from scout.config import Model
from scout.items import Decision, Item, Lane
from scout.reading.reader import ModelReader
from scout.serving.errors import ModelError, ModelFault
from scout.triage import llm
from scout.triage.lanes import Thresholds
from scout.triage.policy import Profile
from scout.triage.prompting import Rubric
from scout.triage.recipes import RECIPES, Fitted

Row = dict[str, Any]
"""A decision as it stands in a file: docs/schemas/backfill-row.schema.json."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A served model, and all that it is asked for one reader."""

    endpoint: Model
    name: str
    rubric: Rubric
    thresholds: Thresholds
    weight: llm.Weight


@dataclass(frozen=True, slots=True)
class Judge:
    reader: str
    recipe: str
    version: str
    """Of the embedded policy."""
    weights: bytes
    asked: Asked | None = None
    """None: the embedded policy decides alone."""

    def policy(self) -> Fitted:
        """
        Raises:
            scout.triage.blob.BadBlob: the weights are not of this recipe, as where another version of scout wrote them.
        """
        return _policy(self.recipe, self.weights, self.reader)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What kept the model from being used, for whoever must act."""

    fault: ModelFault
    message: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a chunk."""

    number: int
    papers: int
    rows: bytes = b""
    """A JSON line a paper, in the chunk's order, gzipped; the same bytes for the same rows."""
    lanes: Mapping[str, int] = field(default_factory=dict)
    unrated: int = 0
    """Papers that the model was asked about and gave no rating of; the embedded policy's decision stands."""
    trouble: Trouble | None = None
    """Set where the model could not be used; nothing is known of the chunk then."""


@lru_cache(maxsize=2)
def _policy(recipe: str, weights: bytes, reader: str) -> Fitted:
    """Read back once a process, not once a chunk."""
    return RECIPES[recipe].load(weights, Profile(reader))


def judged(chunk: Chunk, judge: Judge) -> Judged:
    """The rows of a chunk's papers, or what kept the model from being asked."""
    decisions, unrated = judge.policy().decide(chunk.items), 0
    if judge.asked is not None:
        try:
            decisions, unrated = asyncio.run(_moved(judge.asked, judge.policy(), chunk.items, decisions))
        except ModelError as err:
            return Judged(chunk.number, len(chunk.items), trouble=Trouble(err.kind, err.message))
    rows = [row_of(item, decision) for item, decision in zip(chunk.items, decisions, strict=True)]
    lanes = Counter(str(decision.lane) for decision in decisions)
    return Judged(chunk.number, len(rows), packed(rows), dict(lanes), unrated)


async def _moved(
    asked: Asked, embedded: Fitted, items: Sequence[Item], decisions: Sequence[Decision]
) -> tuple[list[Decision], int]:
    """The decisions with those moved that the model was asked about, and how many of them it gave no rating of.

    An answer that comes too late is no rating, unless none comes in time.

    Raises:
        ModelError: the endpoints cannot be used now, or not at all.
    """
    from scout.serving.client import ModelClient

    policy = llm.LlmPolicy(embedded, asked.rubric, asked.name, asked.thresholds, weight=asked.weight)
    wanted = [n for n, decision in enumerate(decisions) if decision.lane is not Lane.SKIP]
    found = list(decisions)
    async with ModelClient(asked.endpoint) as client:
        reader = ModelReader(client, policy, entailment=False)
        tasks = [asyncio.ensure_future(reader.rate(items[n], decisions[n])) for n in wanted]
        late: list[ModelError] = []
        unrated = 0
        try:
            for n, task in zip(wanted, tasks, strict=True):
                try:
                    rated = await task
                except ModelError as err:
                    if err.kind is not ModelFault.SLOW:
                        raise
                    late.append(err)
                    continue
                unrated += rated.decision is None
                found[n] = rated.decision or found[n]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    if late and len(late) == len(wanted):
        raise late[0]
    return found, unrated + len(late)


def row_of(item: Item, decision: Decision) -> Row:
    return {
        "id": item.id,
        "title": item.title,
        "url": item.url,
        "published": item.published.isoformat() if item.published else None,
        "reader": decision.reader,
        "policy": decision.policy,
        "lane": str(decision.lane),
        "probability": decision.probability,
        "subject": decision.subject,
        "subjects": dict(decision.subjects),
        "why": [[part.feature, part.weight] for part in decision.why],
    }


def packed(rows: Sequence[Row]) -> bytes:
    text = "".join(f"{json.dumps(row, ensure_ascii=False, separators=(',', ':'))}\n" for row in rows)
    return gzip.compress(text.encode("utf-8"), compresslevel=5, mtime=0)
