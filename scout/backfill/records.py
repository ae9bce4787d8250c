"""One record of a file, as an item. Pure; what is wrong with a record is said of that record alone.

Three forms are known, told apart by their keys: arXiv's metadata, as lists or as its snapshot writes it (authors and
categories as one text, the dates of versions); rows of scout's own archive; and whatever else has `id` and `title`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from scout.identity import parse_ref
from scout.items import Item, ItemId, ItemKind
from scout.store.items import stored_of
from scout.text import line, tidy

SOURCE = "backfill"
"""The source of what no source brought."""
COLUMNS = (
    "id", "title", "abstract", "text", "authors", "categories", "comment", "comments", "url",
    "published", "day", "versions", "update_date", "row",
)  # fmt: skip
"""What is read of a record; anything else in it is passed over."""
_ARXIV, _DOI = "arxiv:", "doi:"
_MOST_NAMES = 500


class BadRecord(ValueError):
    """A record that is no paper; the message says why, and is about this record alone."""


def item_of(record: Mapping[str, Any]) -> Item:
    """
    Raises:
        BadRecord: it has no usable id or title, or a field is of another kind than it must be.
    """
    if record.get("row") is not None:
        return _archived(record["row"])
    id = _id(record.get("id"))
    title = line(_text(record, "title"))
    if not title:
        raise BadRecord(f"{id} has no `title`")
    return Item(
        id=id,
        kind=ItemKind.PAPER if id.startswith((_ARXIV, _DOI)) else ItemKind.POST,
        title=title,
        url=_url(record, id),
        text=tidy(_text(record, "abstract") or _text(record, "text")),
        source="arxiv" if id.startswith(_ARXIV) else SOURCE,
        authors=_names(record, "authors", ", "),
        categories=_names(record, "categories", None),
        comment=line(_text(record, "comment") or _text(record, "comments"), limit=500),
        published=_published(record),
    )


def _archived(row: Any) -> Item:
    """What `scout archive` wrote: the item's own row, as JSON."""
    try:
        item = stored_of(json.loads(row)).item
    except (TypeError, ValueError, KeyError, RecursionError) as err:
        raise BadRecord(f"`row` is no row of the archive ({type(err).__name__}: {err})") from err
    if not all(isinstance(text, str) for text in (item.id, item.title, item.text, *item.authors, *item.categories)):
        raise BadRecord("`row` is no row of the archive: a text of it is none")
    return item


def _id(given: Any) -> ItemId:
    if not isinstance(given, str) or not given.strip():
        raise BadRecord("no `id`")
    if (found := parse_ref(given[:2000])) is None:
        raise BadRecord(f"`id` {line(given, limit=60)!r} is no arXiv number, DOI or address")
    return found


def _text(record: Mapping[str, Any], key: str) -> str:
    found = record.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise BadRecord(f"`{key}` is no text")
    return found


def _names(record: Mapping[str, Any], key: str, between: str | None) -> tuple[str, ...]:
    """A list of texts, or one text with the names one after the other, as arXiv's snapshot has them."""
    found = record.get(key)
    if found is None:
        return ()
    if isinstance(found, str):
        found = found.replace(" and ", ", ").split(between) if between else found.split(between)
    if not isinstance(found, Sequence) or not all(isinstance(entry, str) for entry in found):
        raise BadRecord(f"`{key}` is no list of texts")
    return tuple(name for name in (line(entry, limit=200) for entry in found[:_MOST_NAMES]) if name)


def _url(record: Mapping[str, Any], id: ItemId) -> str:
    given = _text(record, "url").strip()
    if given.startswith(("https://", "http://")) and len(given) <= 2000:
        return line(given, limit=2000)
    if id.startswith(_ARXIV):
        return f"https://arxiv.org/abs/{id.removeprefix(_ARXIV)}"
    if id.startswith(_DOI):
        return f"https://doi.org/{id.removeprefix(_DOI)}"
    return f"https://{id.removeprefix('url:')}" if id.startswith("url:") else ""


def _published(record: Mapping[str, Any]) -> datetime | None:
    """When it appeared: `published`, the `day` of its announcement, its first version, or its last change; None for none."""
    for key in ("published", "day"):
        if record.get(key):
            return _moment(record[key], key)
    versions = record.get("versions")
    if isinstance(versions, Sequence) and versions and isinstance(versions[0], Mapping):
        try:
            return parsedate_to_datetime(str(versions[0].get("created"))).astimezone(UTC)
        except (TypeError, ValueError):
            pass  # the day of its last change is better than none
    return _moment(record["update_date"], "update_date") if record.get("update_date") else None


def _moment(told: Any, key: str) -> datetime | None:
    try:
        if isinstance(told, date) and not isinstance(told, datetime):  # as Parquet tells days
            told = told.isoformat()
        found = told if isinstance(told, datetime) else datetime.fromisoformat(told)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as err:
        raise BadRecord(f"`{key}` is no day or time such as 2025-11-01") from err
