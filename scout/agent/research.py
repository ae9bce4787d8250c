"""Research items: several side by side, each begun or gone on with from its saved transcript.

Puts the loop together with the store, the tools and the model's client. A model that is away leaves every research where it
stands, saved, for the next time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from scout import clock, untrusted
from scout.agent.arguments import specifications
from scout.agent.brief import Brief
from scout.agent.limits import Ending, Limits
from scout.agent.loop import Chat, Loop
from scout.agent.tools import Toolbox, abstract
from scout.agent.transcript import Step, StepKind, Transcript
from scout.config import ConfigError, Settings
from scout.items import Item, Lane
from scout.progress import SILENT, Progress
from scout.prompts import prompt
from scout.serving.client import ModelClient
from scout.serving.errors import ModelError
from scout.serving.messages import Message, Priority, Role
from scout.serving.side_by_side import side_by_side
from scout.sources.base import Tools
from scout.sources.tools import open_tools
from scout.store import Store
from scout.store.research import ResearchRow

T = TypeVar("T")

PROMPT = "research"
LOOK_SECONDS = 0.3
"""How often a research looks whether it is to end."""


@dataclass(frozen=True, slots=True)
class Researched:
    """What became of the research of one item."""

    item: Item
    id: int
    ending: Ending | None
    """None where it waits for the model."""
    brief: Brief | None
    rounds: int = 0
    tokens: int = 0
    model: str = ""
    """By which model, as served; empty before it said anything."""
    message: str = ""
    """Why it waits."""
    passes: bool = True
    """Whether it may go on by waiting alone; else the configuration must change."""


class Stopped(Exception):
    """It was asked to end. What was found is saved, and the same research goes on from there."""


def research(
    store: Store, settings: Settings, items: Sequence[Item], *, again: bool = False,
    priority: Priority = Priority.PERSON, progress: Progress = SILENT, stop: Callable[[], bool] = lambda: False,
) -> list[Researched]:  # fmt: skip
    """A result for each item, in order. One that has its brief already is not researched again, unless `again`.

    Raises:
        ConfigError: no model is configured.
        Stopped: `stop()` became true.
    """
    if not settings.model.base_urls:
        raise ConfigError("model.base_urls names no endpoint; `scout serve` starts one, and prints what to set")
    progress.stage("research", len(items))

    async def all_of_them() -> list[Researched]:
        turns = asyncio.Semaphore(settings.research.parallel)

        async def one(item: Item, model: Chat, tools: Tools) -> Researched:
            async with turns:
                found = await _one(store, item, model, tools, limits_of(settings, priority), again=again)
            progress.step(item.title)
            return found

        with open_tools(settings) as tools:
            async with ModelClient(settings.model) as model:
                work = asyncio.ensure_future(side_by_side(one(item, model, tools) for item in items))
                return await _unless(stop, work)

    return asyncio.run(all_of_them())


async def _unless(stop: Callable[[], bool], work: asyncio.Future[list[T]]) -> list[T]:
    """What the work comes to.

    Raises:
        Stopped: it was to stop first, and was left where it was.
    """
    while not work.done() and not stop():
        await asyncio.wait([work], timeout=LOOK_SECONDS)
    if work.done():
        return work.result()
    work.cancel()
    await asyncio.wait([work])
    if not work.cancelled():
        work.exception()  # one that nobody looks at is complained of when it is forgotten
    raise Stopped


def top(store: Store, reader: str, count: int) -> list[Item]:
    """The newest digest's best items for a reader, by the probabilities of its decisions."""
    days = store.digests.dates(reader)
    shown = [seen.item_id for seen in store.digests.impressions(reader, day=days[0])] if days else []
    decided = store.decisions.of(reader, shown)
    read = sorted((d for d in decided.values() if d.lane is not Lane.SKIP), key=lambda d: (-d.probability, d.item_id))
    items = store.items.many([decision.item_id for decision in read[:count]])
    return [items[decision.item_id] for decision in read[:count] if decision.item_id in items]


async def _one(store: Store, item: Item, model: Chat, tools: Tools, limits: Limits, *, again: bool) -> Researched:
    if not again and (row := store.researches.answered(item.id)) and not store.researches.unfinished(item.id):
        return told(store, item, row)
    id, transcript, fence = begun(store, item)
    loop = Loop(
        item=item.id, model=model, tools=Toolbox(tools, fence), offered=specifications(), transcript=transcript,
        limits=limits,
    )  # fmt: skip
    try:
        ended = await loop.run()
    except ModelError as err:
        store.researches.wait(id, err.message)
        return Researched(
            item, id, None, None, transcript.rounds, transcript.tokens, transcript.model, err.message,
            passes=err.kind.passes,
        )  # fmt: skip
    brief = ended.brief.to_dict() if ended.brief else None
    store.researches.finish(id, clock.now(), ending=ended.ending, model=transcript.model, brief=brief)
    return Researched(item, id, ended.ending, ended.brief, transcript.rounds, transcript.tokens, transcript.model)


def begun(store: Store, item: Item) -> tuple[int, Transcript, str]:
    """The research of an item that has no end yet, its transcript and its fence; a new one where there is none."""
    if row := store.researches.unfinished(item.id):
        return row.id, read_transcript(store, row.id), row.fence
    text, fence = prompt(PROMPT), untrusted.new_fence()
    about = abstract(item, fence)
    asked = f"Research the item that follows.\n\n{about.text}"
    with store.writing():
        id = store.researches.begin(item.id, clock.now(), fence=fence, prompt=f"{text.name} {text.version}")
        transcript = read_transcript(store, id)
        system = Message(Role.SYSTEM, text.fill(fence=fence))
        transcript.add(Step(kind=StepKind.OPENING, message=system))
        user = Message(Role.USER, asked)
        transcript.add(Step(kind=StepKind.OPENING, message=user, shown=about.shown, met=about.met))
    return id, transcript, fence


def read_transcript(store: Store, id: int) -> Transcript:
    """A research's transcript as saved; what is added to it is saved too."""

    def save(number: int, step: Step) -> None:
        store.researches.save(id, number, step.to_dict(), clock.now())

    return Transcript(save, [Step.from_dict(step) for step in store.researches.steps(id)])


def told(store: Store, item: Item, row: ResearchRow) -> Researched:
    """A research that ended, as it was reported then."""
    transcript = read_transcript(store, row.id)
    brief = Brief.from_dict(row.brief) if row.brief else None
    return Researched(item, row.id, Ending(row.ending), brief, transcript.rounds, transcript.tokens, row.model)


def limits_of(settings: Settings, priority: Priority = Priority.PERSON) -> Limits:
    given = settings.research
    return Limits(
        rounds=given.rounds, tokens=given.tokens, seconds=given.minutes * 60, context_tokens=given.context_tokens,
        call_seconds=settings.model.timeout_seconds, priority=priority,
    )  # fmt: skip
