"""What reading may cost a run: tokens, estimated before they are spent, and minutes."""

from __future__ import annotations

import time

from scout.config import Model
from scout.items import Item
from scout.triage import prompting
from scout.triage.novelty import Nearness


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


def cost(rubric: prompting.Rubric, item: Item, near: Nearness) -> int:
    """Tokens that reading the item takes at the most, but for a repair."""
    short = prompting.shown(item, limit=prompting.LABEL_CHARS)
    long = prompting.shown(item, limit=prompting.SUMMARY_CHARS)
    asked = (
        prompting.route_messages(rubric, short),
        prompting.rate_messages(rubric, short),
        prompting.summary_messages(rubric, long, near),
    )
    return sum(map(prompting.estimated_tokens, asked)) + prompting.ANSWER_TOKENS
