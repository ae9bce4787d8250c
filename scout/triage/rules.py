"""Allow and block rules: what a reader said outright beats what a model thinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scout.items import Item
from scout.triage.phrases import Phrases
from scout.triage.policy import Rules
from scout.triage.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Matcher:
    """Rules made ready for whole batches."""

    rules: Rules
    phrases: Phrases

    @staticmethod
    def of(rules: Rules) -> Matcher:
        return Matcher(rules, Phrases.of(rules.words))

    def matches(self, items: Sequence[Item], read: Tokens) -> dict[int, str]:
        """Row to the rule that fits it, such as `word: crypto`. The first that fits is named."""
        found: dict[int, str] = {}
        hits = self.phrases.find(read)
        for row, phrase in sorted(zip(hits.rows.tolist(), hits.phrases.tolist(), strict=True)):
            found.setdefault(row, f"word: {self.rules.words[phrase]}")
        authors = {_folded(name): name for name in self.rules.authors}
        categories = {_folded(name): name for name in self.rules.categories}
        sources = {_folded(name): name for name in self.rules.sources}
        if not (authors or categories or sources):
            return found
        for row, item in enumerate(items):
            if row in found:
                continue
            if fits := next((authors[key] for key in map(_folded, item.authors) if key in authors), None):
                found[row] = f"author: {fits}"
            elif fits := next((categories[key] for key in map(_folded, item.categories) if key in categories), None):
                found[row] = f"category: {fits}"
            elif fits := sources.get(_folded(item.source)):
                found[row] = f"source: {fits}"
        return found


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
