"""Who reads, with which settings, on this page load.

Without a login whoever opens the page may choose: the reader is the one named in the address (`?reader=`), else the one
chosen in this session, else the configured one. A reader other than the configured one is kept in the address, so that a
reload and a shared link keep it. With a login a visitor reads as themselves, whatever the address says.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from dashboard.visitors import who
from scout import config
from scout.access import Role, Visitor
from scout.clock import now
from scout.config import Settings
from scout.items import OTHER
from scout.store import Store
from scout.text import line

BUSY_SECONDS = 3.0
"""How long a page waits for a locked database before it says so."""


@dataclass(frozen=True, slots=True)
class Here:
    """What a page, a fragment or a callback needs to know to begin. Each opens its own store: they run in their own threads."""

    settings: Settings
    reader: str
    visitor: Visitor | None = None
    """Who logged in; None where no login is asked for."""

    @property
    def is_admin(self) -> bool:
        """Whether sources, subjects, runs and policies may be changed here."""
        return self.visitor is None or self.visitor.role is Role.ADMIN

    def store(self) -> Store:
        return Store(self.settings.database, busy_seconds=BUSY_SECONDS)

    @property
    def zone(self) -> str:
        return self.settings.digest.timezone


def here() -> Here:
    """This page load's reader and settings.

    Raises:
        ConfigError: the settings have a mistake.
        Stranger: nobody who may come in.
    """
    settings = load()
    visitor = who(settings)
    return Here(settings, visitor.reader if visitor else _reader(settings), visitor)


def begin() -> Here:
    """`here`, with a place for the reader in the database. Called once, at the top of the app.

    Raises:
        ConfigError, StoreError, Stranger
    """
    found = here()
    with found.store() as store:
        store.readers.ensure(found.reader, now())
    if found.visitor is None:
        become(found.reader, found.settings)
    return found


def become(reader: str, settings: Settings) -> None:
    """From now on this session reads as `reader`."""
    st.session_state["reader"] = reader
    if reader != settings.reader:
        if st.query_params.get("reader") != reader:
            st.query_params["reader"] = reader
    elif "reader" in st.query_params:
        del st.query_params["reader"]


def params(found: Here, **others: str) -> dict[str, str]:
    """The query of a link to another page, which keeps the reader."""
    is_named = found.visitor is None and found.reader != found.settings.reader
    return {**others, **({"reader": found.reader} if is_named else {})}


def subject_names(found: Here) -> dict[str, str]:
    """Slug → name of every subject, and of what fits none of them."""
    return {subject.slug: subject.name for subject in found.settings.subject_list()} | {OTHER: "Other"}


def name_of(typed: str) -> str:
    """A reader's name as it is stored: one line, nothing invisible, at most 60 characters."""
    return line(typed.encode("utf-8", "replace").decode(), limit=60)


def file_name(reader: str) -> str:
    """A reader's name as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", reader).strip("-") or "reader"


def load() -> Settings:
    """The settings as they are now: read again when the file or the environment changed."""
    path = config.config_path()
    try:
        stat = path.stat()
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    except OSError:
        state = (0, 0, 0)
    env = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("SCOUT_")))
    return _loaded(str(path), state, env)


@lru_cache(maxsize=4)
def _loaded(path: str, state: tuple[int, int, int], env: tuple[tuple[str, str], ...]) -> Settings:
    return config.load()


def _reader(settings: Settings) -> str:
    asked = name_of(st.query_params.get("reader", ""))
    return asked or st.session_state.get("reader") or settings.reader
