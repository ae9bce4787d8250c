"""Which names and addresses of a feed's entries can be trusted to name one entry only. Pure.

Feeds exist that give all their entries one GUID, or one link, sometimes with a single entry shown at a time; so what the
last poll saw counts too. A false merge is worse than a repeat: in doubt, a name is shared.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scout.sources.parsed import ParsedEntry

_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Uniqueness:
    """The names that more than one entry bears, as hashes, and what the next poll needs to find more of them."""

    shared: frozenset[str] = frozenset()
    memory: Mapping[str, Any] = field(default_factory=dict)

    def guid(self, entry: ParsedEntry) -> bool:
        return entry.guid is not None and _hash("guid", entry.guid) not in self.shared

    def link(self, entry: ParsedEntry) -> bool:
        return entry.link is not None and _hash("link", entry.link) not in self.shared


def weigh(entries: Sequence[ParsedEntry], memory: Mapping[str, Any]) -> Uniqueness:
    """Judge the names of `entries`, given the memory that the poll before left."""
    titles_of_link: defaultdict[str, set[str]] = defaultdict(set)
    owners_of_guid: defaultdict[str, set[str]] = defaultdict(set)
    seen: dict[str, list[str]] = {}
    for entry in entries:
        title, link, guid = (
            _hash("title", entry.title),
            _hash("link", entry.link or ""),
            _hash("guid", entry.guid or ""),
        )
        if entry.link:
            titles_of_link[link].add(title)
        if entry.guid:
            owners_of_guid[guid].add(link + title)
            seen[guid] = [link, title]
    shared = {
        name for owners in (titles_of_link, owners_of_guid) for name, bearers in owners.items() if len(bearers) > 1
    }
    shared |= _changed_hands(seen, memory)
    kept = list(dict.fromkeys([*memory.get("shared", ()), *sorted(shared)]))[-_REMEMBERED:]
    return Uniqueness(frozenset(kept) | shared, {"shared": kept, "seen": seen})


def _changed_hands(seen: Mapping[str, list[str]], memory: Mapping[str, Any]) -> set[str]:
    """GUIDs that named something with another link and title before, and links that had another GUID and title."""
    before: Mapping[str, list[str]] = memory.get("seen", {})
    guid_of_link = {link: (guid, title) for guid, (link, title) in before.items()}
    found = set()
    for guid, (link, title) in seen.items():
        if guid in before and before[guid][0] != link and before[guid][1] != title:
            found.add(guid)
        if link in guid_of_link and guid not in before:
            earlier_guid, earlier_title = guid_of_link[link]
            if earlier_guid != guid and earlier_title != title:
                found.add(link)
    return found


def _hash(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}\0{value}".encode("utf-8", "surrogatepass")).hexdigest()[:10]
