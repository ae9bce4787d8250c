"""Questions asked side by side: their answers in order, and nothing under way any more where one of them fails."""

from __future__ import annotations

import asyncio

import pytest

from scout.serving.side_by_side import side_by_side


async def said(what: str, after: asyncio.Event) -> str:
    await after.wait()
    return what


def test_answers_come_in_the_order_of_the_questions() -> None:
    async def ask() -> list[str]:
        at_once, later = asyncio.Event(), asyncio.Event()
        at_once.set()
        asyncio.get_running_loop().call_later(0.01, later.set)
        return await side_by_side([said("first", later), said("second", at_once)])

    assert asyncio.run(ask()) == ["first", "second"]


def test_one_that_fails_ends_the_others_before_it_is_told() -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # as a connection takes a moment to close
            ended.append("the other")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no answer")

    async def ask() -> None:
        with pytest.raises(ValueError, match="no answer"):
            await side_by_side([waits(), fails()])
        assert ended == ["the other"]

    asyncio.run(ask())
