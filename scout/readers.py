"""Who reads: what a policy may know of a reader, and the ways in which a reader's word comes in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from scout import config
from scout.identity import parse_ref
from scout.items import OTHER, REASONS, Aspect, Feedback, Item, ItemId
from scout.references.pasted import parse_pasted
from scout.store import Store
from scout.triage.policy import Profile, Rules, Thumbed

VALUES = {
    Aspect.THUMB: ("up", "down", "none"),
    Aspect.SAVED: ("yes", "no"),
    Aspect.HIDDEN: ("yes", "no"),
}


LEARNED = 10_000
"""A policy learns from so many of a reader's thumbs, the newest: a year or more of them, and a fit of them takes some ten seconds."""


class UnknownItem(Exception):
    """No stored item goes by that name."""


class BadFeedback(Exception):
    """A word that means nothing here; the message lists what may be said."""


def profile(store: Store, settings: config.Settings, reader: str) -> Profile:
    """All that a policy is told of `reader`: subjects, thumbs with their items, corrections, liked examples, rules."""
    row = store.readers.get(reader)
    subjects = settings.subject_list()
    thumbs = store.feedback.newest_thumbs(reader, LEARNED)
    return Profile(
        reader=reader,
        subjects=subjects,
        followed=frozenset(row.subjects) if row and row.subjects is not None else None,
        thumbs=thumbed(store, thumbs),
        corrections=store.feedback.corrections(reader),
        liked=tuple((subject.slug, item) for subject in subjects for item in _liked(store, subject.liked)),
        allow=_rules(settings.triage.allow),
        block=_rules(settings.triage.block),
    )


def thumbed(store: Store, thumbs: Iterable[Feedback]) -> tuple[Thumbed, ...]:
    """Thumbs with their items; a thumb on an item that was deleted is left out."""
    thumbs = list(thumbs)
    items = store.items.many({thumb.item_id for thumb in thumbs})
    return tuple(
        Thumbed(item=items[thumb.item_id], up=thumb.value == "up", reasons=thumb.reasons, at=thumb.at)
        for thumb in thumbs
        if thumb.item_id in items
    )


def _rules(rules: config.Rules) -> Rules:
    return Rules(words=rules.words, authors=rules.authors, categories=rules.categories, sources=rules.sources)


def _liked(store: Store, refs: Iterable[str]) -> list[Item]:
    """Examples as items: what the store knows of them, else what a BibTeX entry itself says."""
    pasted = parse_pasted("\n".join(refs))
    known = store.items.known(pasted.ids)
    told = {item.id: item for item in pasted.items}
    return [found for id in pasted.ids if (found := known.get(id) or told.get(id))]


def find(store: Store, ref: str) -> Item:
    """The item that a person means by an id, an address or a DOI.

    Raises:
        UnknownItem: none is stored under that name.
    """
    for candidate in dict.fromkeys([ref, parse_ref(ref) or ref]):
        if item := store.items.get(candidate):
            return item
    if "://" in ref and (shown := store.items.at_address(ref)):
        return shown  # an address as scout shows it, also where arXiv's pages come from a mirror of one's own
    raise UnknownItem(f"no item is called {ref!r}; `scout search WORDS` finds items and shows their ids")


def give(
    store: Store, settings: config.Settings, *, reader: str, ref: str, aspect: Aspect, value: str, at: datetime,
    reasons: tuple[str, ...] = (), origin: str = "cli", token: str = "",
) -> Feedback:  # fmt: skip
    """Store a reader's word on an item.

    Raises:
        UnknownItem: no such item.
        BadFeedback: an unknown value, subject or reason.
    """
    allowed = VALUES.get(aspect) or (*(subject.slug for subject in settings.subjects), OTHER)
    if value not in allowed:
        raise BadFeedback(f"{aspect} is one of {', '.join(allowed)}, not {value!r}")
    if unknown := [reason for reason in reasons if reason not in REASONS]:
        raise BadFeedback(f"a reason is one of {', '.join(REASONS)}, not {unknown[0]!r}")
    item = find(store, ref)
    store.readers.ensure(reader, at)
    word = Feedback(reader, item.id, aspect, value, at, tuple(dict.fromkeys(reasons)), origin, token)
    store.feedback.add(word)
    return word


def like(store: Store, *, reader: str, ids: Iterable[ItemId], at: datetime, origin: str) -> int:
    """A thumb up for each of these stored items that has none yet; how many were given."""
    ids = list(ids)
    current = store.feedback.current(reader, ids)
    given = 0
    for id in store.items.known(ids):
        if Aspect.THUMB not in current.get(id, {}):
            store.feedback.add(Feedback(reader, id, Aspect.THUMB, "up", at, ("on-topic",), origin))
            given += 1
    return given
