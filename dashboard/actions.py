"""What a page may change: a reader's words on items, and work asked of the worker. Every one is small and quick.

A word carries a token of this session that changes only once it has landed, so a write that is tried again lands once; a
word that stands already is not written a second time. What goes wrong is told on the next draw, never raised in a callback.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import streamlit as st

from dashboard.session import Here
from scout import readers
from scout.access import NotAllowed
from scout.clock import now
from scout.config import ConfigError
from scout.items import Aspect, Feedback, ItemId
from scout.policies import NoChange
from scout.store import StoreError

ORIGIN = "dashboard"
READERS_MAY = ("onboard", "research")
"""Work that any reader may ask of the worker."""
_TROUBLE = "trouble"
_NONCE = "nonce"

Words = Mapping[Aspect, Feedback]
"""A reader's current words on one item."""

Board = dict[ItemId, Words]
"""The words on the items of a page. Whoever writes one reads it back, so the board shows what the database holds."""


def say(here: Here, board: Board, item: ItemId, aspect: Aspect, value: str, reasons: Collection[str] = ()) -> None:
    """Store the reader's word, unless it stands already."""
    token = st.session_state.setdefault(_NONCE, secrets.token_hex(16))
    with told():
        with here.store() as store, store.writing():
            standing = store.feedback.current(here.reader, [item]).get(item, {}).get(aspect)
            if _says_something_new(standing, value, reasons):
                readers.give(
                    store, here.settings, reader=here.reader, ref=item, aspect=aspect, value=value, at=now(),
                    reasons=tuple(reasons), origin=ORIGIN, token=token,
                )  # fmt: skip
            board[item] = store.feedback.current(here.reader, [item]).get(item, {})
        st.session_state[_NONCE] = secrets.token_hex(16)


def _says_something_new(standing: Feedback | None, value: str, reasons: Collection[str]) -> bool:
    if standing is None:
        return value not in ("none", "no")
    return (standing.value, set(standing.reasons)) != (value, set(reasons))


def undo(here: Here, board: Board, item: ItemId) -> None:
    """Take back the reader's last word on the item."""
    with told(), here.store() as store:
        store.feedback.undo(here.reader, item=item, at=now(), origin=ORIGIN)
        board[item] = store.feedback.current(here.reader, [item]).get(item, {})


def ask(here: Here, kind: str, payload: Mapping[str, Any]) -> None:
    """Queue work for the worker; the page that follows shows how far it is."""
    with told(), here.store() as store:
        if kind not in READERS_MAY:
            need_admin(here)
        store.jobs.ask(kind, payload, now())


def stop(here: Here, job: int) -> None:
    """Take back work that was asked of the worker."""
    with told(), here.store() as store:
        need_admin(here)
        store.jobs.stop(job, now())


def need_admin(here: Here) -> None:
    """Pages draw no button that a visitor may not press; this holds where one is pressed all the same.

    Raises:
        NotAllowed: the visitor is no administrator.
    """
    if not here.is_admin:
        raise NotAllowed("This is for administrators.")


@contextmanager
def told() -> Iterator[None]:
    """Keep what went wrong for `trouble` to tell."""
    try:
        yield
    except (StoreError, ConfigError, NoChange, readers.UnknownItem, readers.BadFeedback, NotAllowed) as err:
        st.session_state[_TROUBLE] = str(err)


def trouble() -> str | None:
    """What went wrong since the last draw, once."""
    message: str | None = st.session_state.pop(_TROUBLE, None)
    return message
