"""The first requests of a fresh server, so that nobody waits while it compiles what reading labels needs."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from scout.config import Model
from scout.serving.client import ModelClient, Patience
from scout.serving.errors import ModelError
from scout.serving.messages import Message, Role

SECONDS = 300.0


def warm(settings: Model, url: str) -> None:
    """Ask for a label and for a word. What fails here fails again where it matters."""

    async def ask() -> None:
        chosen = settings.model_copy(update={"base_urls": (url,), "name": "", "timeout_seconds": SECONDS})
        async with ModelClient(chosen, patience=Patience(attempts=1)) as client:
            with suppress(ModelError):
                await client.read_labels([Message(Role.USER, "A or B? Answer with the letter alone.")], ["A", "B"])

    asyncio.run(ask())
