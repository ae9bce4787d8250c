"""The stage in which a served model reads what the embedded policy shortlisted: rates, routes and summarizes it.

Each item's result and the note that it is done are one transaction, made as the item ends: a run killed anywhere asks
nothing again of what is done. Without a model the extractive summaries stand and the items wait. An item that was under
way when the server went away is suspected, and asked for alone, after all others; one that fails so in two runs is given
up on. Which items are read is `shortlist`'s, how one is read `reader`'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scout import adapters
from scout.clock import now
from scout.config import Settings
from scout.items import Decision, Item, ItemId
from scout.progress import SILENT, Progress
from scout.reading import policy as model_policy
from scout.reading.reader import ModelReader, Outcome, Told
from scout.reading.shortlist import shortlist
from scout.reading.spending import Budget, cost
from scout.reading.suspects import Suspects
from scout.serving.errors import ModelError, ModelFault
from scout.serving.side_by_side import side_by_side
from scout.store import Store
from scout.store.ledger import ENRICH, Key
from scout.store.readings import Reading
from scout.store.summaries import text_hash
from scout.triage import llm
from scout.triage.novelty import Shelf
from scout.triage.summarize import extractive

if TYPE_CHECKING:
    from scout.serving.client import ModelClient

log = logging.getLogger("scout")

SHELF = 300
"""What the reader was shown lately: so many items, the newest."""
PATIENCE = 3
"""Answers in a row that come too late, after which the model counts as away."""
COMEBACKS = 2
"""How often in a run a server that went away and is back is gone on with."""
_AWAY = (ModelFault.AWAY, ModelFault.SLOW)
"""Faults that an item may be the cause of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichReport:
    reader: str
    model: str = ""
    done: int = 0
    """Items that have an outcome now, those given up on among them."""
    waiting: int = 0
    """Shortlisted and not read yet."""
    suspected: int = 0
    """Of these, those that failed or were under way when the model did. They are asked for alone in the next run. A run that
    reached the model and leaves only such items is done: trying again sooner brings nothing."""
    points: int = 0
    dropped_points: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """`model_reader.Outcome` → items that ended so in this run."""
    faults: Mapping[str, int] = field(default_factory=dict)
    """`ModelFault` → how often it kept an item from being read."""
    stopped: ModelFault | None = None
    message: str = ""
    """What stopped it, for whoever must act."""

    @property
    def away(self) -> bool:
        """Whether items wait because the model could not be used."""
        return self.stopped is not None

    @property
    def misconfigured(self) -> bool:
        """Whether trying again later cannot help: the key or the model's name is wrong."""
        return self.stopped in (ModelFault.REFUSED, ModelFault.NO_MODEL)


def enrich(
    store: Store, settings: Settings, reader: str, *, readers: int = 1, run: str | None = None, progress: Progress = SILENT,
) -> EnrichReport:  # fmt: skip
    """Let the model read for `reader`, one of `readers` who share the run's budget. Nothing happens where no model is set."""
    if not settings.model.base_urls:
        return EnrichReport(reader=reader)
    budget = Budget(settings.model, readers=readers)
    chosen = shortlist(store, settings, reader, limit=budget.items)
    if not chosen and not store.ledger.waiting(reader):
        return EnrichReport(reader=reader)
    stage = _Stage(store, settings, reader, budget, run, progress)
    asyncio.run(stage.work(chosen))
    report = stage.report()
    log.info("enriched", extra={"reader": reader, "done": report.done, "waiting": report.waiting})
    return report


@dataclass(frozen=True, slots=True)
class _Todo:
    items: tuple[Item, ...]
    """In the order in which they are read."""
    decisions: Mapping[ItemId, Decision]
    """The embedded policy's."""
    shelf: Shelf
    shown: frozenset[ItemId]
    """Items that the reader was shown lately: these are summarized in whatever lane they end."""


class _Stage:
    """One reader's enrichment, while it runs."""

    def __init__(
        self, store: Store, settings: Settings, reader: str, budget: Budget, run: str | None, progress: Progress
    ) -> None:
        self.store, self.settings, self.reader, self.budget = store, settings, reader, budget
        self.run, self.progress = run, progress
        self.model = adapters.asked(store, settings, reader).name
        self.outcomes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.points = self.dropped = self.late = 0
        self.stopped: ModelError | None = None
        self.suspected = 0

    def report(self) -> EnrichReport:
        return EnrichReport(
            reader=self.reader, model=self.model, done=self.outcomes.total(),
            waiting=len(self.store.ledger.waiting(self.reader)), suspected=self.suspected,
            points=self.points, dropped_points=self.dropped,
            outcomes=dict(self.outcomes), faults=dict(self.faults),
            stopped=self.stopped.kind if self.stopped else None, message=self.stopped.message if self.stopped else "",
        )  # fmt: skip

    async def work(self, chosen: Sequence[ItemId]) -> None:
        """Read what is not read yet, several items at once, until done, out of budget or without a model."""
        from scout.serving.client import ModelClient

        here = (self.store, self.settings, self.reader)
        async with ModelClient(adapters.asked(*here)) as rater, ModelClient(adapters.beneath(*here)) as client:
            try:
                if adapter := self.store.adapters.serving(self.reader):
                    await adapters.ensure(rater, self.store, self.settings, adapter)
                self.model = await _served(rater)
                self.writer = await _served(client) if adapter else self.model
            except ModelError as err:
                self._stop(err)
                return
            self.policy = model_policy.serving(self.store, self.settings, self.reader, self.model)
            self.key = Key(
                stage=ENRICH,
                reader=self.reader,
                policy=llm.RECIPE,
                prompt_hash=self.policy.rubric.hash,
                model=self.model,
            )
            self.todo = self._todo(chosen)
            self.suspects = Suspects(self.store, self.key, self.todo.items, run=self.run)
            self.asked = ModelReader(
                client, self.policy, rater=rater, writer=self.writer, entailment=self.settings.model.entailment
            )
            self.progress.stage(f"read for {self.reader}", len(self.todo.items))
            await self._together([item for item in self.todo.items if item.id not in self.suspects])
            await self._alone(self.suspects.in_turn())
            self.suspected = len(self.suspects)

    def _todo(self, chosen: Sequence[ItemId]) -> _Todo:
        """What of the shortlist this model has not read in its present text, and whatever waits from earlier digests."""
        store, policy = self.store, self.policy
        items = store.items.many(list(dict.fromkeys([*chosen, *store.ledger.waiting(self.reader)])))
        done = store.ledger.done(self.key, items)
        read = store.readings.of(self.reader, done)
        left = [
            item for id, item in items.items() if id not in done or (id in read and read[id].text_hash != text_hash(item))
        ]  # fmt: skip
        order = {id: place for place, id in enumerate(chosen)}
        left.sort(key=lambda item: order.get(item.id, len(order)))
        known = store.decisions.of(self.reader, [item.id for item in left])
        fresh = [item for item in left if item.id not in known or known[item.id].policy.startswith(f"{llm.RECIPE}:")]
        known |= {decision.item_id: decision for decision in policy.embedded.decide(fresh)}
        blocked = [item.id for item in left if llm.is_blocked(known[item.id])]  # by a rule newer than the shortlist
        store.ledger.mark(self.key, blocked, now(), run=self.run)
        wanted = tuple(item for item in left if item.id not in blocked)
        shown = [impression.item_id for impression in store.digests.impressions(self.reader)][-SHELF:]
        shelf = Shelf(list(store.items.many(shown).values()))
        return _Todo(wanted, known, shelf, frozenset(shown))

    async def _together(self, items: Sequence[Item]) -> None:
        """Read them side by side; on with what is left where the server went away and is back."""
        queue = iter(items)
        workers = min(self.settings.model.concurrency, len(items))
        for _ in range(COMEBACKS + 1):
            await side_by_side(self._work(queue) for _ in range(workers))
            if self.stopped is None or self.stopped.kind is not ModelFault.AWAY or await self.asked.fault() is not None:
                return
            self.stopped = None

    async def _work(self, queue: Iterator[Item]) -> None:
        while self.stopped is None and (item := next(queue, None)) is not None:
            if not self._afford(item):
                return
            try:
                self._write(item, await self._read(item))
                self.late = 0
            except ModelError as err:
                self._fault(err, item)

    async def _alone(self, items: Iterable[Item]) -> None:
        """Read the suspects with nothing else under way, the server having answered just before: a fault is the item's then.

        An answer that comes too late is so only where the model has read something in time.
        """
        late: list[tuple[Item, ModelError]] = []
        for item in items:
            if self.stopped is None and (away := await self.asked.fault()):
                self._stop(away)
            if self.stopped is not None or not self._afford(item):
                break
            try:
                self._write(item, await self._read(item))
            except ModelError as err:
                self.faults[err.kind] += 1
                if err.kind not in _AWAY:
                    self._stop(err)
                elif err.kind is ModelFault.SLOW and not self.outcomes:
                    late.append((item, err))
                else:
                    self._blame(item, err)
        if self.outcomes or (len(late) < PATIENCE and self.store.ledger.knows(self.key)):
            for item, fault in late:
                self._blame(item, fault)

    def _afford(self, item: Item) -> bool:
        return self.budget.take(cost(self.policy.rubric, item, self.todo.shelf.nearness(item)))

    async def _read(self, item: Item) -> Told:
        return await self.asked.read(
            item, self.todo.decisions[item.id], self.todo.shelf.nearness(item), tldr=extractive([item])[0].tldr,
            always=item.id in self.todo.shown,
        )  # fmt: skip

    def _fault(self, err: ModelError, item: Item) -> None:
        """The item waits. One late answer is the item's own; several in a row, or anything else, are the model's."""
        self.faults[err.kind] += 1
        log.warning("not read", extra={"item": item.id, "outcome": str(err.kind), "error": err.message})
        self.late += err.kind is ModelFault.SLOW
        if err.kind in _AWAY:
            self.suspects.suspect(item, err.message)
        if err.kind is not ModelFault.SLOW or self.late >= PATIENCE:
            self._stop(err)

    def _blame(self, item: Item, err: ModelError) -> None:
        """One failure more of the item's own; with the last it is given up on."""
        if given_up := self.suspects.blame(item, err.message):
            self._write(item, Told(outcome=Outcome.FAILED, message=given_up))

    def _stop(self, err: ModelError) -> None:
        self.stopped = self.stopped or err

    def _write(self, item: Item, told: Told) -> None:
        """The item's result and the note that it is done, in one transaction."""
        store, at = self.store, now()
        reading = Reading(
            item_id=item.id, reader=self.reader, model=self.model, policy=self.policy.version, outcome=told.outcome,
            message=told.message, embedded=self.todo.decisions[item.id].probability, rating=told.rating,
            points=told.points, dropped=told.dropped, new=told.new, why_it_matters=told.why_it_matters,
            text_hash=text_hash(item),
        )  # fmt: skip
        with store.writing():
            if told.decision is not None:
                store.decisions.write([told.decision], at, run=self.run)
            if told.summary is not None:
                store.summaries.write([(item, told.summary)], at)
            else:
                store.summaries.drop_stale(item, by=self.writer)
            store.readings.write(reading, at, run=self.run)
            self.suspects.clear(item)
            store.ledger.mark(self.key, [item.id], at, run=self.run)
        self.outcomes[told.outcome] += 1
        self.points += told.points
        self.dropped += sum(told.dropped.values())
        self.progress.step()


async def _served(client: ModelClient) -> str:
    """The model's name, of a server that answers: nothing is under way yet that could be the reason if it does not.

    Raises:
        ModelError: it does not.
    """
    try:
        await client.models()
    except ModelError as err:
        if err.kind.passes or err.kind is ModelFault.REFUSED:
            raise  # else it has no list of models, which says nothing
    return await client.model_name()
