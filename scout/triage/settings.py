"""What tells the recipes of the embedded policy apart: the same code, other settings."""

from __future__ import annotations

from dataclasses import dataclass

from scout.triage.boosting import Growth


@dataclass(frozen=True, slots=True)
class Settings:
    name: str
    landscape: bool
    """Whether items get a place among the others; see `landscape`."""
    growth: Growth | None
    """How the trees of `refinement` grow; None for a linear model alone."""
    vectors: bool = False
    """Whether vectors of a served model are a block of features, where there are any."""


LINEAR_1 = Settings("linear-1", landscape=False, growth=None)
LINEAR_2 = Settings("linear-2", landscape=True, growth=Growth())
LINEAR_2_EMB = Settings("linear-2+emb", landscape=True, growth=Growth(), vectors=True)
