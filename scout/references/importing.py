"""A reader's library of references taken in: each looked up here and at arXiv, and kept as saved, liked or both.

What the file itself tells (title, authors, abstract) stands where nobody else knows the paper. What names no paper is handed back
with its line. Nothing but arXiv is asked, and of it only numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from scout.items import Aspect, Feedback, Item, ItemId
from scout.net.errors import FetchError
from scout.readers import like
from scout.references.files import Library
from scout.references.pasted import paper
from scout.store import Store

SOURCE = "import"
"""The source of items that exist only because a library named them."""


class Keep(StrEnum):
    SAVED = "saved"
    LIKED = "liked"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a library."""

    references: int
    known: int
    """Were stored here already."""
    fetched: int
    """Came from arXiv."""
    told: int
    """Stand in the file's own words."""
    saved: int
    liked: int
    """Those that had no such word of this reader yet."""
    unknown: tuple[tuple[int, str, str], ...]
    """(line, key, why) of what was not taken in."""
    trouble: str = ""
    """Why arXiv could not be asked; empty where it could."""


LookUp = Callable[[Sequence[ItemId]], list[Item]]
"""arXiv papers by their ids; raises FetchError where arXiv cannot be read."""


def take(
    store: Store, library: Library, *, reader: str, keep: Keep, at: datetime, look_up: LookUp | None = None
) -> Taken:
    """Take `library` in for `reader`. Without `look_up` nobody outside is asked.

    Raises:
        StoreError: the database cannot be written.
    """
    named, unknown = _named(library)
    known = store.items.known(named)
    archived = [id for id in named if id not in known and store.archive.file_of(id)]
    buried = store.items.tombstoned([id for id in named if id not in known]) - set(archived)
    missing = [id for id in named if id not in known and id not in archived and id not in buried]
    fetched, trouble = _fetched([id for id in missing if id.startswith("arxiv:")], look_up)
    came = {item.id for item in fetched}
    told = [named[id][2] for id in missing if id not in came and named[id][2].title]
    for id in missing:
        if id not in came and not named[id][2].title:
            unknown.append(
                (*named[id][:2], f"{id} is not known here{'' if trouble else ' nor at arXiv'}, and has no title")
            )
    unknown += [(*named[id][:2], f"{id} is in the archive: scout archive restore {id}") for id in archived]
    unknown += [(*named[id][:2], f"{id} was deleted here") for id in named if id in buried]
    with store.writing():
        store.items.add_old([*fetched, *told], at)
        kept = list(dict.fromkeys(item.id for item in store.items.known(named).values()))
        store.readers.ensure(reader, at)
        saved = _save(store, reader, kept, at) if keep is not Keep.LIKED else 0
        liked = like(store, reader=reader, ids=kept, at=at, origin="import") if keep is not Keep.SAVED else 0
    return Taken(
        references=len(library.references), known=len(known), fetched=len(fetched), told=len(told), saved=saved,
        liked=liked, unknown=tuple(sorted(unknown)), trouble=trouble,
    )  # fmt: skip


def _named(library: Library) -> tuple[dict[ItemId, tuple[int, str, Item]], list[tuple[int, str, str]]]:
    """Id → where it stands and what the file says of it, each once; and what names no paper."""
    named: dict[ItemId, tuple[int, str, Item]] = {}
    unknown = [(where, "", why) for where, why in library.unread]
    for reference in library.references:
        found = paper(reference.fields)
        if found is None:
            unknown.append((reference.line, reference.key, "no arXiv number, DOI or address"))
        else:
            named.setdefault(found.id, (reference.line, reference.key, replace(found, source=SOURCE)))
    return named, unknown


def _fetched(ids: Sequence[ItemId], look_up: LookUp | None) -> tuple[list[Item], str]:
    if not ids or look_up is None:
        return [], "" if not ids else "not asked"
    try:
        return look_up(ids), ""
    except FetchError as err:
        return [], err.message


def _save(store: Store, reader: str, ids: Sequence[ItemId], at: datetime) -> int:
    current = store.feedback.current(reader, ids)
    new = [id for id in ids if (word := current.get(id, {}).get(Aspect.SAVED)) is None or word.value != "yes"]
    for id in new:
        store.feedback.add(Feedback(reader, id, Aspect.SAVED, "yes", at, (), "import"))
    return len(new)
