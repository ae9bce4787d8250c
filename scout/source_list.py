"""Sources added by a person: under which id, and when one is there already. Used by the command line and by jobs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime
from urllib.parse import urlsplit

from scout.identity import canonical_url
from scout.items import SourceKind
from scout.store import Store
from scout.store.sources import SourceRow


def source_id(title: str, url: str, *, taken: Collection[str]) -> str:
    """A short id that can be typed: from the title, else from the host; numbered where it is taken."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", ascii_title.lower()) or re.findall(r"[a-z0-9]+", urlsplit(url).hostname or "feed")
    base = "-".join(words)[:40].strip("-")
    id, n = base, 2
    while id in taken:
        id, n = f"{base}-{n}", n + 1
    return id


def known_feed(store: Store, url: str) -> SourceRow | None:
    """The source that polls this address already, however it is written."""
    wanted = canonical_url(url)
    return next(
        (row for row in store.sources.all() if row.url == url or (wanted and canonical_url(row.url) == wanted)), None
    )


def removed_source(store: Store, url: str) -> SourceRow | None:
    """The source of this address that a user removed."""
    wanted = canonical_url(url)
    return next(
        (row for row in store.sources.all(removed=True) if row.removed and canonical_url(row.url) == wanted), None
    )


def add_feed(store: Store, *, title: str, url: str, origin: str = "user", at: datetime) -> tuple[str, bool]:
    """Add a feed; its id, and whether it is new. One that a user removed earlier comes back as what it was."""
    if known := known_feed(store, url):
        return known.id, False
    if back := removed_source(store, url):
        store.sources.add(back.id, back.kind, url, title=title, origin=origin, at=at)
        return back.id, True
    id = source_id(title, url, taken={row.id for row in store.sources.all(removed=True)})
    store.sources.add(id, SourceKind.FEED, url, title=title, origin=origin, at=at)
    return id, True


def add_feeds(store: Store, feeds: Iterable[tuple[str, str]], *, origin: str, at: datetime) -> tuple[list[str], int]:
    """Add (title, url) pairs: the ids of the new ones, and how many were known. Addresses that are not http(s) count as neither."""
    new, known = [], 0
    with store.writing():
        for title, url in feeds:
            if canonical_url(url) is None:
                continue
            id, is_new = add_feed(store, title=title, url=url, origin=origin, at=at)
            if is_new:
                new.append(id)
            else:
                known += 1
    return new, known
