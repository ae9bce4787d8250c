"""What an item is to what a reader has read: new, the next of something, or the same again. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scout.items import ItemId
from scout.links import UNRELATED, Link, LinkKind, Relation, RelationKind
from scout.triage.novelty import REPEATS, Nearness

READ = ("which you liked", "which you saved", "which you disliked", "which was in your digest")
"""What a reader may have done with an item, what says most of having read it first."""


def relation(
    id: ItemId, links: Sequence[Link], read: Mapping[ItemId, str], near: Nearness, titles: Mapping[ItemId, str]
) -> Relation:
    """The relation of an item by its links, the strongest first, and by its likeness to what was read lately.

    `read` are the items that the reader knows, with one of `READ`; `titles` what they are called.
    """
    earlier = [link for link in links if link.later == id and link.earlier in read]
    same = [link for link in links if link.kind is LinkKind.DUPLICATE and _other(link, id) in read]
    if same:
        other = _other(same[0], id)
        return Relation(RelationKind.REPEAT, other, titles.get(other, ""), same[0].why, read[other])
    if near.highest >= REPEATS and near.nearest in read and near.nearest != id:
        return Relation(
            RelationKind.REPEAT, near.nearest, titles.get(near.nearest, ""), "nearly the same words", read[near.nearest]
        )
    if earlier:
        best = min(earlier, key=lambda link: (READ.index(read[link.earlier]), list(LinkKind).index(link.kind)))
        return Relation(
            RelationKind.FOLLOW_UP, best.earlier, titles.get(best.earlier, ""), best.why, read[best.earlier]
        )
    return UNRELATED


def _other(link: Link, id: ItemId) -> ItemId:
    return link.earlier if link.later == id else link.later
