"""May an adapter read for a reader? It meets what reads now, on thumbs that its training never saw and on suites; the gate decides.

    held-out thumbs ─► both models' ratings, as serving reads them ─► both policies' probabilities ─► gate ─┐
    suites (safety among them) ─► both models' scores ─► no significant loss ──────────────────────────────┴─► challenge

What is compared is what would serve: the embedded policy, fitted on what was known before those thumbs, moved by each
model's rating. Missing evidence is a reason not to promote. Needs no torch: the server computes.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from evals import gate, trust
from evals.gate import Held
from rl import safeguards
from scout import adapters, backtest, policies
from scout.backtest import Block, Foreseen
from scout.clock import now
from scout.config import Model, Settings
from scout.items import Item, ItemId
from scout.policies import NoChange
from scout.progress import SILENT, Progress
from scout.readers import profile
from scout.serving.client import ModelClient
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Priority
from scout.serving.side_by_side import side_by_side
from scout.store import Store
from scout.store.adapters import AdapterRow
from scout.store.promotions import Challenge
from scout.triage import llm
from scout.triage.prompting import LABEL_CHARS, RATING_LABELS, Rubric, rate_messages, rubric, shown

VALID = timedelta(days=30)
"""A gate that was passed longer ago says little of today's reader."""

_ABOUT_THE_ANSWER = frozenset({ModelFault.BAD_REPLY, ModelFault.CUT, ModelFault.REJECTED, ModelFault.TOO_LONG})


def challenge(
    store: Store, settings: Settings, reader: str, given: str, *, by: str, asked: trust.Gate = trust.Gate.RUN,
    progress: Progress = SILENT,
) -> Challenge:  # fmt: skip
    """Let an adapter meet what reads for the reader now, and write down what came of it. It is loaded for that, and dropped
    again where it did not pass.

    Raises:
        NoChange: there is no such adapter, it serves already, or nobody serves yet.
        adapters.ServerTrouble: the server is away or does not take it; nothing is written down.
    """
    row, before = adapters.known(store, reader, given), store.adapters.serving(reader)
    if row.name == before:
        raise NoChange(f"{row.name} serves {reader} already")
    if store.policies.champion(reader) is None:
        raise NoChange(f"{reader} has no policy yet; `scout run` fits the first")
    blocks = held_out(store, settings, reader, row)
    thumbs = [one for block in blocks for one in block.thumbs]
    ups, days = sum(one.thumb.up for one in thumbs), len({one.day for one in thumbs})
    evidence: dict[str, Any]
    passed = False
    if gate.shortfall(len(thumbs), ups, days):
        evidence = gate.judge([Held(one.day, one.thumb.up, 0.5, 0.5) for one in thumbs]).to_dict()
    else:
        foreseen = backtest.foreseen(
            store, settings, reader, blocks, policies.recipe_of(store.policies.champion(reader)), progress=progress
        )
        passed, evidence = _met(
            _Meeting(store, settings, reader, row, before, progress), foreseen, asked,
            {one.thumb.item.id: one.thumb.item for one in thumbs},
        )  # fmt: skip
    found = Challenge(
        reader=reader, champion=adapters.titled(before), challenger=adapters.titled(row.name), at=now(), by=by,
        passed=passed, evidence=evidence,
    )  # fmt: skip
    store.promotions.challenged(found)
    if evidence["decided"] and not passed:
        adapters.retire(store, settings, row.name)
    return found


def held_out(store: Store, settings: Settings, reader: str, row: AdapterRow) -> tuple[Block, ...]:
    """The reader's thumbs that the adapter's training never saw, in blocks of days.

    Raises:
        NoChange: it is not known until when it was trained.
    """
    since = row.facts.get("held_out_since")
    if not since:
        raise NoChange(f"{row.name} does not say which thumbs it has seen; adopt it with --seen-until DATE")
    first = date.fromisoformat(str(since))
    blocks = []
    for block in backtest.plan(store, settings, reader):
        thumbs = tuple(one for one in block.thumbs if one.day >= first)
        if thumbs:
            blocks.append(replace(block, start=max(block.start, first), thumbs=thumbs))
    return tuple(blocks)


def won(store: Store, reader: str, name: str) -> Challenge | None:
    """The challenge that lets the adapter serve: the newest against what reads now, passed and not too old; else None."""
    champion = adapters.titled(store.adapters.serving(reader))
    met = store.promotions.challenges(reader, challenger=adapters.titled(name))
    newest = next((one for one in met if one.champion == champion), None)
    return newest if newest and newest.passed and now() - newest.at <= VALID else None


class _Meeting:
    """Who meets whom, and where."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        reader: str,
        row: AdapterRow,
        before: str,
        progress: Progress,
    ) -> None:
        self.store, self.settings, self.reader, self.row, self.progress = store, settings, reader, row, progress
        self.before = before
        self.rubric = rubric(profile(store, settings, reader))

    async def held(
        self, client: ModelClient, champion: Model, foreseen: Sequence[Foreseen], items: Mapping[ItemId, Item]
    ) -> list[Held]:
        """Both policies' probabilities of the held-out thumbs, as they would have been."""
        asked = [items[one.item_id] for one in foreseen]
        self.progress.stage("rating held-out thumbs", 2 * len(asked))
        theirs = await ratings(client, self.rubric, asked, self.progress)
        async with ModelClient(champion) as other:
            ours = await ratings(other, self.rubric, asked, self.progress)
        recipe = policies.recipe_of(self.store.policies.champion(self.reader))
        pairs = zip(foreseen, as_served(foreseen, recipe, ours), as_served(foreseen, recipe, theirs), strict=True)
        return [Held(one.day, one.up, champion, challenger) for one, champion, challenger in pairs]


def _met(
    meeting: _Meeting, foreseen: Sequence[Foreseen], asked: trust.Gate, items: Mapping[ItemId, Item]
) -> tuple[bool, dict[str, Any]]:  # fmt: skip
    """Whether it passed, and the evidence."""
    store, settings = meeting.store, meeting.settings
    if not settings.model.base_urls:
        raise adapters.ServerTrouble(
            "model.base_urls names no server to ask both models; nothing was changed", passes=False
        )
    challenger = settings.model.model_copy(update={"name": meeting.row.name})
    champion = adapters.asked(store, settings, meeting.reader)

    async def whole() -> tuple[list[Held], safeguards.Kept]:
        async with ModelClient(challenger) as client:
            for name in filter(None, (meeting.before, meeting.row.name)):
                await adapters.ensure(client, store, settings, name)
            champ = champion if champion.name else champion.model_copy(update={"name": await _itself(settings, store)})
            held = await meeting.held(client, champ, foreseen, items)
        if not gate.judge(held).passed:
            return held, safeguards.Kept((), ("the suites were not asked, since the thumbs had decided",))
        return held, await safeguards.compared(
            store, settings, challenger, champ, gate=asked, progress=meeting.progress
        )

    try:
        held, kept = asyncio.run(whole())
    except ModelError as err:
        adapters.retire(store, settings, meeting.row.name)
        raise adapters.ServerTrouble(f"{err.message}; nothing was changed", passes=err.kind.passes) from err
    verdict = gate.judge(held)
    parity = _parity(meeting.row)
    against = [kept.reason] if verdict.passed and kept.reason else []
    against += [parity] if verdict.passed and parity else []
    said = "; but ".join([verdict.reason, *against])
    if verdict.passed and kept.rows:
        said = f"{said}; suites: {safeguards.told(kept.rows)}"
    passed = verdict.passed and not against
    return passed, {**verdict.to_dict(), "passed": passed, "reason": said, "evals": kept.to_dict(), "parity": parity}


def _parity(row: AdapterRow) -> str:
    """Why its training is not to be trusted; empty where trainer and server were shown to compute one function."""
    told = row.facts.get("parity")
    if told is None:
        return "not shown: that trainer and server computed one function (`scout rl parity`)"
    return f"trainer and server differ: {told['verdict']}" if told.get("verdict") else ""


async def _itself(settings: Settings, store: Store) -> str:
    """The model as it is served, without an adapter of ours."""
    async with ModelClient(settings.model) as client:
        names = await client.models()
    return next((name for name in names if store.adapters.get(name) is None), names[0])


async def ratings(
    client: ModelClient, rubric: Rubric, items: Sequence[Item], progress: Progress = SILENT
) -> dict[ItemId, float | None]:
    """The rating that serving would read of each item; None where the model gives none.

    Raises:
        ModelError: the server cannot be used now, or not at all.
    """

    async def one(item: Item) -> float | None:
        try:
            messages = rate_messages(rubric, shown(item, limit=LABEL_CHARS))
            return llm.rating_of(await client.label(messages, RATING_LABELS, priority=Priority.BATCH))
        except ModelError as err:
            if err.kind not in _ABOUT_THE_ANSWER:
                raise
            return None
        finally:
            progress.step()

    found = await side_by_side(one(item) for item in items)
    return {item.id: rating for item, rating in zip(items, found, strict=True)}


def as_served(foreseen: Sequence[Foreseen], recipe: str, ratings: Mapping[ItemId, float | None]) -> list[float]:
    """The embedded policy's probabilities, moved by a model's ratings with the weight that earlier days' thumbs give them.

    Champion and challenger are weighed alike, each as if it had read for this reader from the first held-out day on.
    """
    weights: dict[date, llm.Weight] = {}
    for day in sorted({one.day for one in foreseen}):
        past = [
            llm.Rated(one.probabilities[recipe], rating, one.up)
            for one in foreseen
            if one.day < day and (rating := ratings[one.item_id]) is not None
        ]
        weights[day] = llm.weigh(past)
    return [moved(one.probabilities[recipe], ratings[one.item_id], weights[one.day]) for one in foreseen]


def moved(embedded: float, rating: float | None, weight: llm.Weight) -> float:
    """A probability as a rating moves it; as it is without one."""
    if rating is None:
        return embedded
    return 1 / (1 + math.exp(-(llm.logit(embedded) + weight.moves(rating))))
