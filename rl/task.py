"""What is trained on: prompts as serving renders them, and what each answer to them is worth.

`Task` is what the loop knows. `Triage` is what scout asks of a model for a reader: to rate an item, to route it, to summarize it.
Prompts, labels and parsers are serving's own (`scout.triage`), so the token that is rewarded here is the one whose probability is
read there, and a summary is worth what serving would keep of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from rl.rewards import Answer, Label, Reward, Weights, reward
from rl.variants import Which, varied
from scout.items import Item
from scout.serving.messages import Message
from scout.triage.grounding import check, check_tldr, first_sentence
from scout.triage.novelty import Nearness
from scout.triage.policy import Profile
from scout.triage.prompting import (
    LABEL_CHARS,
    RATING_LABELS,
    SUMMARY_CHARS,
    BadReply,
    parse_summary,
    rate_messages,
    route_messages,
    rubric,
    shown,
    summary_messages,
)


class Part(StrEnum):
    """What an example asks for."""

    RATING = "rating"
    SUBJECT = "subject"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Asked:
    """What parsing an answer takes."""

    part: Part = Part.RATING
    letters: Mapping[str, str] = field(default_factory=dict)
    """Subject letter → slug, of the reader's rubric."""
    title: str = ""
    sentences: tuple[str, ...] = ()
    """Those shown, which a summary may cite."""
    owner_words: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    id: str
    prompt: tuple[int, ...]
    """Token ids, the chat template applied."""
    source: str
    """The text it is about, for the monitors."""
    label: Label
    asked: Asked = Asked()


class Task(Protocol):
    @property
    def examples(self) -> Sequence[Example]:
        """Those that training sees."""

    @property
    def held_out(self) -> Sequence[Example]:
        """Those it never sees; the alarm for reward hacking scores them."""

    def worth(self, example: Example, answer: str) -> Reward:
        """What an answer's text is worth, by serving's own parser."""


@dataclass(frozen=True, slots=True)
class Triage:
    """Rating, routing and summarizing items for one reader or several: each example brings its reader's prompt and word."""

    examples: tuple[Example, ...]
    held_out: tuple[Example, ...]
    weights: Weights | None = None

    def worth(self, example: Example, answer: str) -> Reward:
        return reward(parsed(answer, example.asked), example.label, self.weights)


def parsed(answer: str, asked: Asked) -> Answer:
    """The answer as serving reads it."""
    wanted = frozenset({str(asked.part)})
    if asked.part is Part.RATING:
        return Answer(wanted, rating=rating(answer))
    if asked.part is Part.SUBJECT:
        return Answer(wanted, subject=asked.letters.get(answer.strip()))
    try:
        draft = parse_summary(answer)
    except BadReply:
        return Answer(wanted)
    found = [
        check(draft.points, asked.sentences), check([draft.new] if draft.new else [], asked.sentences),
        check([draft.why_it_matters] if draft.why_it_matters else [], asked.sentences, also=asked.owner_words),
    ]  # fmt: skip
    kept = sum(len(each.kept) for each in found)
    lost = sum(len(each.dropped) for each in found)
    told = first_sentence(draft.tldr)
    if check_tldr(told, asked.title, asked.sentences) is None:
        kept += 1
    else:
        lost += 1
    return Answer(wanted, supported=kept / (kept + lost), tldr_words=len(told.split()))


def rating(answer: str) -> str | None:
    """The rating that a text is; None where it is none."""
    said = answer.strip()
    return said if said in RATING_LABELS else None


class Render(Protocol):
    """Messages to token ids as the server renders them, with the beginning of the answer where it is written for the model."""

    def __call__(self, messages: Sequence[Message], start: str = "", /) -> Sequence[int]: ...


def rating_examples(
    profile: Profile, labelled: Sequence[tuple[Item, Label]], render: Render, *,
    standings: Mapping[str, float] | None = None, chars: int = LABEL_CHARS, which: Which = Which.PLAIN,
) -> tuple[Example, ...]:  # fmt: skip
    """Items with a reader's word on each, as examples. Of two words on one item the later one counts.

    Args:
        render: messages to token ids, as the server renders them (`rendering`).
        standings: by item id the share of thumbed items that the embedded policy puts below it, where the model is to be told.
            Of items that policy was fitted to they must be out of fold.
        chars: how much of a text is shown; serving shows `LABEL_CHARS`.
        which: prompts as served, or varied.
    """
    asked, told = rubric(profile), standings or {}
    latest = {item.id: (item, label) for item, label in labelled if label.up is not None}
    return tuple(
        _example(item, label, rate_messages(asked, shown(item, limit=chars), standing=told.get(item.id)), render, which)
        for item, label in latest.values()
    )


def subject_examples(
    profile: Profile, items: Sequence[Item], render: Render, *, chars: int = LABEL_CHARS, which: Which = Which.PLAIN
) -> tuple[Example, ...]:
    """Items whose subject the reader has corrected, to be routed; those whose slug the rubric cannot say are left out."""
    rules = rubric(profile)
    asked = Asked(Part.SUBJECT, letters=rules.labels)
    slugs = set(rules.labels.values())
    return tuple(
        _example(item, Label(subject=slug), route_messages(rules, shown(item, limit=chars)), render, which, asked)
        for item in items
        if (slug := profile.corrections.get(item.id)) in slugs
    )


def summary_examples(profile: Profile, items: Sequence[Item], render: Render) -> tuple[Example, ...]:
    """Items to be summarized. What is rewarded needs no word of the reader: support, brevity, form."""
    rules = rubric(profile)
    found = []
    for item in items:
        text = shown(item, limit=SUMMARY_CHARS)
        asked = Asked(Part.SUMMARY, title=item.title, sentences=text.sentences, owner_words=rules.owner_words)
        found.append(_example(item, Label(), summary_messages(rules, text, Nearness()), render, Which.PLAIN, asked))
    return tuple(found)


def for_readers(readers: Mapping[str, Sequence[Example]]) -> tuple[Example, ...]:
    """Examples of several readers side by side. Who disagree are both right, each under their own prompt."""
    return tuple(
        replace(example, id=f"{reader}/{example.id}") for reader, examples in readers.items() for example in examples
    )


def rendering(tokenizer: Any) -> Render:
    """Renders messages by a transformers tokenizer's chat template, as vLLM does."""

    def render(messages: Sequence[Message], start: str = "", /) -> Sequence[int]:
        told = [{"role": str(message.role), "content": message.content} for message in messages]
        ids: Sequence[int] = tokenizer.apply_chat_template(told, add_generation_prompt=True, return_dict=False)
        return [*ids, *tokenizer.encode(start, add_special_tokens=False)] if start else ids

    return render


def _example(
    item: Item, label: Label, messages: Sequence[Message], render: Render, which: Which, asked: Asked | None = None
) -> Example:
    other = varied(messages, item.id, which)
    ids = render(other.messages, other.start) if other.start else render(other.messages)
    return Example(item.id, tuple(ids), item.text, label, asked or Asked())
