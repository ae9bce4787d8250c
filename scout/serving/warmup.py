"""The first requests of a fresh server, so that nobody waits while it compiles what reading labels needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from scout.config import Model
from scout.serving.client import ModelClient, Patience
from scout.serving.errors import ModelError
from scout.serving.messages import Message, Role

SECONDS = 300.0


_LOOK_SECONDS = 0.2


def warm(settings: Model, url: str, *, stopped: Callable[[], bool] = lambda: False) -> None:
    """Ask for a label; given up once `stopped` is true. What fails here fails again where it matters."""

    async def ask() -> None:
        chosen = settings.model_copy(update={"base_urls": (url,), "name": "", "timeout_seconds": SECONDS})
        async with ModelClient(chosen, patience=Patience(attempts=1)) as client:
            with suppress(ModelError):
                await client.read_labels([Message(Role.USER, "A or B? Answer with the letter alone.")], ["A", "B"])

    async def ask_until_stopped() -> None:
        asking = asyncio.create_task(ask())
        while not stopped() and not asking.done():
            await asyncio.wait({asking}, timeout=_LOOK_SECONDS)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking

    asyncio.run(ask_until_stopped())
