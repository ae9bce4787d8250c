"""A code repository out of the archive that its host serves: texts by path, in memory. Nothing is unpacked to disk or run.

Pure: bytes in, files out. Only plain files with plain relative paths are taken; links, devices and paths that lead out of
the repository are refused and named. Runs in the process of `worker`, as parsers of outside bytes do.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from typing import Any

from scout.agent.documents import Unreadable

MAX_MEMBERS = 5_000
MAX_UNPACKED = 150_000_000
"""Bytes after unpacking at which reading stops, whatever they are."""
MAX_FILE = 300_000
"""A larger file is listed and not kept."""
MAX_KEPT = 20_000_000
MAX_PATH = 300


def files(data: bytes) -> dict[str, Any]:
    """`files` ([path, size, text or None], by path), `refused` ([path, why]), and `left_out`: why reading stopped, if it did.

    Raises:
        Unreadable: the bytes are no tar.gz.
    """
    found: dict[str, tuple[int, str | None]] = {}
    refused: list[tuple[str, str]] = []
    left_out = ""
    kept = members = 0
    try:
        with (
            gzip.GzipFile(fileobj=io.BytesIO(data)) as unpacked,
            tarfile.open(fileobj=_Bounded(unpacked), mode="r|") as tar,  # type: ignore[call-overload]
        ):
            for member in tar:
                members += 1
                if members > MAX_MEMBERS:
                    left_out = f"more than {MAX_MEMBERS:,} entries"
                    break
                path = member.name.partition("/")[2]  # all is under one folder named after the commit
                why = _refusal(member, path)
                if why or path in found:
                    refused.append((member.name[:MAX_PATH], why or "the same path a second time"))
                elif member.isfile():
                    text = _text(tar, member) if member.size <= MAX_FILE and kept + member.size <= MAX_KEPT else None
                    kept += len(text or "")
                    found[path] = (member.size, text)
    except _TooLarge:
        left_out = f"more than {MAX_UNPACKED:,} bytes when unpacked"
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as err:
        if not found:
            raise Unreadable(f"the archive cannot be read: {str(err)[:200]}") from err
        left_out = "the archive breaks off"
    listed = [[path, size, text] for path, (size, text) in sorted(found.items())]
    return {"files": listed, "refused": [list(pair) for pair in refused[:100]], "left_out": left_out}


def _refusal(member: tarfile.TarInfo, path: str) -> str:
    """Why an entry is not taken; empty where it is, or is a folder."""
    parts = member.name.split("/")
    if member.issym() or member.islnk():
        return f"a link, to {member.linkname[:MAX_PATH]}"
    if not (member.isfile() or member.isdir()):
        return "no plain file"
    if member.name.startswith("/") or ".." in parts or "\\" in member.name or not member.name.isprintable():
        return "its path leads out of the repository"
    if len(member.name) > MAX_PATH:
        return "its path is too long"
    if member.isfile() and not path:
        return "it lies beside the repository's folder"
    return ""


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str | None:
    """What a file holds, or None where that is no text."""
    opened = tar.extractfile(member)
    content = opened.read(MAX_FILE) if opened else b""
    if b"\x00" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


class _TooLarge(Exception):
    pass


class _Bounded:
    """A stream that ends with `_TooLarge` once too much came out of it."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = MAX_UNPACKED

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise _TooLarge
        return data
