"""What is asked of every request before Streamlit sees it, pages, files and WebSocket alike: its Host, and where it comes from.

Streamlit looks at the Host of a WebSocket alone, and at no header that keeps a page out of somebody else's frame.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from scout.access import hosts, is_proxy
from scout.config.access import Access, Login

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = (
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'; object-src 'none'; base-uri 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
"""No page elsewhere frames ours to have a thumb clicked; no link out tells where it was clicked."""
HEALTH = "/_stcore/health"


class Guard:
    """ASGI middleware."""

    def __init__(self, app: App, *, access: Access) -> None:
        self.app, self.access = app, access
        self.hosts = frozenset(hosts(access))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if not self._is_meant(scope):
            await _refuse(scope, receive, send)
            return

        async def framed(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                mine = {name for name, _ in HEADERS}
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in mine]
                message = {**message, "headers": [*kept, *HEADERS]}
            await send(message)

        await self.app(scope, receive, framed)

    def _is_meant(self, scope: Scope) -> bool:
        """Whether the request names this server, comes from no other site's page, and through the proxy where there is one."""
        headers: Sequence[tuple[bytes, bytes]] = scope.get("headers", ())
        named = [value.decode("latin-1") for name, value in headers if name.lower() == b"host"]
        if len(named) != 1 or _host(named[0]) not in self.hosts:
            return False
        origins = [value.decode("latin-1") for name, value in headers if name.lower() == b"origin"]
        if scope["type"] == "websocket" and any(_origin(each) != named[0].lower() for each in origins):
            return False
        peer = (scope.get("client") or (None,))[0]
        from_proxy = self.access.login is not Login.PROXY or is_proxy(self.access, peer)
        return from_proxy or scope.get("path") == HEALTH  # a monitor asks for that at the machine itself


def _host(value: str) -> str | None:
    """The name in a Host header, or None where there is more in it than name and port."""
    try:
        parts = urlsplit(f"//{value}")
        _ = parts.port
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc or not parts.hostname:
        return None
    return parts.hostname.rstrip(".")


def _origin(value: str) -> str:
    try:
        return urlsplit(value).netloc.lower()
    except ValueError:
        return ""


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b"This is not asked for here.\n"})
