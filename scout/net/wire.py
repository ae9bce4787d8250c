"""The wire under the door: a name is resolved once, every address it has is vetted, the connection goes to a vetted one,
and one deadline holds over resolving, connecting, TLS, sending and each single read.

httpcore speaks HTTP over this; which addresses are asked at all and what their answers mean is `fetch`'s.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from scout.items import OutcomeKind
from scout.net.addresses import vet
from scout.net.errors import FetchError

Resolver = Callable[[str, int], list[str]]
"""Host and port to IP addresses, in the order to try them; raises OSError where there are none."""
Connector = Callable[[str, int, float], httpcore.NetworkStream]
"""IP address, port and seconds to a connected stream."""


class Deadline:
    """A moment after which nothing is waited for any more. It does not move with the wall clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, more than zero.

        Raises:
            FetchError: none are left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> FetchError:
        return FetchError(OutcomeKind.TOO_SLOW, f"no whole answer within {self.seconds:g} s")


def system_resolver(host: str, port: int) -> list[str]:
    """The addresses the operating system knows for `host`, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def connect(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
    return httpcore.SyncBackend().connect_tcp(address, port, timeout=timeout)


class Wire(httpcore.NetworkBackend):
    """The network of one request: vets what it connects to, and stops at the deadline."""

    def __init__(
        self,
        deadline: Deadline,
        *,
        allow_loopback: bool,
        allow_hosts: frozenset[str],
        resolver: Resolver = system_resolver,
        connector: Connector = connect,
    ) -> None:
        self._deadline = deadline
        self._allow_loopback = allow_loopback
        self._allow_hosts = allow_hosts
        self._resolver = resolver
        self._connector = connector

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A stream to the first address of `host` that answers, all of them having been vetted."""
        addresses = self._resolve(host, port)
        if host.lower().rstrip(".") not in self._allow_hosts:
            for address in addresses:
                vet(address, host=host, allow_loopback=self._allow_loopback)
        problem: Exception = FetchError(OutcomeKind.UNREACHABLE, f"{host} has no address")
        for position, address in enumerate(addresses):
            share = self._deadline.left() / (len(addresses) - position)  # one silent address leaves time for the next
            try:
                return TimedStream(self._connector(address, port, share), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as err:
                problem = err
        raise problem

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise NotImplementedError("sockets of this machine are not asked")

    def _resolve(self, host: str, port: int) -> list[str]:
        """Ask the resolver in a thread: it has a patience of its own, which may be longer than ours."""
        answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolver(host, port))
            except Exception as err:
                answers.put(err)

        threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
        try:
            answer = answers.get(timeout=self._deadline.left())
        except queue.Empty:
            raise FetchError(OutcomeKind.UNREACHABLE, f"the name server gave no address for {host} in time") from None
        if isinstance(answer, Exception):
            raise FetchError(OutcomeKind.UNREACHABLE, f"{host} is not known to the name server") from answer
        return answer


class TimedStream(httpcore.NetworkStream):
    """A stream no operation of which outlasts the deadline, however many there are."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secure = self._stream.start_tls(ssl_context, server_hostname, timeout=self._deadline.left())
        return TimedStream(secure, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
