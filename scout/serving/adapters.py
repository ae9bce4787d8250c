"""Adapters of the served model, loaded and dropped while it serves. Give each version a folder of its own.

vLLM keys its prefix cache by an adapter's name and path: another adapter under the same ones can be answered from stale state.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scout.serving import wire
from scout.serving.endpoints import Endpoint
from scout.serving.errors import ModelError, ModelFault

if TYPE_CHECKING:
    from scout.serving.client import ModelClient


async def load(client: ModelClient, name: str, folder: Path) -> None:
    """Load the adapter in `folder` on every endpoint; from then on it is asked for by `name`.

    Raises:
        ModelError: an endpoint is away, or does not take it: REJECTED says why.
    """
    await _everywhere(client, "load_lora_adapter", {"lora_name": name, "lora_path": str(folder.resolve())})


async def load_at(client: ModelClient, endpoint: Endpoint, name: str, folder: Path) -> None:
    """Load it on one endpoint alone.

    Raises:
        ModelError: as `load`.
    """
    body = {"lora_name": name, "lora_path": str(folder.resolve())}
    await client.connection.ask(endpoint, "POST", f"{endpoint.url}/load_lora_adapter", wire.encode(body))


async def ensure(client: ModelClient, name: str, folder: Path) -> None:
    """Load the adapter wherever it is not: on endpoints that were started again, or never had it.

    Raises:
        ModelError: as `load` does.
    """
    for endpoint in client.endpoints.all:
        if name not in await client.connection.listed(endpoint):
            body = wire.encode({"lora_name": name, "lora_path": str(folder.resolve())})
            await client.connection.ask(endpoint, "POST", f"{endpoint.url}/load_lora_adapter", body)


async def drop(client: ModelClient, name: str) -> None:
    """Drop it everywhere; an endpoint that does not have it is left as it is.

    Raises:
        ModelError: an endpoint is away.
    """
    await _everywhere(client, "unload_lora_adapter", {"lora_name": name}, absent_is_fine=True)


async def _everywhere(client: ModelClient, route: str, body: dict[str, str], *, absent_is_fine: bool = False) -> None:
    for endpoint in client.endpoints.all:
        try:
            await client.connection.ask(endpoint, "POST", f"{endpoint.url}/{route}", wire.encode(body))
        except ModelError as err:
            if not (absent_is_fine and err.kind == ModelFault.NO_MODEL):
                raise
