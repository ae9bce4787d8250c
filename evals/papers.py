"""Papers by the day they were announced, and who picked which: the input of what measures triage. Files in, items out.

A line of the papers' file is a JSON object with `id`, `day`, `title`, `abstract`, `authors`, `categories` and `comment`, as
in arXiv's metadata; the picks' file is an object of names, each with a list of ids or an object whose keys they are. What
stands beside an id there (upvotes) is not read: it is no input of any measure.
"""

from __future__ import annotations

import gzip
import json
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from scout.items import Item, ItemKind

PREFIX = "arxiv:"


class BadData(ValueError):
    """A file that cannot be used; the message names it, and the line where there is one."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Papers in the order of their days, each id once."""

    items: tuple[Item, ...]
    days: tuple[date, ...]
    """The day each was announced, never falling."""
    repeated: int = 0
    """Lines whose id an earlier line had; they are left out."""

    def __len__(self) -> int:
        return len(self.items)

    def between(self, first: date | None, until: date | None) -> Papers:
        """Those of `first` and later, before `until`; None for no bound."""
        begin = 0 if first is None else bisect_left(self.days, first)
        end = len(self.days) if until is None else bisect_left(self.days, until)
        return Papers(self.items[begin:end], self.days[begin:end])

    @property
    def without_text(self) -> int:
        return sum(not item.text.strip() for item in self.items)


def read_papers(path: Path) -> Papers:
    """
    Raises:
        BadData: the file, or a line of it, cannot be read.
    """
    found: dict[str, tuple[date, Item]] = {}
    total = 0
    for number, record in json_lines(path):
        item, day = _paper(record, f"{path.name}, line {number}")
        total += 1
        found.setdefault(item.id, (day, item))
    ordered = sorted(found.values(), key=lambda entry: entry[0])
    items = tuple(item for _, item in ordered)
    return Papers(items, tuple(day for day, _ in ordered), total - len(items))


def read_picks(path: Path) -> Mapping[str, frozenset[str]]:
    """Item ids by who picked them.

    Raises:
        BadData: the file cannot be read.
    """
    try:
        told = json.loads(_text(path))
    except ValueError as err:
        raise BadData(f"{path.name}: not JSON ({err})") from err
    if not isinstance(told, dict) or not told:
        raise BadData(f"{path.name}: expected an object with a list of ids under each name")
    for name, ids in told.items():
        if not isinstance(ids, list | dict) or not all(isinstance(id, str) for id in ids):
            raise BadData(f"{path.name}: what stands under {name!r} is no list of ids")
    return {name: frozenset(PREFIX + id.removeprefix(PREFIX) for id in ids) for name, ids in told.items()}


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with one a line, gzipped or not, with their line numbers from 1. Empty lines are passed over.

    Raises:
        BadData: the file, or a line of it, cannot be read.
    """
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as err:
            raise BadData(f"{path.name}, line {number}: not JSON ({err})") from err
        if not isinstance(record, dict):
            raise BadData(f"{path.name}, line {number}: not a JSON object")
        yield number, record


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("utf-8")
    except (OSError, EOFError, zlib.error) as err:
        raise BadData(f"{path}: cannot be read ({getattr(err, 'strerror', None) or err})") from err
    except UnicodeDecodeError as err:
        raise BadData(f"{path.name}: not UTF-8 text ({err.reason} at byte {err.start})") from err


def _paper(record: Mapping[str, Any], where: str) -> tuple[Item, date]:
    id, title = record.get("id"), record.get("title")
    if not isinstance(id, str) or not id.strip():
        raise BadData(f"{where}: no `id`")
    where = f"{where} ({id})"
    if not isinstance(title, str):
        raise BadData(f"{where}: no `title`")
    try:
        day = date.fromisoformat(record.get("day") or "")
    except (TypeError, ValueError) as err:
        raise BadData(f"{where}: `day` is no day such as 2025-11-01") from err
    bare = id.removeprefix(PREFIX)
    return Item(
        id=PREFIX + bare,
        kind=ItemKind.PAPER,
        title=title,
        url=f"https://arxiv.org/abs/{bare}",
        text=_string(record, "abstract", where),
        source="arxiv",
        authors=_strings(record, "authors", where),
        categories=_strings(record, "categories", where),
        comment=_string(record, "comment", where),
        published=datetime(day.year, day.month, day.day, tzinfo=UTC),
    ), day


def _string(record: Mapping[str, Any], key: str, where: str) -> str:
    found = record.get(key) or ""
    if not isinstance(found, str):
        raise BadData(f"{where}: `{key}` is no text")
    return found


def _strings(record: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    found = record.get(key) or ()
    if not isinstance(found, list | tuple) or not all(isinstance(entry, str) for entry in found):
        raise BadData(f"{where}: `{key}` is no list of texts")
    return tuple(found)
