"""The client's deadlines, so that none of them is a race against the machine: one ends when the server will never answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import scripted_server as scripted
from scripted_server import Fault, Request, ScriptedServer

from scout.serving.connection import Connection
from scout.serving.endpoints import Endpoint


class Deadlines:
    """They end where `hang` says, at once, however busy this machine is; others where the client sets them."""

    def __init__(self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.begun: list[int] = []
        """For each: how many chats had been asked for when it began."""
        self._of: dict[asyncio.Task[Any] | None, asyncio.Timeout] = {}
        self._asked: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Timeout]] = {}
        ask = Connection.post

        def deadline(seconds: float) -> asyncio.Timeout:
            self.begun.append(len(server.chats))
            self._of[asyncio.current_task()] = made = asyncio.timeout(seconds)
            return made

        async def post(connection: Connection, endpoint: Endpoint, url: str, body: Mapping[str, Any]) -> Any:
            if "messages" in body:
                self._asked[_said(body["messages"])] = asyncio.get_running_loop(), self._of[asyncio.current_task()]
            return await ask(connection, endpoint, url, body)

        monkeypatch.setattr("scout.serving.client.asyncio", SimpleNamespace(**{**vars(asyncio), "timeout": deadline}))
        monkeypatch.setattr(Connection, "post", post)

    def hang(self, which: Callable[[Request], bool], *, times: int | None = None) -> None:
        """Let such chats never be answered, so often or each time."""
        left = [times]

        def trouble(request: Request) -> Fault | None:
            if left[0] == 0 or not which(request):
                return None
            left[0] = left[0] - 1 if left[0] is not None else None
            loop, deadline = self._asked[_said(request.messages)]
            loop.call_soon_threadsafe(deadline.reschedule, loop.time())
            return scripted.HANG

        self.server.trouble = trouble


def _said(messages: Any) -> str:
    return json.dumps(messages, sort_keys=True, default=str)
