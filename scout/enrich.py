"""The stage in which a served model reads what the embedded policy shortlisted: rates, routes and summarizes it.

Which items: the read lane, then the unsure one, then the likeliest of the rest, `items_per_run` of them a digest, written
down once so that a later run goes on with the same ones. Each item's result and the note that it is done are one
transaction, made as the item ends: a run killed anywhere asks nothing again of what is done. Without a model the
extractive summaries stand and the items wait. How one item is read is `model_reader`'s.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scout import policies
from scout.clock import now, today
from scout.config import Model, Settings
from scout.digest.build import window
from scout.items import Decision, Item, ItemId, Lane
from scout.model_reader import ModelReader, Told
from scout.progress import SILENT, Progress
from scout.readers import profile
from scout.serving.errors import ModelError, ModelFault
from scout.store import Store
from scout.store.ledger import ENRICH, SHORTLIST, Key
from scout.store.readings import Reading
from scout.store.summaries import text_hash
from scout.triage import llm, prompting
from scout.triage.lanes import Thresholds
from scout.triage.novelty import Nearness, Shelf
from scout.triage.summarize import extractive

log = logging.getLogger("scout")

SHELF = 300
"""What the reader was shown lately: so many items, the newest."""
PATIENCE = 3
"""Answers in a row that come too late, after which the model counts as away."""
_LANES = {Lane.READ: 0, Lane.UNSURE: 1, Lane.SKIP: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichReport:
    reader: str
    model: str = ""
    done: int = 0
    waiting: int = 0
    """Shortlisted and not read yet."""
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


class Budget:
    """Tokens, as estimated, and minutes that one reader's enrichment may take."""

    def __init__(self, settings: Model, *, readers: int = 1) -> None:
        self.items = settings.items_per_run // readers
        self._tokens = settings.tokens_per_run / readers
        self._ends = time.monotonic() + settings.minutes_per_run * 60 / readers

    def take(self, tokens: int) -> bool:
        """Whether there is time and room for so many more; if so, they are taken."""
        if tokens > self._tokens or time.monotonic() >= self._ends:
            return False
        self._tokens -= tokens
        return True


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
    stage = _Stage(store, settings, reader, budget, chosen, run, progress)
    asyncio.run(stage.work())
    report = stage.report()
    log.info("enriched", extra={"reader": reader, "done": report.done, "waiting": report.waiting})
    return report


def shortlist(store: Store, settings: Settings, reader: str, *, limit: int) -> list[ItemId]:
    """The items of the next digest that a model shall read, best first; chosen once, and filled up to `limit`."""
    after = store.digests.last_cutoff(reader, before=today(settings))
    arrived = [stored.item.id for stored in store.items.arrived(after, window(today(settings), settings)[0])]
    decisions = store.decisions.of(reader, arrived)
    key = Key(stage=SHORTLIST, reader=reader)
    chosen = store.ledger.done(key, arrived)
    hidden = store.feedback.hidden(reader)

    def place(id: ItemId) -> tuple[int, float, ItemId]:
        return _LANES[decisions[id].lane], -decisions[id].probability, id

    free = [
        id for id in decisions if id not in chosen and id not in hidden and not llm.is_blocked(decisions[id])
    ]  # fmt: skip
    added = sorted(free, key=place)[: max(0, limit - len(chosen))]
    store.ledger.mark(key, added, now())
    return sorted([*(id for id in chosen if id in decisions), *added], key=place)


class _Stage:
    """One reader's enrichment, while it runs."""

    def __init__(
        self, store: Store, settings: Settings, reader: str, budget: Budget, chosen: Sequence[ItemId], run: str | None,
        progress: Progress,
    ) -> None:  # fmt: skip
        self.store, self.settings, self.reader, self.budget = store, settings, reader, budget
        self.chosen, self.run, self.progress = chosen, run, progress
        self.model = settings.model.name
        self.outcomes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.points = self.dropped = self.late = 0
        self.stopped: ModelError | None = None

    def report(self) -> EnrichReport:
        return EnrichReport(
            reader=self.reader, model=self.model, done=self.outcomes.total(),
            waiting=len(self.store.ledger.waiting(self.reader)), points=self.points, dropped_points=self.dropped,
            outcomes=dict(self.outcomes), faults=dict(self.faults),
            stopped=self.stopped.kind if self.stopped else None, message=self.stopped.message if self.stopped else "",
        )  # fmt: skip

    async def work(self) -> None:
        """Read what is not read yet, several items at once, until done, out of budget or without a model."""
        from scout.serving.client import ModelClient

        async with ModelClient(self.settings.model) as client:
            try:
                self.model = await client.model_name()
            except ModelError as err:
                self._stop(err)
                return
            policy = self._policy()
            todo = self._todo(policy)
            self.progress.stage(f"read for {self.reader}", len(todo.items))
            reader = ModelReader(client, policy, entailment=self.settings.model.entailment)
            queue = iter(todo.items)
            workers = min(self.settings.model.concurrency, len(todo.items))
            await asyncio.gather(*(self._work(reader, policy, todo, queue) for _ in range(workers)))

    def _policy(self) -> llm.LlmPolicy:
        embedded = policies.serving(self.store, self.settings, self.reader)
        past = [llm.Rated(*row) for row in self.store.readings.rated(self.reader, self.model)]
        return llm.LlmPolicy(
            embedded=embedded,
            rubric=prompting.rubric(profile(self.store, self.settings, self.reader)),
            model=self.model,
            thresholds=_thresholds(self.store, self.reader),
            weight=llm.weigh(past),
        )

    def _key(self, policy: llm.LlmPolicy) -> Key:
        return Key(
            stage=ENRICH, reader=self.reader, policy=llm.RECIPE, prompt_hash=policy.rubric.hash, model=self.model
        )

    def _todo(self, policy: llm.LlmPolicy) -> _Todo:
        """What of the shortlist this model has not read in its present text, and whatever waits from earlier digests."""
        store = self.store
        items = store.items.many(list(dict.fromkeys([*self.chosen, *store.ledger.waiting(self.reader)])))
        done = store.ledger.done(self._key(policy), items)
        read = store.readings.of(self.reader, done)
        left = [
            item for id, item in items.items() if id not in done or (id in read and read[id].text_hash != text_hash(item))
        ]  # fmt: skip
        order = {id: place for place, id in enumerate(self.chosen)}
        left.sort(key=lambda item: order.get(item.id, len(order)))
        known = store.decisions.of(self.reader, [item.id for item in left])
        fresh = [item for item in left if item.id not in known or known[item.id].policy.startswith(f"{llm.RECIPE}:")]
        known |= {decision.item_id: decision for decision in policy.embedded.decide(fresh)}
        blocked = [
            item.id for item in left if llm.is_blocked(known[item.id])
        ]  # by a rule that is newer than the shortlist
        store.ledger.mark(self._key(policy), blocked, now(), run=self.run)
        wanted = tuple(item for item in left if item.id not in blocked)
        shown = [impression.item_id for impression in store.digests.impressions(self.reader)][-SHELF:]
        return _Todo(wanted, known, Shelf(list(store.items.many(shown).values())), frozenset(shown))

    async def _work(self, reader: ModelReader, policy: llm.LlmPolicy, todo: _Todo, queue: Iterator[Item]) -> None:
        while self.stopped is None and (item := next(queue, None)) is not None:
            near = todo.shelf.nearness(item)
            if not self.budget.take(_cost(policy, item, near)):
                return
            decision = todo.decisions[item.id]
            try:
                told = await reader.read(
                    item, decision, near, tldr=extractive([item])[0].tldr, always=item.id in todo.shown
                )
            except ModelError as err:
                self._fault(err, item)
                continue
            self.late = 0
            self._write(policy, item, decision, told)
            self.progress.step()

    def _fault(self, err: ModelError, item: Item) -> None:
        """The item waits. One late answer is the item's own; several in a row, or anything else, are the model's."""
        self.faults[err.kind] += 1
        log.warning("not read", extra={"item": item.id, "outcome": str(err.kind), "error": err.message})
        self.late += err.kind is ModelFault.SLOW
        if err.kind is not ModelFault.SLOW or self.late >= PATIENCE:
            self._stop(err)

    def _stop(self, err: ModelError) -> None:
        self.stopped = self.stopped or err

    def _write(self, policy: llm.LlmPolicy, item: Item, decision: Decision, told: Told) -> None:
        """The item's result and the note that it is done, in one transaction."""
        store, at = self.store, now()
        reading = Reading(
            item_id=item.id, reader=self.reader, model=self.model, policy=policy.version, outcome=told.outcome,
            message=told.message, embedded=decision.probability, rating=told.rating, points=told.points,
            dropped=told.dropped, new=told.new, why_it_matters=told.why_it_matters, text_hash=text_hash(item),
        )  # fmt: skip
        with store.writing():
            if told.decision is not None:
                store.decisions.write([told.decision], at, run=self.run)
            if told.summary is not None:
                store.summaries.write([(item, told.summary)], at)
            else:
                store.summaries.drop_stale(item, by=self.model)
            store.readings.write(reading, at, run=self.run)
            store.ledger.mark(self._key(policy), [item.id], at, run=self.run)
        self.outcomes[told.outcome] += 1
        self.points += told.points
        self.dropped += sum(told.dropped.values())


@dataclass(frozen=True, slots=True)
class _Todo:
    items: tuple[Item, ...]
    """In the order in which they are read."""
    decisions: Mapping[ItemId, Decision]
    """The embedded policy's."""
    shelf: Shelf
    shown: frozenset[ItemId]
    """Items that the reader was shown lately: these are summarized in whatever lane they end."""


def _thresholds(store: Store, reader: str) -> Thresholds:
    """Those of the policy that serves."""
    champion = store.policies.champion(reader)
    assert champion is not None, "policies.serving has crowned one"
    told = champion.facts["thresholds"]
    return Thresholds(told["read"], told["unsure"])


def _cost(policy: llm.LlmPolicy, item: Item, near: Nearness) -> int:
    """Tokens that reading the item takes at the most, but for a repair."""
    short = prompting.shown(item, limit=prompting.LABEL_CHARS)
    long = prompting.shown(item, limit=prompting.SUMMARY_CHARS)
    asked = (
        prompting.route_messages(policy.rubric, short),
        prompting.rate_messages(policy.rubric, short),
        prompting.summary_messages(policy.rubric, long, near),
    )
    return sum(map(prompting.estimated_tokens, asked)) + prompting.ANSWER_TOKENS
