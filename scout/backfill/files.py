"""Files of papers, record by record: JSON lines, gzipped or not, and Parquet. What a record means is `records`'s.

A line that cannot be read is handed on as such, with its number; only a file that ends amid its data, or cannot be opened,
ends the reading.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from scout.backfill.records import COLUMNS, BadRecord
from scout.config import ConfigError

LONGEST_LINE = 4 << 20
"""Bytes of a line that are read; arXiv's longest are below 100 kB."""
_PIECE = 1 << 20
_ROWS = 500


class BadPapers(Exception):
    """A file that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was when it was looked at."""

    name: str
    digest: str
    """Of its bytes."""
    records: int
    """How many it holds, empty and broken ones among them."""


Numbered = tuple[int, Mapping[str, Any] | BadRecord]
"""A record with its place in the file, from 1."""


def look(path: Path) -> Source:
    """Read a file once, to know it again and to know how much it holds.

    Raises:
        BadPapers: it cannot be read to its end.
        ConfigError: it is Parquet, and pyarrow is missing.
    """
    with _readable(path):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "blake2b").hexdigest()[:32]
        if _is_parquet(path):
            with _parquet(path) as table:
                return Source(path.name, digest, table.metadata.num_rows)
        with _opened(path) as file:
            lines, last = 0, b"\n"
            while piece := file.read(_PIECE):
                lines, last = lines + piece.count(b"\n"), piece
        return Source(path.name, digest, lines + (not last.endswith(b"\n")))


def records(path: Path) -> Iterator[Numbered]:
    """
    Raises:
        BadPapers: the file cannot be read to its end.
        ConfigError: it is Parquet, and pyarrow is missing.
    """
    with _readable(path):
        yield from _rows(path) if _is_parquet(path) else _lines(path)


def _lines(path: Path) -> Iterator[Numbered]:
    with _opened(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            whole = line.endswith(b"\n") or len(line) < LONGEST_LINE
            rest = line
            while not rest.endswith(b"\n") and len(rest) == LONGEST_LINE:
                rest = file.readline(LONGEST_LINE)
            if not whole:
                yield number, BadRecord(f"longer than {LONGEST_LINE >> 20} MB")
            elif line.strip():
                yield number, _object(line)


def _object(line: bytes) -> Mapping[str, Any] | BadRecord:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as err:  # UnicodeDecodeError is a ValueError
        return BadRecord(f"not JSON ({err})")
    return found if isinstance(found, dict) else BadRecord("not a JSON object")


def _rows(path: Path) -> Iterator[Numbered]:
    with _parquet(path) as table:
        known = [name for name in COLUMNS if name in table.schema_arrow.names]
        number = 0
        for batch in table.iter_batches(batch_size=_ROWS, columns=known):
            for row in batch.to_pylist():
                number += 1
                yield number, row


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigError(f'{path.name} is Parquet; to read it: pip install "scout[archive]"') from None
    try:
        with parquet.ParquetFile(path) as table:
            yield table
    except pyarrow.ArrowException as err:
        raise BadPapers(f"{path} cannot be read as Parquet: {err}") from err


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb") as file:
        yield file


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error) as err:
        raise BadPapers(f"{path} cannot be read: {getattr(err, 'strerror', None) or err}") from err
