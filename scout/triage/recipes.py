"""The recipes of the embedded policy by name: how each is fitted, and how a fit of it is read back.

A recipe that serves readers stays here until no installation can still be on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scout.triage import linear
from scout.triage.policy import Corpus, Policy, Profile, Targets
from scout.triage.settings import LINEAR_1, LINEAR_2, Settings


class Fitted(Policy, Protocol):
    """A policy that was fitted here and can be kept."""

    def to_bytes(self) -> bytes: ...

    def facts(self) -> dict[str, Any]:
        """What there is to tell of this fit, as JSON."""


@dataclass(frozen=True, slots=True)
class Recipe:
    name: str
    fit: Callable[[Profile, Corpus, Targets], Fitted]
    load: Callable[[bytes, Profile], Fitted]
    """Raises `blob.BadBlob` where the bytes are not a fit of this recipe, or are another reader's."""


def _linear(settings: Settings) -> Recipe:
    def fit(profile: Profile, corpus: Corpus, targets: Targets) -> Fitted:
        return linear.fit(profile, corpus, targets, settings)

    def load(weights: bytes, profile: Profile) -> Fitted:
        return linear.LinearPolicy.from_bytes(weights, profile, settings)

    return Recipe(settings.name, fit, load)


RECIPES: Mapping[str, Recipe] = {settings.name: _linear(settings) for settings in (LINEAR_1, LINEAR_2)}
DEFAULT = LINEAR_2.name
"""What a reader starts with who has no champion yet."""
