"""The recipes of the embedded policy by name: how each is fitted, and how a fit of it is read back.

A recipe that serves readers stays here until no installation can still be on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scout.items import Decision, Item
from scout.triage import linear
from scout.triage.policy import Corpus, Policy, Profile, Targets
from scout.triage.settings import LINEAR_1, LINEAR_2, LINEAR_2_EMB, Settings
from scout.triage.vectors import NONE, Vectors


class Fitted(Policy, Protocol):
    """A policy that was fitted here and can be kept."""

    @property
    def sees(self) -> str:
        """The model whose vectors it looks at; empty for none."""

    def decide(self, items: Sequence[Item], vectors: Vectors = NONE) -> list[Decision]:
        """`vectors` are those of `sees`, as far as there are any."""

    def to_bytes(self) -> bytes: ...

    def facts(self) -> dict[str, Any]:
        """What there is to tell of this fit, as JSON."""


@dataclass(frozen=True, slots=True)
class Recipe:
    name: str
    fit: Callable[[Profile, Corpus, Targets], Fitted]
    load: Callable[[bytes, Profile], Fitted]
    """Raises `blob.BadBlob` where the bytes are not a fit of this recipe, or are another reader's."""
    vectors: bool = False
    """Whether it looks at `Corpus.vectors`."""


def _linear(settings: Settings) -> Recipe:
    def fit(profile: Profile, corpus: Corpus, targets: Targets) -> Fitted:
        return linear.fit(profile, corpus, targets, settings)

    def load(weights: bytes, profile: Profile) -> Fitted:
        return linear.LinearPolicy.from_bytes(weights, profile, settings)

    return Recipe(settings.name, fit, load, settings.vectors)


RECIPES: Mapping[str, Recipe] = {settings.name: _linear(settings) for settings in (LINEAR_1, LINEAR_2, LINEAR_2_EMB)}
DEFAULT = LINEAR_2.name
"""What a reader starts with who has no champion yet."""
