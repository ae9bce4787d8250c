"""The settings of `[eval]`: which releases are measured with what, and where they are served."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from scout.config.types import HttpUrl, Section


class EvalEndpoint(Section):
    """Where releases of some names are served, and what asking there costs."""

    match: tuple[str, ...] = Field(min_length=1)
    """Releases by name, with * for any characters: `Qwen/*`."""
    base_url: HttpUrl
    name: str = "{id}"
    """As served: {id} is the release's whole name, {name} what follows the slash."""
    api_key_env: str = ""
    """The variable of the environment that holds the key."""
    price_prompt: float = Field(0.0, ge=0)
    """A million tokens read, in your currency."""
    price_completion: float = Field(0.0, ge=0)
    price_hour: float = Field(0.0, ge=0)
    """An hour of the machine, where it is yours."""


class Eval(Section):
    """What `scout eval watch` does each night, and where models are found to be measured."""

    suites: tuple[str, ...] = ("logic", "mathematics", "instructions")
    items: int = Field(100, ge=1)
    epochs: int = Field(2, ge=1)
    temperature: float = Field(0.7, ge=0)
    min_tokens: int = Field(0, ge=0)
    """Room for an answer where an item gives less, as models that think need."""
    max_tokens: dict[str, PositiveInt] = Field(default_factory=dict)
    """Most tokens of an answer by suite, where its items give more than you have time for: `{logic = 256}`."""
    organizations: tuple[str, ...] = ()
    """Whose releases are measured; empty takes all that are listed."""
    max_age_days: int = Field(7, ge=1)
    per_night: int = Field(3, ge=0)
    reference: str = ""
    """A model of an endpoint below that is measured again each night: it must not move."""
    concurrency: int = Field(32, ge=1)
    endpoint: tuple[EvalEndpoint, ...] = ()
