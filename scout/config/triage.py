"""How much of a day is shown, what is always or never, and what a digest holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from scout.config.types import Section, TimeZone


def _recall(value: float) -> float:
    if value and not 0.5 <= value <= 0.99:
        raise ValueError("must be 0 for no promise, or from 0.5 to 0.99")
    return value


Recall = Annotated[float, AfterValidator(_recall)]


class Rules(Section):
    words: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Triage(Section):
    read_per_day: int = Field(20, ge=1)
    """About how many items a day the read lane should hold."""
    unsure_per_day: int = Field(10, ge=0)
    recall: Recall = 0.0
    """The share of what you would thumb up that the lanes are to hold, promised once there are thumbs enough for it; 0
    asks for no promise."""
    recall_of: dict[str, Recall] = Field(default_factory=dict)
    """The same for single readers, by name."""
    allow: Rules = Rules()
    block: Rules = Rules()


class DigestSettings(Section):
    timezone: TimeZone = "UTC"
    max_age_days: int = Field(7, ge=1)
    per_subject: int = Field(8, ge=1)
    unsure: int = Field(8, ge=0)
    asks: int = Field(3, ge=0)
    """Shown items that are marked because a thumb on them would teach most."""
    explore: int = Field(2, ge=0)
    """Slots given by chance, their probability logged, so that the policy can be judged on what it would not show."""
