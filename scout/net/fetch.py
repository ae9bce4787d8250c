"""The door: one GET of an address that came from outside, with every limit that makes this safe.

Redirects are followed by hand and each hop is vetted; the answer has a deadline as a whole and a size after decoding; the
environment's proxies and passwords play no part. Whatever goes wrong is a `FetchError`. How often somebody may be asked is
`manners`'; what an answer means is its source's.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import Self
from urllib.parse import urldefrag, urljoin

import httpcore
import httpx

from scout import __version__, clock
from scout.config import Net
from scout.items import OutcomeKind
from scout.net import hints
from scout.net.decoding import ACCEPTED, Decoder
from scout.net.errors import FetchError as FetchError
from scout.net.errors import Refused as Refused
from scout.net.wire import Connector, Deadline, Resolver, Wire, connect, system_resolver

MAX_HOPS = 5
_LONGEST_URL = 4_000
_HOST = re.compile(rb"[A-Za-z0-9._-]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%[\w.-]+)?")
"""A name as name servers know it, or an IPv6 address. What other parsers might take for a host is none."""
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)
_BAD_REQUESTS = {
    401: "a name and password are asked for", 403: "access is forbidden", 404: "there is nothing at this address",
    406: "the server has no form of it that is accepted", 500: "the server has a fault",
    502: "the server behind the server has a fault", 503: "the server is out of service",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Validators:
    """What an earlier answer said of itself, to ask whether it still holds."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    url: str
    """Where the answer came from, after redirects."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """Decoded."""
    permanent_url: str | None = None
    """Where to ask from now on: the last address reached by permanent redirects (301, 308) alone."""
    not_modified: bool = False
    """304: the validators still hold, and there is no body."""

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def validators(self) -> Validators:
        return Validators(self.headers.get("etag"), self.headers.get("last-modified"))


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Fetcher:
    """Thread-safe; one connection a request, so that no answer depends on the one before it."""

    def __init__(
        self,
        net: Net,
        *,
        clock: Callable[[], datetime] = clock.now,
        resolver: Resolver = system_resolver,
        connector: Connector = connect,
    ) -> None:
        self._net = net
        self.deadline_seconds = net.deadline_seconds
        self._clock = clock
        self._resolver = resolver
        self._connector = connector
        self._allow_hosts = frozenset(host.lower().rstrip(".") for host in net.allow_hosts)
        contact = "".join(ch for ch in net.contact if ch.isascii() and ch.isprintable())
        self.user_agent = f"scout/{__version__} (+{contact})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def get(
        self,
        url: str,
        *,
        validators: Validators | None = None,
        accept: str | None = None,
        max_bytes: int | None = None,
        deadline: float | None = None,
    ) -> Response:
        """What is at `url`: status 2xx with its body, or 304 where `validators` still hold.

        `max_bytes` (decoded) and `deadline` (seconds, redirects included) default to the settings.

        Raises:
            FetchError: anything else, its kind and message ready to be recorded.
        """
        limit = max_bytes or self._net.max_bytes
        left = Deadline(deadline or self._net.deadline_seconds)
        headers = self._headers(validators or Validators(), accept or "*/*")
        visited: list[str] = []
        permanent_url: str | None = None
        all_permanent = True
        while True:
            visited.append(url)
            try:
                answer = self._ask(checked(url), headers, limit, left)
            except Refused as err:
                if len(visited) == 1:
                    raise
                raise Refused(f"redirects to where nothing is fetched: {err.message}") from err
            if answer.status not in _REDIRECTS:
                break
            target = _target(url, answer, visited)
            all_permanent &= answer.status in _PERMANENT and not (
                url.startswith("https:") and target.startswith("http:")
            )
            if all_permanent:
                permanent_url = target
            url = target
        self._raise_for_status(answer, asked_again=bool(validators and (validators.etag or validators.last_modified)))
        return Response(
            url=url,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            permanent_url=permanent_url,
            not_modified=answer.status == 304,
        )

    def _headers(self, validators: Validators, accept: str) -> list[tuple[str, str]]:
        headers = [("User-Agent", self.user_agent), ("Accept", accept), ("Accept-Encoding", ACCEPTED)]
        if validators.etag:
            headers.append(("If-None-Match", validators.etag))
        if validators.last_modified:
            headers.append(("If-Modified-Since", validators.last_modified))
        return [*headers, ("Connection", "close")]

    def _ask(self, url: httpx.URL, headers: list[tuple[str, str]], limit: int, deadline: Deadline) -> _Answer:
        """One request to one address; a body only with a status that has a use for it."""
        wire = Wire(
            deadline,
            allow_loopback=self._net.allow_loopback,
            allow_hosts=self._allow_hosts,
            resolver=self._resolver,
            connector=self._connector,
        )
        secure = self._ssl if url.scheme == "https" else None
        sent = [(b"Host", url.netloc), *((k.encode(), v.encode("latin-1", "ignore")) for k, v in headers)]
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        with (
            _as_fetch_error(url.host, deadline),
            httpcore.ConnectionPool(secure, max_connections=1, network_backend=wire) as pool,
            pool.stream("GET", target, headers=sent) as response,
        ):
            received = dict(httpx.Headers(response.headers).items())
            if not 200 <= response.status < 300:
                return _Answer(response.status, received, b"")
            return _Answer(response.status, received, _body(response, received, limit, deadline))

    @cached_property
    def _ssl(self) -> ssl.SSLContext:
        return httpx.create_ssl_context(trust_env=False)

    def _raise_for_status(self, answer: _Answer, *, asked_again: bool) -> None:
        status = answer.status
        if 200 <= status < 300 or (status == 304 and asked_again):
            return
        if status == 410:
            raise FetchError(OutcomeKind.GONE, "gone for good, says its server (410)", status=status)
        retry_at = hints.retry_after(answer.headers, self._clock()) if status in (429, 503) else None
        if status == 429 or retry_at:
            until = f" until {retry_at:%Y-%m-%d %H:%M:%S} UTC" if retry_at else ""
            message = f"the server asks for patience{until} ({status})"
            raise FetchError(OutcomeKind.BUSY, message, status=status, retry_at=retry_at)
        meaning = _BAD_REQUESTS.get(status, "the server gave no usable answer")
        raise FetchError(OutcomeKind.HTTP_ERROR, f"{meaning} ({status})", status=status)


def checked(url: str) -> httpx.URL:
    """`url` as an address that may be looked up.

    Raises:
        Refused: not http(s), without a host, or with a password in it.
    """
    shown = url if len(url) <= 200 else f"{url[:200]}…"
    if len(url) > _LONGEST_URL:
        raise Refused(f"{shown!r} is longer than {_LONGEST_URL:,} characters")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as err:
        raise Refused(f"{shown!r} is no address: {err}") from err
    if parsed.scheme not in ("http", "https"):
        raise Refused(f"{shown!r} is not fetched: only http and https are")
    if parsed.userinfo:
        raise Refused(f"an address with a name or password in it is not fetched (host {parsed.host!r})")
    if not _HOST.fullmatch(parsed.raw_host) or not 0 < (80 if parsed.port is None else parsed.port) < 65_536:
        raise Refused(f"{shown!r} is no address: its host or port is missing or impossible")
    return parsed


def _target(url: str, answer: _Answer, visited: list[str]) -> str:
    """Where a redirect leads, without its fragment; that it may be asked is checked when it is."""
    location = answer.headers.get("location", "").strip()
    if not location:
        raise FetchError(OutcomeKind.HTTP_ERROR, "a redirect that says not where to", status=answer.status)
    try:
        target = urldefrag(urljoin(url, location)).url
    except ValueError as err:
        raise Refused(f"redirects to {location[:200]!r}, which is no address", status=answer.status) from err
    if target in visited:
        raise FetchError(OutcomeKind.HTTP_ERROR, "redirects in a circle", status=answer.status)
    if len(visited) > MAX_HOPS:
        raise FetchError(OutcomeKind.HTTP_ERROR, f"more than {MAX_HOPS} redirects", status=answer.status)
    return target


def _body(response: httpcore.Response, headers: Mapping[str, str], limit: int, deadline: Deadline) -> bytes:
    decoder = Decoder(headers.get("content-encoding", ""), limit)
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:18]) > limit:
        raise FetchError(OutcomeKind.TOO_LARGE, f"the answer is larger than {limit:,} bytes (net.max_bytes)")
    for chunk in response.iter_stream():
        decoder.feed(chunk)
        deadline.left()
    return decoder.finish()


@contextmanager
def _as_fetch_error(host: str, deadline: Deadline) -> Iterator[None]:
    try:
        yield
    except httpcore.ConnectTimeout as err:
        raise FetchError(OutcomeKind.UNREACHABLE, f"no connection to {host} in time") from err
    except httpcore.ConnectError as err:
        raise FetchError(OutcomeKind.UNREACHABLE, f"no connection to {host}: {err}") from err
    except httpcore.TimeoutException as err:
        raise deadline.passed() from err
    except httpcore.RemoteProtocolError as err:
        raise FetchError(OutcomeKind.UNREACHABLE, f"{host} broke off or does not speak HTTP: {err}") from err
    except httpcore.NetworkError as err:
        raise FetchError(OutcomeKind.UNREACHABLE, f"the connection to {host} broke: {err}") from err
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol) as err:
        raise Refused(f"{host} cannot be asked so: {err}") from err
