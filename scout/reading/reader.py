"""A model reads one item for one reader: routes it, rates it, and writes a summary of which only what is grounded stays.

An adapter was trained to rate, so it rates and nothing else: routing and writing are left to the model beneath it.

What to read, and what becomes of it, is `enrich`'s. A fault of one answer ends in an outcome here; a fault of the endpoint
(away, busy, wrong key) is raised, for it is not about this item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from scout.items import Decision, Item, Lane, Point, Summary
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Message, Priority, Role
from scout.serving.side_by_side import side_by_side
from scout.store import readings
from scout.triage import prompting
from scout.triage.grounding import Dropped, Fault, Grounded, Unsupported, check, check_tldr, first_sentence
from scout.triage.llm import LlmPolicy, rating_of
from scout.triage.novelty import Nearness
from scout.triage.prompting import BadReply, Draft, Rubric, Shown

if TYPE_CHECKING:
    from scout.serving.client import ModelClient

LIMITS = (prompting.SUMMARY_CHARS, prompting.LABEL_CHARS, 1_500)
"""Characters of text shown, and shown again where that does not fit the model's context."""
MOST_POINTS = 5
ENTAILED = 0.5

_SMALLEST = (Message(Role.USER, "Answer with yes."),)
_ABOUT_THE_ANSWER = frozenset({ModelFault.BAD_REPLY, ModelFault.CUT, ModelFault.REJECTED, ModelFault.TOO_LONG})


class Outcome(StrEnum):
    """How reading an item ended. Every item that was read has exactly one; the others wait."""

    SUMMARIZED = "summarized"
    REPAIRED = "repaired"
    """Summarized, the first answer being unusable."""
    NOT_WANTED = "not-wanted"
    """Rated into the skip lane, and so not summarized."""
    NOTHING_TO_READ = "nothing-to-read"
    """No text, or formulas only: rated by its title."""
    UNGROUNDED = "ungrounded"
    """A summary was written, and no point of it stands in the text; the extractive one stands."""
    UNREADABLE = "unreadable"
    """No usable answer, not even after one repair, or no rating where only that was asked; the extractive summary stands."""
    TOO_LONG = "too-long"
    """Not even a short cut of it fits the model's context."""
    REJECTED = "rejected"
    """The endpoint does not take such requests."""
    FAILED = readings.FAILED
    """Asked for alone, it kept the server from answering in several runs: given up on, the extractive summary stands."""


_ENDS = {ModelFault.TOO_LONG: Outcome.TOO_LONG, ModelFault.REJECTED: Outcome.REJECTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a model made of an item."""

    outcome: Outcome
    message: str = ""
    decision: Decision | None = None
    """Moved by the rating; None where there is no rating."""
    rating: float | None = None
    summary: Summary | None = None
    points: int = 0
    """Sentences that the model wrote: TLDR, points, what is new, why it matters."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    new: Point | None = None
    why_it_matters: Point | None = None


@dataclass(frozen=True, slots=True)
class Rated:
    """A decision that the model moved, and its rating; both None where it gave none."""

    decision: Decision | None = None
    rating: float | None = None


class ModelReader:
    """
    Args:
        client: who routes and writes.
        rater: who rates; the same unless given.
        writer: what `client` is called in summaries; the policy's model unless given.
        entailment: whether it is asked of each point if its sentences say so.
    """

    def __init__(
        self, client: ModelClient, policy: LlmPolicy, *, rater: ModelClient | None = None, writer: str = "", entailment: bool
    ) -> None:  # fmt: skip
        self._client, self._policy, self._entailment = client, policy, entailment
        self._rater, self._writer = rater or client, writer or policy.model
        self._rubric = policy.rubric

    async def fault(self) -> ModelError | None:
        """What keeps the model from answering the smallest request; None where nothing does."""
        try:
            await self._client.chat(_SMALLEST, max_tokens=1, priority=Priority.BATCH, cut_is_fault=False)
        except ModelError as err:
            return None if err.kind in _ABOUT_THE_ANSWER else err
        return None

    async def read(self, item: Item, decision: Decision, near: Nearness, *, tldr: str, always: bool = False) -> Told:
        """What the model makes of the item. `decision` is the embedded policy's, `tldr` the sentence to fall back on.

        With `always` the item is summarized in whatever lane it ends.

        Raises:
            ModelError: the endpoint cannot be used now, or not at all; nothing is known of the item then.
        """
        rated = await self.rate(item, decision)
        note = "" if rated.decision else "it gave no rating"
        if (rated.decision or decision).lane is Lane.SKIP and not always:
            outcome = Outcome.NOT_WANTED if rated.decision else Outcome.UNREADABLE
            return Told(outcome=outcome, message=note, decision=rated.decision, rating=rated.rating)
        told = await self.summarize(item, near, tldr)
        message = "; ".join(filter(None, (note, told.message)))
        return Told(
            outcome=told.outcome, message=message, decision=rated.decision, rating=rated.rating, summary=told.summary,
            points=told.points, dropped=told.dropped, new=told.new, why_it_matters=told.why_it_matters,
        )  # fmt: skip

    async def rate(self, item: Item, decision: Decision) -> Rated:
        """`decision`, the embedded policy's, as the model's routing and rating of the item move it; nothing is summarized.

        Raises:
            ModelError: as `read`.
        """
        routed, rated = await side_by_side(
            (
                self._label(self._client, item, prompting.route_messages, tuple(self._rubric.labels)),
                self._label(self._rater, item, prompting.rate_messages, prompting.RATING_LABELS),
            )
        )
        return Rated(self._policy.judge(decision, routed, rated), rating_of(rated)) if rated else Rated()

    async def _label(
        self, client: ModelClient, item: Item, ask: Callable[[Rubric, Shown], list[Message]], labels: Sequence[str]
    ) -> dict[str, float]:
        """The distribution over the labels; empty where the model gives none."""
        for limit in LIMITS[1:]:
            try:
                messages = ask(self._rubric, prompting.shown(item, limit=limit))
                return await client.label(messages, labels, priority=Priority.BATCH)
            except ModelError as err:
                if err.kind not in _ABOUT_THE_ANSWER:
                    raise
                if err.kind is not ModelFault.TOO_LONG:
                    break
        return {}

    async def summarize(self, item: Item, near: Nearness, tldr: str) -> Told:
        """A summary of the item alone, without routing or rating it.

        Raises:
            ModelError: as `read`.
        """
        for limit in LIMITS:
            text = prompting.shown(item, limit=limit)
            if not prompting.is_readable(text):
                return Told(outcome=Outcome.NOTHING_TO_READ)
            try:
                draft, outcome = await self._draft(prompting.summary_messages(self._rubric, text, near))
                return await self._checked(item, text, draft, tldr, outcome)
            except BadReply as err:
                return Told(outcome=Outcome.UNREADABLE, message=str(err))
            except ModelError as err:
                if err.kind not in _ABOUT_THE_ANSWER:
                    raise
                if err.kind is not ModelFault.TOO_LONG or limit == LIMITS[-1]:
                    return Told(outcome=_ENDS.get(err.kind, Outcome.UNREADABLE), message=err.message)
        raise AssertionError("unreachable: the last limit returns or raises")

    async def _draft(self, messages: Sequence[Message]) -> tuple[Draft, Outcome]:
        """A well-formed summary: the first answer, or the one after the error was told.

        Raises:
            BadReply: neither is one.
            ModelError: no answer to the first or the second.
        """
        reply = await self._answer(messages)
        try:
            return prompting.parse_summary(reply), Outcome.SUMMARIZED
        except BadReply as err:
            again = await self._answer(prompting.repair_messages(messages, reply, str(err)))
            return prompting.parse_summary(again), Outcome.REPAIRED

    async def _answer(self, messages: Sequence[Message]) -> str:
        """The model's text; what there is of it where it was cut off, which the parser then finds wanting."""
        try:
            reply = await self._client.chat(
                messages, max_tokens=prompting.ANSWER_TOKENS, schema=prompting.SUMMARY_SCHEMA, priority=Priority.BATCH
            )
        except ModelError as err:
            if err.kind is not ModelFault.CUT or err.reply is None:
                raise
            reply = err.reply
        return reply.text

    async def _checked(self, item: Item, text: Shown, draft: Draft, tldr: str, outcome: Outcome) -> Told:
        """What of the draft the item's own sentences support."""
        found = await self._entailed(check(draft.points[:MOST_POINTS], text.sentences), text)
        extras: list[Point | None] = []
        dropped = list(found.dropped)
        for extra, also in ((draft.new, ""), (draft.why_it_matters, self._rubric.owner_words)):
            one = check([extra] if extra else [], text.sentences, also=also)
            extras.append(one.kept[0] if one.kept else None)
            dropped += one.dropped
        said = first_sentence(draft.tldr)
        if fault := check_tldr(said, item.title, text.sentences):
            dropped.append(Dropped(Point(said, ()), fault))
            said = found.kept[0].text if found.kept else tldr
        wrote = (
            1 + len(draft.points[:MOST_POINTS]) + sum(extra is not None for extra in (draft.new, draft.why_it_matters))
        )
        summary = Summary(item.id, said, found.kept, self._writer) if found.kept else None
        return Told(
            outcome=outcome if summary else Outcome.UNGROUNDED, summary=summary, points=wrote,
            dropped=Grounded((), tuple(dropped)).by_reason, new=extras[0], why_it_matters=extras[1],
        )  # fmt: skip

    async def _entailed(self, found: Grounded, text: Shown) -> Grounded:
        """The same without the points of which the model, asked, says that their sentences do not say so."""
        if not self._entailment or not found.kept:
            return found
        asked = [
            prompting.entail_messages(self._rubric, point.text, [text.sentences[n - 1] for n in point.cites])
            for point in found.kept
        ]
        said = await side_by_side(
            self._client.label(messages, prompting.ENTAILMENT_LABELS, priority=Priority.BATCH) for messages in asked
        )
        judged = list(zip(found.kept, (each["Y"] >= ENTAILED for each in said), strict=True))
        denied = [Dropped(point, Fault(Unsupported.ENTAILMENT)) for point, follows in judged if not follows]
        return Grounded(tuple(point for point, follows in judged if follows), (*found.dropped, *denied))
