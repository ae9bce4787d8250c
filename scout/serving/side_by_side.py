"""Several questions at once that end together: `asyncio.gather` leaves the others running when one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def side_by_side(asked: Iterable[Awaitable[T]]) -> list[T]:
    """What all of them give, in their order. The first failure is raised when the others, which it ends, have ended: then
    nothing is under way any more."""
    tasks = [asyncio.ensure_future(each) for each in asked]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
