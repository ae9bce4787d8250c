"""Prompts varied in what must not matter, so that a policy learns the reader's taste and not one wording of the question.

System prompt, phrasing and template are those of `evals.perturb`; the form of the answer is varied here, by beginning the answer
for the model so that its next token still is the label. Of each kind the last way is never trained on: it is held out, to see
whether what was learned holds in words that training never used.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from evals.perturb import PERTURBATIONS
from scout.serving.messages import Message, Role

T = TypeVar("T")

FORM = "form"
KINDS = ("system-prompt", "phrasing", "template", FORM)
PLAIN_SHARE = 0.4
"""Of the prompts that are trained on, so many stay as they are served."""
_FORMS = (
    ('Answer with a JSON object: {"answer":"…"}', '{"answer":"'),
    ("Put your answer between <answer> and </answer>.", "<answer>"),
    ("Answer in the form ANSWER=…", "ANSWER="),
)


class Which(StrEnum):
    PLAIN = "plain"
    """As served."""
    TRAINED = "trained"
    HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class Varied:
    messages: tuple[Message, ...]
    start: str = ""
    """How the answer begins, written for the model."""
    kind: str = "plain"


def varied(messages: Sequence[Message], id: str, which: Which) -> Varied:
    """The prompt in other words: an item's own draw, the same in every process."""
    if which is Which.PLAIN:
        return Varied(tuple(messages))
    own = random.Random(f"variant {id}")  # noqa: S311  no secret
    if which is Which.TRAINED and own.random() < PLAIN_SHARE:
        return Varied(tuple(messages))
    kind = own.choice(KINDS)
    draw = _Draw(which, f"{kind} {id}")
    if kind != FORM:
        return Varied(PERTURBATIONS[kind].messages(tuple(messages), (), draw), kind=kind)
    how, start = draw.choice(_FORMS)
    *before, last = messages
    if last.role is not Role.USER:
        raise ValueError("a prompt whose last message is not the user's cannot be asked for another form")
    return Varied((*before, replace(last, content=f"{last.content}\n{how}")), start, kind)


class _Draw(random.Random):
    """Chooses among the ways that are trained on, or takes the one that is held out."""

    def __init__(self, which: Which, seed: str) -> None:
        super().__init__(seed)
        self._which = which

    def choice(self, seq: Any) -> Any:
        return seq[-1] if self._which is Which.HELD_OUT else super().choice(seq[:-1])
