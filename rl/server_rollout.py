"""Rollouts from a running vLLM server: token ids in, token ids out, the policy as an adapter with a name of its own per version.

Each version is saved to a new folder and loaded under a new name, which ends in a digest of its weights: what answered by that
name is that policy and no other, and no cache of an earlier one is asked. A server that was started again is given the adapter
again. What may be trained on is `rl.completions`'. Of several processes the first one asks; `rl.pipeline` tells the others.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import torch

from rl import completions, lora
from rl.distributed import world
from rl.rollout import Refused, Rollout, SamplerFailed, Sampling
from scout.config import Model
from scout.serving import adapters
from scout.serving.client import ModelClient, Patience
from scout.serving.endpoints import Endpoint
from scout.serving.errors import ModelError, ModelFault
from scout.serving.side_by_side import side_by_side

log = logging.getLogger("scout")
T = TypeVar("T")
PATIENCE = Patience(attempts=10, longest_pause=20.0)
"""A server that is started again takes a minute or more; `timeout_seconds` of the settings ends it at the latest."""
_LOOK = 0.2
"""Seconds between looks at whether anybody still waits."""
_ADAPTER = "adapter_model.safetensors"


class ServerSampler:
    """Samples by the adapters that it publishes. As a context it drops them at its end, where the server can be reached.

    Args:
        settings: the server's addresses and key; each of several is given every adapter.
        folder: adapters are saved below it, where the server can read them.
        run: the first part of every name, so that runs do not meet.
        keep: so many versions stay loaded: those that rollouts in flight still need.
    """

    overlaps = True

    def __init__(
        self, settings: Model, folder: Path, *, run: str, keep: int = 4, patience: Patience = PATIENCE
    ) -> None:
        self._settings, self._folder, self._run = settings, folder, run
        self._keep, self._patience = keep, patience
        self._names: dict[str, str] = {}
        self._given_up = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keep, self._patience = 0, Patience(attempts=1)
        self._drop_old()

    def give_up(self) -> None:
        """Requests that are out now are ended; later ones are not concerned."""
        self._given_up += 1

    def name_of(self, version: str) -> str:
        """What a published version is called at the server.

        Raises:
            SamplerFailed: it was not published, or was dropped since.
        """
        try:
            return self._names[version]
        except KeyError:
            raise SamplerFailed(f"{version} is not loaded; there are {', '.join(self._names) or 'none'}") from None

    def publish(self, model: Any, version: str) -> None:
        """Save the model's adapter and load it.

        Raises:
            SamplerFailed: the model has none, it cannot be saved, or the server does not take it.
        """
        if not hasattr(model, "save_pretrained") or not hasattr(model, "peft_config"):
            raise SamplerFailed("a server takes adapters: train with LoRA, or sample in this process")
        state = lora.state_of(model)
        if world().rank:
            return
        if not all(value.isfinite().all() for value in state.values()):
            raise SamplerFailed(f"the adapter of {version} holds what is no finite number: it is not published")
        name = self._save(model, state, version)
        self._asking(lambda client: self._load(client, name), f"the adapter of {version} cannot be loaded")
        self._names[version] = name
        self._drop_old()

    def sample(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, *, version: str, seed: int
    ) -> list[Rollout | Refused]:
        """
        Raises:
            SamplerFailed: no server, no such version, or answers that are not this policy's.
        """
        name = self.name_of(version)

        async def all_(client: ModelClient) -> list[Rollout | Refused]:
            mending = asyncio.Lock()

            async def one(n: int) -> Rollout | Refused:
                body = completions.asked(name, prompts[n], sampling, seed=seed + n)
                try:
                    answer = await self._complete(client, body, mending)
                except ModelError as err:
                    if err.kind == ModelFault.TOO_LONG:
                        return Refused(err.message)
                    raise
                return completions.answered(answer, model=name, prompt=prompts[n], sampling=sampling, version=version)

            return await side_by_side(one(n) for n in range(len(prompts)))

        return self._asking(all_, f"no rollouts of {version}")

    def scored(self, ids: Sequence[int], *, version: str | None = None) -> torch.Tensor:
        """[T - 1] log-probabilities of ids 1 to T - 1 by a published version; by the model without adapter where None.

        Raises:
            SamplerFailed: the server does not tell.
        """

        async def ask(client: ModelClient) -> list[float]:
            name = await client.model_name() if version is None else self.name_of(version)
            answer = await self._complete(client, completions.asked_to_score(name, ids), asyncio.Lock())
            return completions.scored(answer, model=name, ids=ids)

        return torch.tensor(self._asking(ask, "tokens cannot be scored"))

    def _save(self, model: Any, state: dict[str, torch.Tensor], version: str) -> str:
        beside = self._folder / f"{self._run}-{version}.part"
        try:
            shutil.rmtree(beside, ignore_errors=True)
            model.save_pretrained(beside, state_dict=state, save_embedding_layers=False)
            digest = hashlib.blake2b((beside / _ADAPTER).read_bytes(), digest_size=6).hexdigest()
            name = f"{self._run}-{version}-{digest}"
            shutil.rmtree(self._folder / name, ignore_errors=True)
            beside.rename(self._folder / name)
        except OSError as err:
            raise SamplerFailed(f"the adapter of {version} cannot be saved to {self._folder}: {err}") from err
        return name

    async def _load(self, client: ModelClient, name: str) -> None:
        async def once(_: Endpoint) -> None:
            await adapters.ensure(client, name, self._folder / name)

        await client.patiently(once)

    async def _complete(self, client: ModelClient, body: dict[str, Any], mending: asyncio.Lock) -> dict[str, Any]:
        async def once(endpoint: Endpoint) -> dict[str, Any]:
            return await client.connection.post(endpoint, f"{endpoint.url}/completions", body)

        try:
            return await client.patiently(once)
        except ModelError as err:
            if err.kind != ModelFault.NO_MODEL or body["model"] not in self._names.values():
                raise
        async with mending:
            log.warning("adapter loaded again", extra={"adapter": body["model"], "why": "the server had lost it"})
            await self._load(client, body["model"])
        return await client.patiently(once)

    def _drop_old(self) -> None:
        for version in list(self._names)[: max(0, len(self._names) - self._keep)]:
            name = self._names.pop(version)
            try:
                self._asking(lambda client, name=name: adapters.drop(client, name), "")  # type: ignore[misc]
            except SamplerFailed as err:
                log.warning("adapter not dropped", extra={"adapter": name, "why": str(err)})
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def _asking(self, do: Callable[[ModelClient], Awaitable[T]], failing: str) -> T:
        before = self._given_up

        async def inside() -> T:
            async with ModelClient(self._settings, patience=self._patience) as client:
                work = asyncio.ensure_future(do(client))
                while not (await asyncio.wait([work], timeout=_LOOK))[0]:
                    if self._given_up != before:
                        work.cancel()
                        await asyncio.wait([work])
                        raise SamplerFailed(f"{failing}: nobody waits for them any more")
                return work.result()

        try:
            return asyncio.run(inside())
        except ModelError as err:
            raise SamplerFailed(f"{failing}: {err.message}") from err
