"""The named client for the Hugging Face Hub: its own library, with limits that the library does not have.

The owner configures the address, so it is not vetted; but every answer has a deadline and a size, no token is read from
disk, no proxy or password from the environment, and a failure is a `FetchError` at once: when to try again is the
schedule's business, not a loop's inside a request.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

import httpx2
from huggingface_hub import HfApi, set_client_factory

from scout import __version__
from scout.config import Settings
from scout.items import OutcomeKind
from scout.net.errors import FetchError
from scout.net.hints import retry_after

_LARGEST = 20_000_000
_lock = threading.Lock()
_installed: list[tuple[str, float]] = []


def open_hub(settings: Settings) -> HfApi:
    """The Hub at the configured address. Safe to use from several threads."""
    limits = f"scout/{__version__} (+{settings.net.contact})", settings.net.deadline_seconds
    with _lock:  # the library has one client a process, and putting in another closes the one in use
        if _installed != [limits]:
            set_client_factory(lambda: _client(*limits))
            _installed[:] = [limits]
    return HfApi(endpoint=settings.huggingface.url, token=False, library_name="scout", library_version=__version__)


def _client(agent: str, deadline: float) -> httpx2.Client:
    return httpx2.Client(transport=_Limited(agent, deadline), follow_redirects=True, trust_env=False)


class _Limited(httpx2.BaseTransport):
    def __init__(self, agent: str, deadline: float) -> None:
        self._inner = httpx2.HTTPTransport(trust_env=False)
        self._agent = agent
        self._deadline = deadline

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, read to its end.

        Raises:
            FetchError: no answer in time, one that is too large, or a status from 400 on.
        """
        ends = time.monotonic() + self._deadline
        request.headers["user-agent"] = self._agent
        request.extensions = {**request.extensions, "timeout": httpx2.Timeout(self._deadline).as_dict()}
        try:
            response = self._send(request)
            body = self._read(response, request.url.host, ends)
        except httpx2.TimeoutException as err:
            raise FetchError(OutcomeKind.TOO_SLOW, f"{request.url.host} took over {self._deadline:g} s") from err
        except httpx2.TransportError as err:
            raise FetchError(OutcomeKind.UNREACHABLE, f"no connection to {request.url.host}: {err}") from err
        if response.status_code >= 400:
            raise _refusal(response, request.url.host)
        return httpx2.Response(
            response.status_code, headers=response.headers, stream=httpx2.ByteStream(body), request=request
        )

    def _send(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return self._inner.handle_request(request)
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
            return self._inner.handle_request(request)  # a connection kept from before, which the server had closed

    def _read(self, response: httpx2.Response, host: str, ends: float) -> bytes:
        body = bytearray()
        assert isinstance(response.stream, httpx2.SyncByteStream)
        try:
            for chunk in response.stream:
                body += chunk
                if len(body) > _LARGEST:
                    raise FetchError(OutcomeKind.TOO_LARGE, f"{host} sent over {_LARGEST:,} bytes")
                if time.monotonic() > ends:
                    raise FetchError(OutcomeKind.TOO_SLOW, f"{host} took over {self._deadline:g} s")
        finally:
            response.close()
        return bytes(body)

    def close(self) -> None:
        self._inner.close()


def _refusal(response: httpx2.Response, host: str) -> FetchError:
    status = response.status_code
    headers = {name.lower(): value for name, value in response.headers.items()}
    retry_at = retry_after(headers, datetime.now(UTC)) if status in (429, 503) else None
    if status == 429 or retry_at:
        return FetchError(OutcomeKind.BUSY, f"{host} asks for patience ({status})", status=status, retry_at=retry_at)
    return FetchError(OutcomeKind.HTTP_ERROR, f"{host} answered {status}", status=status)


def rows(listing: Any) -> list[Any]:
    """What a listing of the library yields, all of it.

    Raises:
        FetchError: the request failed, or the answer is not what the library understands.
    """
    try:
        return list(listing)
    except FetchError:
        raise
    except Exception as err:  # the library raises what its parsing of arbitrary JSON happens to raise
        message = f"the Hub's answer cannot be read: {type(err).__name__}: {err}"
        raise FetchError(OutcomeKind.UNREADABLE, message[:500]) from err
