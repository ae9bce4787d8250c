"""Items of the archive close to one item: those that share rare pairs of its title's words, or its authors."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

from scout.items import Item, ItemId
from scout.store import Store
from scout.store.items import Stored
from scout.text import tex_to_plain

PAIRS = 8
EACH = 8
_AUTHOR = 0.5
_DULL = frozenset(
    "about across after against among and are based before between beyond does for from have how into its less more most new "
    "not over than that the their them through towards toward under using via what when where which while with without".split()
)


def neighbours(store: Store, item: Item, *, limit: int = 10) -> list[Stored]:
    """The closest first, the item itself left out."""
    scores: defaultdict[ItemId, float] = defaultdict(float)
    found: dict[ItemId, Stored] = {}

    def count(query: str, weight: float) -> None:
        hits = [hit.stored for hit in store.items.search(query, limit=EACH + 1) if hit.stored.item.id != item.id]
        for rank, stored in enumerate(hits[:EACH]):
            found[stored.item.id] = stored
            scores[stored.item.id] += weight / (1 + rank)

    words = [word for word in re.findall(r"\w{3,}", tex_to_plain(item.title).lower()) if word not in _DULL]
    for pair in list(pairwise(dict.fromkeys(words)))[:PAIRS]:
        count(" ".join(f'"{word}"' for word in pair), 1.0)
    for author in dict.fromkeys((*item.authors[:2], *item.authors[-1:])):
        count('"{}"'.format(author.replace('"', " ")), _AUTHOR)
    return sorted(found.values(), key=lambda stored: (-scores[stored.item.id], -stored.seq))[:limit]
