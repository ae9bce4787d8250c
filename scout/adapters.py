"""Which adapter the served model rates with for a reader: loaded first, then pointed at, so that a server that will not have it
changes nothing.

Whether one may serve is decided elsewhere (`rl/promote.py` by `evals/gate.py`). Changes of the embedded policy and of the
adapter are one list of promotions, so that `rollback` takes back whichever came last.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scout import adapter_files, policies
from scout.adapter_files import BadAdapter
from scout.clock import now
from scout.config import Model, Settings
from scout.locks import Locked, held
from scout.policies import NoChange
from scout.serving import adapters as served
from scout.serving.errors import ModelError, ModelFault
from scout.store import Store
from scout.store.adapters import AdapterRow
from scout.store.promotions import Action, Promotion

if TYPE_CHECKING:
    from scout.serving.client import ModelClient

log = logging.getLogger("scout")

PREFIX = policies.ADAPTER
"""Before an adapter's name, where recipes and adapters stand in one list."""
NONE = f"{PREFIX}none"
"""The model itself."""


class ServerTrouble(NoChange):
    """The server could not be used, so nothing was changed."""

    def __init__(self, message: str, *, passes: bool) -> None:
        super().__init__(message)
        self.passes = passes
        """Whether trying again later may help."""


def titled(name: str) -> str:
    """An adapter as it stands among recipes; the model itself for no name."""
    return f"{PREFIX}{name}" if name else NONE


def untitled(recipe: str) -> str:
    return "" if recipe == NONE else recipe.removeprefix(PREFIX)


def known(store: Store, reader: str, given: str) -> AdapterRow:
    """The reader's adapter of that name, with or without the prefix.

    Raises:
        NoChange: there is none, or it is another reader's.
    """
    row = store.adapters.get(untitled(given))
    if row is None or row.reader != reader:
        names = ", ".join(each.name for each in store.adapters.listing(reader, limit=5)) or "none yet"
        raise NoChange(f"{reader} has no adapter called {untitled(given)!r}; there are: {names}")
    return row


def adopt(
    store: Store, settings: Settings, reader: str, source: Path, *, run: str = "", base: str, facts: Mapping[str, Any]
) -> AdapterRow:  # fmt: skip
    """Copy the adapter in `source` into the data directory under a new name and write it down. It serves nobody by that.

    Args:
        base: the model that it adapts, as served.

    Raises:
        BadAdapter, OSError: see `adapter_files.bring`.
    """
    at, checksum = now(), adapter_files.inspected(source)
    plain = re.sub(r"[^a-z0-9]+", "-", reader.lower()).strip("-")[:40] or "reader"
    name = f"{plain}-{at:%Y%m%dt%H%M%S}-{checksum[:8]}"
    adapter_files.bring(settings, source, name)
    row = AdapterRow(name=name, reader=reader, base=base, checksum=checksum, made_at=at, run=run, facts=facts)
    store.adapters.add(row)
    return row


def asked(store: Store, settings: Settings, reader: str) -> Model:
    """How the model is asked to rate for this reader: by its adapter's name where one serves."""
    name = store.adapters.serving(reader)
    return settings.model.model_copy(update={"name": name}) if name else settings.model


def beneath(store: Store, settings: Settings, reader: str) -> Model:
    """How the model itself is asked, for what its adapter was not trained to do: by the name that the adapter adapts."""
    row = store.adapters.get(store.adapters.serving(reader))
    return settings.model.model_copy(update={"name": row.base}) if row and row.base else settings.model


async def ensure(client: ModelClient, store: Store, settings: Settings, name: str) -> None:
    """See to it that every endpoint has the adapter: a server that was started again has none.

    Raises:
        ModelError: an endpoint is away, serves another model, or does not take it.
    """
    row = store.adapters.get(name)
    if row is None:
        raise ModelError(ModelFault.NO_MODEL, f"no adapter is called {name}; `scout policy rollback` goes back")
    try:
        place = adapter_files.verify(settings, name, row.checksum)
    except (BadAdapter, OSError) as err:
        raise ModelError(
            ModelFault.NO_MODEL, f"{err}; `scout policy rollback` goes back to what served before"
        ) from err
    for endpoint in client.endpoints.all:
        names = await client.connection.listed(endpoint)
        if name in names:
            continue
        if row.base and row.base not in names:
            said = f"{endpoint.url} serves {names[0]}, and {name} adapts {row.base}"
            raise ModelError(ModelFault.NO_MODEL, said, endpoint.url)
        try:
            await served.load_at(client, endpoint, name, place)
        except ModelError as err:
            if err.kind.passes or err.kind is ModelFault.REFUSED:
                raise
            said = (
                f"{endpoint.url} does not take the adapter {name}: {err.message}; "
                "`scout serve` starts one that takes adapters, unless told --no-adapters"
            )
            raise ModelError(ModelFault.REJECTED, said, endpoint.url) from err
    log.info("adapter served", extra={"adapter": name})


def promote(
    store: Store, settings: Settings, reader: str, given: str, *, by: str, why: str = "", forced: bool = False,
    evidence: Mapping[str, Any] | None = None,
) -> Promotion:  # fmt: skip
    """Load the adapter into the running servers, then let the model read with it for `reader`.

    Raises:
        NoChange: there is no such adapter, or it serves already.
        ServerTrouble: a server is away or does not take it. Who serves is as before.
    """
    row, before = known(store, reader, given), store.adapters.serving(reader)
    if before == row.name:
        raise NoChange(f"{row.name} serves {reader} already")
    _loaded(store, settings, row.name)
    change = _point(
        store, reader, Action.PROMOTE, row.name, before, by=by, why=why, forced=forced, evidence=evidence or {}
    )  # fmt: skip
    retire(store, settings, before)
    return change


def rollback(store: Store, settings: Settings, reader: str, *, by: str, why: str = "") -> Promotion:
    """Take back the newest promotion that stands, be it of a recipe or of an adapter.

    Back to the model itself needs no server; back to another adapter loads that first.

    Raises:
        NoChange: no promotion stands.
        ServerTrouble: what served before cannot be loaded. Who serves is as before.
    """
    stands = policies.standing(store.promotions.listing(reader))
    if not stands or not stands[-1].recipe.startswith(PREFIX):
        return policies.rollback(store, reader, by=by, why=why)
    return _back(store, settings, reader, stands[-1], Action.ROLLBACK, by=by, why=why)


def restore(store: Store, settings: Settings, reader: str, *, by: str, why: str = "") -> Promotion:
    """Take the rollback back that was the last change, be it of a recipe or of an adapter.

    Raises:
        NoChange: the last change was no rollback.
        ServerTrouble: the adapter cannot be loaded. Who serves is as before.
    """
    last = next(iter(store.promotions.listing(reader, limit=1)), None)
    if last is None or last.action is not Action.ROLLBACK or not last.recipe.startswith(PREFIX):
        return policies.restore(store, reader, by=by, why=why)
    return _back(store, settings, reader, last, Action.RESTORE, by=by, why=why)


def _back(
    store: Store, settings: Settings, reader: str, undone: Promotion, action: Action, *, by: str, why: str
) -> Promotion:  # fmt: skip
    to, before = untitled(undone.from_recipe), store.adapters.serving(reader)
    if to:
        _loaded(store, settings, to)
    change = _point(store, reader, action, to, before, by=by, why=why, undoes=undone.id)
    retire(store, settings, before)
    return change


def retire(store: Store, settings: Settings, name: str) -> None:
    """Drop an adapter that serves nobody from the servers, unless a run is under way that may be reading with it.

    Where that cannot be now it stays loaded until the server ends, asked for by nobody.
    """
    if not name or name in store.adapters.served():
        return

    async def drop(client: ModelClient) -> None:
        await served.drop(client, name)

    try:
        with held(settings, "run"):
            _with_client(settings.model, drop)
    except (ModelError, Locked) as err:
        log.warning("adapter not dropped", extra={"adapter": name, "error": str(err)})


def _loaded(store: Store, settings: Settings, name: str) -> None:
    if not settings.model.base_urls:
        raise ServerTrouble(
            "model.base_urls names no server to load the adapter into; nothing was changed", passes=False
        )
    try:
        _with_client(settings.model, lambda client: ensure(client, store, settings, name))
    except ModelError as err:
        raise ServerTrouble(f"{err.message}; nothing was changed", passes=err.kind.passes) from err


def _with_client(model: Model, work: Callable[[ModelClient], Awaitable[None]]) -> None:
    from scout.serving.client import ModelClient

    async def whole() -> None:
        async with ModelClient(model) as client:
            await work(client)

    asyncio.run(whole())


def _point(
    store: Store, reader: str, action: Action, to: str, before: str, *, by: str, why: str, forced: bool = False,
    evidence: Mapping[str, Any] | None = None, undoes: int | None = None,
) -> Promotion:  # fmt: skip
    with store.writing():
        if store.adapters.serving(reader) != before:
            raise NoChange(f"another change of {reader}'s adapter came in between; look with `scout policy list`")
        change = Promotion(
            reader=reader, action=action, recipe=titled(to), version=to, from_recipe=titled(before), from_version=before,
            at=now(), by=by, why=why, forced=forced, evidence=evidence or {}, undoes=undoes,
        )  # fmt: skip
        change = replace(change, id=store.promotions.add(change))
        store.adapters.crown(reader, to, change.at, reason=f"{action} {change.id}")
    return change
