"""What many commands need: the settings, the store, an item by what a person typed, and the options they share."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scout.cli.errors import Missing
from scout.cli.output import complain

if TYPE_CHECKING:
    from scout.config import Settings
    from scout.store import Store
    from scout.store.items import Stored

F = TypeVar("F", bound=Callable[..., Any])


def as_json(command: F) -> F:
    """The option --json."""
    return click.option("--json", "json_", is_flag=True, help="Print JSON.")(command)


def reader_option(command: F) -> F:
    """The option --reader."""
    return click.option("--reader", metavar="NAME", help="Who reads; the setting `reader` unless given.")(command)


def settings(*, warn: bool = True) -> Settings:
    """The settings, with the log begun where they say; where `SCOUT_CONFIG` names no file, a line of warning.

    Raises:
        ConfigError: they do not fit.
    """
    from scout import logs
    from scout.config import load

    found = load()
    named = os.environ.get("SCOUT_CONFIG")
    if warn and named and not os.path.exists(named):
        complain(f"SCOUT_CONFIG names {named}, which does not exist; the defaults are used (`scout init` writes one)")
    logs.start(found.log_file)
    return found


def open_store(found: Settings, *, create: bool = False) -> Store:
    """The database. Commands that only look do not make one.

    Raises:
        Missing: there is none yet.
        StoreError: it cannot be used now.
        ConfigError: its folder cannot be made.
    """
    from scout.locks import unusable
    from scout.store import Store

    try:
        if create:
            found.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise unusable(found, err) from err
    if not create and not found.database.exists():
        raise Missing(f"there is nothing in {found.data_dir} yet; `scout run` fetches the first items")
    return Store(found.database)


def find_item(store: Store, ref: str) -> Stored:
    """The item that an id, an alias, an arXiv number, a DOI or an address stands for.

    Raises:
        Missing: no such item is stored.
    """
    from scout.identity import parse_ref
    from scout.readers import UnknownItem, find

    try:
        stored = store.items.stored(find(store, typed(ref)).id)
    except UnknownItem as err:
        id = parse_ref(typed(ref)) or typed(ref)
        if store.archive.file_of(id):
            raise Missing(f"{id} is in the archive; `scout archive restore {id}` puts it back") from err
        raise Missing(str(err)) from err
    assert stored is not None
    return stored


def typed(text: str) -> str:
    """What was typed, as text that can be stored: bytes that are no UTF-8 become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8").strip()


def reader_name(found: Settings, given: str | None) -> str:
    name = found.reader if given is None else typed(given)
    if not name:
        raise click.UsageError("--reader needs a name")
    return name


def existing_reader(store: Store, found: Settings, given: str | None) -> str:
    """
    Raises:
        Missing: nobody reads under that name.
    """
    from scout.pipeline import readers

    name, names = reader_name(found, given), readers(store, found)
    if name not in names:
        raise Missing(f"no reader {name!r}; there are {', '.join(names)}")
    return name


def new_token() -> str:
    """Makes a write land once, however often it is tried again."""
    return f"cli-{secrets.token_hex(8)}"
