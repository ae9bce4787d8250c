"""Turn the bytes of an answer back into what was packed, a little at a time and never more than was asked for."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from scout.items import OutcomeKind
from scout.net.errors import FetchError

ACCEPTED = "gzip, deflate"
_GZIP, _ZLIB, _RAW = 31, 15, -15
_STEP = 1 << 20


class Decoder:
    """Collects a body of at most `limit` bytes, decoded. A bomb is noticed at `limit`, not when it has gone off."""

    def __init__(self, encoding: str, limit: int) -> None:
        """
        Raises:
            FetchError: UNREADABLE for a content encoding that was not asked for.
        """
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._came = 0
        name = encoding.strip().lower()
        if name in ("", "identity"):
            self._unpack: Callable[[bytes], None] = self._keep
            self._format = 0
        elif name in ("gzip", "x-gzip", "deflate"):
            self._unpack = self._inflate
            self._format = _ZLIB if name == "deflate" else _GZIP
            self._packed = zlib.decompressobj(self._format)
        else:
            raise FetchError(OutcomeKind.UNREADABLE, f"the answer is packed as {name[:40]!r}, which was not asked for")

    def feed(self, chunk: bytes) -> None:
        """
        Raises:
            FetchError: TOO_LARGE beyond the limit; UNREADABLE if it is not packed as it says.
        """
        self._came += len(chunk)
        if self._came > self._limit:
            raise self._too_large()
        try:
            self._unpack(chunk)
        except zlib.error as err:
            raise FetchError(OutcomeKind.UNREADABLE, f"the packed answer is damaged: {err}") from err

    def finish(self) -> bytes:
        """The whole body.

        Raises:
            FetchError: UNREACHABLE if a packed body ends too early.
        """
        if self._format and self._came and not self._packed.eof:
            raise FetchError(OutcomeKind.UNREACHABLE, "the answer was cut short")
        return b"".join(self._parts)

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit:
            raise self._too_large()
        self._parts.append(data)

    def _inflate(self, chunk: bytes) -> None:
        if self._format == _ZLIB and self._came == len(chunk) and not _has_zlib_header(chunk):
            self._format = _RAW  # some servers call the bare stream deflate
            self._packed = zlib.decompressobj(_RAW)
        full = False
        while chunk or full:
            if self._packed.eof:
                if self._format != _GZIP or not chunk.startswith(b"\x1f"):
                    return  # padding after the end
                self._packed = zlib.decompressobj(_GZIP)  # gzip may come in several members
            wanted = min(_STEP, self._limit - self._size + 1)
            data = self._packed.decompress(chunk, wanted)
            self._keep(data)
            full = len(data) == wanted  # more may be waiting inside, though all of the chunk is taken
            chunk = self._packed.unused_data if self._packed.eof else self._packed.unconsumed_tail

    def _too_large(self) -> FetchError:
        return FetchError(OutcomeKind.TOO_LARGE, f"the answer is larger than {self._limit:,} bytes (net.max_bytes)")


def _has_zlib_header(chunk: bytes) -> bool:
    return chunk[0] & 0x0F == 8 and (len(chunk) == 1 or (chunk[0] << 8 | chunk[1]) % 31 == 0)
