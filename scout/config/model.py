"""Models served elsewhere: the one that reads on, the one that makes vectors, and the limits of a research."""

from __future__ import annotations

from pydantic import Field, SecretStr

from scout.config.types import HttpUrl, Section


class Model(Section):
    """The open model that reads on: any OpenAI-compatible endpoint, such as one that `scout serve` started."""

    base_urls: tuple[HttpUrl, ...] = ()
    """Endpoints such as `http://127.0.0.1:8000/v1`; several are balanced. Without any, the embedded policy works alone."""
    name: str = ""
    """As served; empty takes the first that the endpoint lists."""
    api_key: SecretStr = SecretStr("")
    concurrency: int = Field(16, ge=1)
    timeout_seconds: float = Field(120.0, gt=0)
    items_per_run: int = Field(40, ge=0)
    tokens_per_run: int = Field(400_000, ge=0)
    minutes_per_run: float = Field(30.0, ge=0)
    entailment: bool = False
    """Ask the model of each point whether its sentences say so."""


class Embedding(Section):
    """A model that makes vectors of items, for recipes that look at them: vLLM's pooling routes, or what speaks like them."""

    base_urls: tuple[HttpUrl, ...] = ()
    """Endpoints such as `http://127.0.0.1:8001/v1`; without any, no vectors are made."""
    name: str = ""
    """As served; empty takes the first that the endpoint lists."""
    api_key: SecretStr = SecretStr("")
    concurrency: int = Field(4, ge=1)
    timeout_seconds: float = Field(120.0, gt=0)
    batch: int = Field(16, ge=1, le=512)
    """Items sent in one request."""
    tokens: int = Field(512, ge=16)
    """Of an item, so many are looked at."""
    items_per_run: int = Field(3000, ge=0)

    def endpoint(self) -> Model:
        """The same as the client of any served model takes it."""
        return Model(
            base_urls=self.base_urls, name=self.name, api_key=self.api_key, concurrency=self.concurrency,
            timeout_seconds=self.timeout_seconds,
        )  # fmt: skip


class Research(Section):
    """Limits of one research of one item."""

    rounds: int = Field(24, ge=2)
    tokens: int = Field(200_000, ge=1000)
    minutes: float = Field(15.0, gt=0)
    context_tokens: int = Field(24_000, ge=1000)
    """What the model is shown at once; older tool results are dropped first, notes never."""
    parallel: int = Field(2, ge=1)
