"""One try at one endpoint: a request goes out, a JSON object comes back, or a `ModelError` says what was wrong.

Which endpoint, how long and how often is `client`'s. The key is sent, never logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx

from scout.config import Model
from scout.serving import wire
from scout.serving.endpoints import Endpoint
from scout.serving.errors import ModelError, ModelFault

CONNECT_SECONDS = 5.0


class Connection:
    """The pool of connections to all endpoints. It has no deadline of its own but for connecting."""

    def __init__(self, settings: Model, clock: Callable[[], datetime]) -> None:
        self.settings, self._clock = settings, clock
        headers = {"content-type": "application/json", "accept-encoding": "gzip, deflate", "user-agent": "scout"}
        if key := settings.api_key.get_secret_value():
            headers["authorization"] = f"Bearer {key}"
        limits = httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency)
        # A request is put together here: merging it with a client's defaults would be a third of its cost.
        self._headers = httpx.Headers(headers, encoding="utf-8")
        self._extensions = {"timeout": httpx.Timeout(None, connect=CONNECT_SECONDS).as_dict()}
        self._http = httpx.AsyncClient(trust_env=False, limits=limits)

    async def close(self) -> None:
        await self._http.aclose()

    async def post(self, endpoint: Endpoint, url: httpx.URL | str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One try: the JSON object that `url` answers with.

        Raises:
            ModelError: there is none.
        """
        return wire.decode(await self.ask(endpoint, "POST", url, wire.encode(body)), endpoint.url)

    async def ask(self, endpoint: Endpoint, method: str, url: httpx.URL | str, content: bytes | None = None) -> bytes:
        """One try: the body that `url` answers with.

        Raises:
            ModelError: there is none.
        """
        endpoint.outstanding += 1
        try:
            request = httpx.Request(method, url, headers=self._headers, content=content, extensions=self._extensions)
            answer = await self._http.send(request)
        except httpx.ConnectTimeout as err:
            raise ModelError(ModelFault.AWAY, f"{endpoint.url} does not let us connect", endpoint.url) from err
        except httpx.TimeoutException as err:
            raise ModelError(ModelFault.SLOW, f"{endpoint.url} did not answer in time", endpoint.url) from err
        except httpx.ConnectError as err:
            said = f"{endpoint.url} is not there ({err}); is the server running? `scout serve` starts one"
            raise ModelError(ModelFault.AWAY, said, endpoint.url) from err
        except httpx.DecodingError as err:
            raise ModelError(ModelFault.BAD_REPLY, f"{endpoint.url} sent what cannot be decoded", endpoint.url) from err
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as err:
            said = f"the connection to {endpoint.url} broke off ({type(err).__name__})"
            raise ModelError(ModelFault.AWAY, said, endpoint.url) from err
        finally:
            endpoint.outstanding -= 1
        if answer.status_code != 200:
            body = answer.content
            if key := self.settings.api_key.get_secret_value():
                body = body.replace(key.encode(), "…".encode())  # servers repeat a key that they refuse
            raise wire.fault(answer.status_code, answer.headers, body, endpoint.url, self._clock())
        return answer.content

    async def complete(self, endpoint: Endpoint, body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
        """A chat answer; without `extra`, what vLLM adds to the protocol, where the endpoint rejects that."""
        named: dict[str, Any] = {"model": endpoint.model or await self.name(endpoint), **body}
        if not extra or endpoint.plain:
            return await self.post(endpoint, endpoint.chat_url, named)
        try:
            return await self.post(endpoint, endpoint.chat_url, {**named, **extra})
        except ModelError as err:
            if err.kind != ModelFault.REJECTED:
                raise
        answer = await self.post(endpoint, endpoint.chat_url, named)
        endpoint.plain = True
        return answer

    async def name(self, endpoint: Endpoint) -> str:
        if not endpoint.model:
            endpoint.model = self.settings.name or (await self.listed(endpoint))[0]
        return endpoint.model

    async def listed(self, endpoint: Endpoint) -> tuple[str, ...]:
        answer = wire.decode(await self.ask(endpoint, "GET", f"{endpoint.url}/models"), endpoint.url)
        try:
            names = tuple(str(entry["id"]) for entry in answer["data"])
        except (KeyError, TypeError) as err:
            raise ModelError(ModelFault.BAD_REPLY, f"{endpoint.url} lists no models", endpoint.url) from err
        if not names:
            raise ModelError(ModelFault.NO_MODEL, f"{endpoint.url} serves no model", endpoint.url)
        return names
