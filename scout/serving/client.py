"""The one client of the model: asks any OpenAI-compatible endpoint, balances several, tries again within bounds.

`async with ModelClient(settings.model) as model: reply = await model.chat(messages, max_tokens=200)`. Every failure is a
`ModelError`. What vLLM adds to the protocol (priority, the log-probabilities of named tokens) is asked for, and done
without on an endpoint that rejects it. What bodies look like is `wire`'s.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from scout import clock as clocks
from scout.config import Model
from scout.serving import labels as labelling
from scout.serving import wire
from scout.serving.connection import Connection
from scout.serving.endpoints import Endpoint, Endpoints
from scout.serving.errors import ModelError, ModelFault
from scout.serving.messages import Finish, LabelReading, Message, Reply, Tool

T = TypeVar("T")

_TRIED_AGAIN = frozenset({ModelFault.AWAY, ModelFault.BUSY, ModelFault.BAD_REPLY})
"""Slowness is not: the deadline is for all tries together."""
_TRIED_ELSEWHERE = _TRIED_AGAIN | {ModelFault.NO_MODEL, ModelFault.REFUSED}
"""On another endpoint; the same one would say the same."""
_NOT_OFFERED = (ModelFault.NO_MODEL, ModelFault.REJECTED, ModelFault.REFUSED)
"""How a server without a route says so; vLLM refuses some (403) that it was not told to open."""
_NO_THINKING = {"enable_thinking": False, "thinking": False}
"""What the chat templates of hybrid models call the switch; a template that knows neither ignores them."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is tried, and how long is waited between."""

    attempts: int = 3
    first_pause: float = 0.5
    longest_pause: float = 8.0
    """A server that asks for a longer pause than this is left alone, and the caller told when to come back."""


class ModelClient:
    """Safe to use from many tasks of one event loop at once; at most `settings.concurrency` requests are out at a time."""

    def __init__(
        self,
        settings: Model,
        *,
        clock: Callable[[], datetime] = clocks.now,
        patience: Patience = Patience(),
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.settings = settings
        self.endpoints = Endpoints(settings.base_urls)
        self._clock, self._patience, self._pause = clock, patience, pause
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._random = random.Random()  # noqa: S311  spreads pauses
        self.connection = Connection(settings, clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.connection.close()

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        schema: Mapping[str, Any] | None = None,
        tools: Sequence[Tool] | None = None,
        tool_choice: str | None = None,
        priority: int = 0,
        seed: int | None = None,
        deadline: float | None = None,
        cut_is_fault: bool = True,
    ) -> Reply:
        """The model's next turn. `deadline` is in seconds for all tries together; the setting unless given.

        Raises:
            ModelError: no answer, an unusable one, or (CUT, unless `cut_is_fault` is off) one that ran into `max_tokens`.
        """
        body = wire.chat_body(
            messages, max_tokens=max_tokens, temperature=temperature, schema=schema, tools=tools,
            tool_choice=tool_choice, seed=seed,
        )  # fmt: skip
        extra = {"priority": priority} if priority else {}
        started = time.perf_counter()

        async def once(endpoint: Endpoint) -> Reply:
            answer = await self.connection.complete(endpoint, body, extra)
            return wire.reply(answer, endpoint.url, time.perf_counter() - started)

        found = await self.patiently(once, deadline)
        if cut_is_fault and found.finish_reason == Finish.LENGTH:
            said = f"the answer of {found.model} was cut off after {found.usage.completion} tokens"
            raise ModelError(ModelFault.CUT, said, found.endpoint, reply=found)
        return found

    async def label(self, messages: Sequence[Message], labels: Sequence[str], *, priority: int = 0) -> dict[str, float]:
        """The probability of each label as the next token, renormalised over the labels.

        Raises:
            ModelError: no answer; BAD_REPLY where it tells no probability of any label.
        """
        return dict((await self.read_labels(messages, labels, priority=priority)).probabilities)

    async def read_labels(
        self, messages: Sequence[Message], labels: Sequence[str], *, priority: int = 0
    ) -> LabelReading:
        """`label` with what it cost and what share of all probability the labels have."""
        body = wire.chat_body(messages, max_tokens=1, temperature=0.0)
        body |= {"logprobs": True, "top_logprobs": labelling.TOP}

        async def once(endpoint: Endpoint) -> LabelReading:
            extra: dict[str, Any] = {"chat_template_kwargs": _NO_THINKING}
            if priority:
                extra["priority"] = priority
            if ids := await self._label_ids(endpoint, labels):
                extra["logprob_token_ids"] = ids
            answer = await self.connection.complete(endpoint, body, extra)
            try:
                probabilities, mass = labelling.normalised(labelling.masses(answer, labels))
            except (KeyError, IndexError, TypeError, ValueError) as err:
                said = f"{endpoint.url} told no log-probabilities of {', '.join(labels)} ({type(err).__name__}: {err})"
                raise ModelError(ModelFault.BAD_REPLY, said, endpoint.url) from err
            return LabelReading(
                probabilities, mass, wire.usage(answer), str(answer.get("model") or endpoint.model), endpoint.url
            )

        return await self.patiently(once)

    async def models(self) -> tuple[str, ...]:
        """The names that the first endpoint that answers serves.

        Raises:
            ModelError: none answers.
        """
        return await self.patiently(self.connection.listed)

    async def model_name(self) -> str:
        """The model asked: the setting, else the first that is served.

        Raises:
            ModelError: it is not set and no endpoint answers.
        """
        return self.settings.name or await self.patiently(self.connection.name)

    async def render(self, messages: Sequence[Message], *, tools: Sequence[Tool] | None = None) -> str | None:
        """The prompt that the server makes of `messages`, as text; None where the endpoint has no such route.

        Raises:
            ModelError: no answer.
        """

        async def once(endpoint: Endpoint) -> str | None:
            if (tokens := await self._rendered(endpoint, messages, tools)) is None:
                return None
            ids = {"model": await self.connection.name(endpoint), "tokens": tokens}
            try:
                return str((await self.connection.post(endpoint, f"{endpoint.root}/detokenize", ids))["prompt"])
            except ModelError as err:
                if err.kind in _NOT_OFFERED:
                    return None
                raise
            except (KeyError, TypeError) as err:
                raise ModelError(
                    ModelFault.BAD_REPLY, f"{endpoint.url} made no text of tokens: {err}", endpoint.url
                ) from err

        return await self.patiently(once)

    async def rendered_ids(
        self, messages: Sequence[Message], *, tools: Sequence[Tool] | None = None
    ) -> list[int] | None:
        """`render` as token ids.

        Raises:
            ModelError: no answer.
        """
        return await self.patiently(lambda endpoint: self._rendered(endpoint, messages, tools))

    async def _rendered(
        self, endpoint: Endpoint, messages: Sequence[Message], tools: Sequence[Tool] | None
    ) -> list[int] | None:
        body = wire.chat_body(messages, max_tokens=1, temperature=0.0, tools=tools)
        body["model"] = await self.connection.name(endpoint)
        try:
            prompt = await self.connection.post(endpoint, f"{endpoint.url}/chat/completions/render", body)
            return [int(token) for token in prompt["token_ids"]]
        except ModelError as err:
            if err.kind in _NOT_OFFERED:
                return None
            raise
        except (KeyError, TypeError, ValueError) as err:
            raise ModelError(ModelFault.BAD_REPLY, f"{endpoint.url} rendered no tokens: {err}", endpoint.url) from err

    async def patiently(self, once: Callable[[Endpoint], Awaitable[T]], deadline: float | None = None) -> T:
        """What `once` gives for the endpoint that suits best; other endpoints and pauses where it fails in passing."""
        if not self.endpoints.all:
            raise ModelError(ModelFault.AWAY, "no model is set: give its address in model.base_urls of scout.toml")
        seconds = self.settings.timeout_seconds if deadline is None else deadline
        asked = self.endpoints.all[0]
        try:
            async with self._slots, asyncio.timeout(seconds):
                tried: set[Endpoint] = set()
                for left in range(max(self._patience.attempts, len(self.endpoints.all)) - 1, -1, -1):
                    asked = self.endpoints.choose(time.monotonic(), tried=tried)
                    try:
                        found = await once(asked)
                        asked.answered()
                        return found
                    except ModelError as err:
                        tried.add(asked)
                        self._note(asked, err)
                        others = len(tried) < len(self.endpoints.all)
                        if not left or err.kind not in (_TRIED_ELSEWHERE if others else _TRIED_AGAIN):
                            raise
                        if not others:
                            await self._wait(err, self._patience.attempts - left)
                raise AssertionError("unreachable: the last try returns or raises")
        except TimeoutError as err:
            asked.failed(time.monotonic())
            said = f"{asked.url} gave no whole answer within {seconds:g} s"
            raise ModelError(ModelFault.SLOW, said, asked.url) from err

    def _note(self, endpoint: Endpoint, err: ModelError) -> None:
        if err.kind in _TRIED_ELSEWHERE or err.kind == ModelFault.SLOW:
            endpoint.failed(time.monotonic())
        if err.kind in (ModelFault.AWAY, ModelFault.NO_MODEL):
            endpoint.model = ""  # whatever comes back there may be another

    async def _wait(self, err: ModelError, attempt: int) -> None:
        """Pause before the next try; a server that wants to be left alone for long is."""
        pause = min(self._patience.longest_pause, self._patience.first_pause * 2.0 ** max(0, attempt - 1))
        if err.retry_at is not None:
            wished = (err.retry_at - self._clock()).total_seconds()
            if wished > self._patience.longest_pause:
                raise err
            pause = max(wished, 0.0)
        await self._pause(pause * (1 + self._random.random() / 4))

    async def _label_ids(self, endpoint: Endpoint, labels: Sequence[str]) -> list[int]:
        """Token ids of the labels, asked for once; none where the endpoint does not tell, or a label is no single token."""
        if endpoint.plain:
            return []
        model = await self.connection.name(endpoint)
        ids: list[int] = []
        for label in labels:
            if (model, label) not in endpoint.labels:
                endpoint.labels[model, label] = await self._tokens(endpoint, model, label)
            if not endpoint.labels[model, label]:
                return []
            ids.extend(endpoint.labels[model, label])
        return ids

    async def _tokens(self, endpoint: Endpoint, model: str, label: str) -> tuple[int, ...]:
        found: list[int] = []
        for form in labelling.forms(label):
            body = {"model": model, "prompt": form, "add_special_tokens": False}
            try:
                answer = await self.connection.post(endpoint, f"{endpoint.root}/tokenize", body)
                found.extend(labelling.one_token([int(token) for token in answer["tokens"]]))
            except ModelError as err:
                if err.kind.passes:
                    raise
                return ()
            except (KeyError, TypeError, ValueError):
                return ()
        return tuple(found)
