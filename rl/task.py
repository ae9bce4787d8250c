"""What is trained on: prompts as serving renders them, and what each answer to them is worth.

`Task` is what the loop knows. `Triage` is rating items for a reader: prompt and labels are serving's own (`scout.triage.
prompting`), so the token that is rewarded here is the one whose probability is read there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rl.rewards import Answer, Label, Reward, reward
from scout.items import Item
from scout.serving.messages import Message
from scout.triage.policy import Profile
from scout.triage.prompting import LABEL_CHARS, RATING_LABELS, rate_messages, rubric, shown


@dataclass(frozen=True, slots=True)
class Example:
    id: str
    prompt: tuple[int, ...]
    """Token ids, the chat template applied."""
    source: str
    """The text it is about, for the monitors."""
    label: Label


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
    """Rating items for one reader, one token an answer."""

    examples: tuple[Example, ...]
    held_out: tuple[Example, ...]

    def worth(self, example: Example, answer: str) -> Reward:
        return reward(Answer(frozenset({"rating"}), rating=rating(answer)), example.label)


def rating(answer: str) -> str | None:
    """The rating that a text is; None where it is none."""
    said = answer.strip()
    return said if said in RATING_LABELS else None


def rating_examples(
    profile: Profile, labelled: Sequence[tuple[Item, Label]], render: Callable[[Sequence[Message]], Sequence[int]],
    *, estimates: Mapping[str, float] | None = None, chars: int = LABEL_CHARS,
) -> tuple[Example, ...]:  # fmt: skip
    """Items with a reader's word on each, as examples. Of two words on one item the later one counts.

    Args:
        render: messages to token ids, as the server renders them (`rendering`).
        estimates: the embedded policy's probability by item id, where the model is to be told it. Of items that policy was
            fitted to it must be out of fold.
        chars: how much of a text is shown; serving shows `LABEL_CHARS`.
    """
    asked, told = rubric(profile), estimates or {}
    latest = {item.id: (item, label) for item, label in labelled if label.up is not None}
    return tuple(
        Example(
            item.id,
            tuple(render(rate_messages(asked, shown(item, limit=chars), estimate=told.get(item.id)))),
            item.text,
            label,
        )
        for item, label in latest.values()
    )


def rendering(tokenizer: Any) -> Callable[[Sequence[Message]], Sequence[int]]:
    """Renders messages by a transformers tokenizer's chat template, as vLLM does."""

    def render(messages: Sequence[Message]) -> Sequence[int]:
        told = [{"role": str(message.role), "content": message.content} for message in messages]
        ids: Sequence[int] = tokenizer.apply_chat_template(told, add_generation_prompt=True, return_dict=False)
        return ids

    return render
