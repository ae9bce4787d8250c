"""An OpenAI-compatible server on loopback whose every answer a test can script, with latency and faults to order.

    with serving() as server:
        settings = Model(base_urls=(server.base_url,))
        server.script = lambda request: "yes" if "cat" in request.last else None     # None: the default answer
        server.fails(status(503), times=2)

By default it obeys: a JSON schema with a smallest instance, tools with a call of the first one (then text), log-probabilities
with a distribution that depends on the last message alone. As a program it serves until killed, its address on stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import re
import socket
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from scripted_answers import (
    CLOSE,
    DEFAULT_TEXT,
    HANG,
    NOT_UTF8,
    TRUNCATED,
    Fault,
    Request,
    Turn,
    bag,
    instance,
    obedient,
    rendered,
    status,
    too_long,
    weights,
)

__all__ = [
    "CLOSE", "DEFAULT_TEXT", "HANG", "NOT_UTF8", "TRUNCATED", "Fault", "Request", "ScriptedServer", "Turn", "instance",
    "serving", "status", "too_long", "weights",
]  # fmt: skip

MODEL = "scripted"
CHAT = "/v1/chat/completions"
POOLING = ("/v1/embeddings", "/v1/score", "/v1/rerank")
_LETTERS = "ABCDEFGHIJKLMNOPQRST"


Script = Callable[[Request], "Turn | str | None"]
Labelling = Callable[[Request, Sequence[str]], Mapping[str, float]]


class ScriptedServer:
    """Everything here may be set while it serves. `requests` holds what came in, in order, faults included."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.model = MODEL
        self.key = ""
        self.latency = 0.0
        self.script: Script = lambda request: None
        self.labelling: Labelling = weights
        self.tells_tokens = True
        """Off: no /tokenize, no render, and what vLLM adds to the protocol is rejected, as elsewhere."""
        self.embedding: Callable[[str], Sequence[float]] = bag
        """The vector of a text, on the pooling routes."""
        self.adapters: dict[str, str] = {}
        self.takes_adapters = True
        """Off: no route for them, as where vLLM was started without."""
        self.metrics: dict[str, float] = {"vllm:prefix_cache_queries_total": 0.0, "vllm:prefix_cache_hits_total": 0.0}
        self.requests: list[Request] = []
        self.keeps_requests = True
        self.trouble: Callable[[Request], Fault | None] = lambda request: None
        """The fault that a chat request meets for what it says."""
        self._faults: deque[Fault] = deque()
        self._lasting: Fault | None = None
        self._names: dict[int, str] = {}
        self._connections: set[_Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"

    @property
    def chats(self) -> list[Request]:
        """The chat completions asked for."""
        return [request for request in self.requests if request.path == CHAT]

    def fails(self, fault: Fault, *, times: int | None = 1) -> None:
        """Let the next `times` chat requests end so; all until `recovers`, where None."""
        if times is None:
            self._lasting = fault
        else:
            self._faults.extend([fault] * times)

    def recovers(self) -> None:
        """No more faults but those of `trouble`."""
        self._faults.clear()
        self._lasting = None

    def start(self) -> None:
        """Listen, on the same port as before where it was stopped."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(60)

    def stop(self) -> None:
        """As if killed: connections break, nobody listens."""
        if self._loop is not None and self._thread is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(60)
            self._loop = None

    def _run(self, ready: threading.Event) -> None:
        loop = self._loop = asyncio.new_event_loop()
        listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self.port = listener.getsockname()[1]
        server = loop.run_until_complete(loop.create_server(lambda: _Connection(self, loop), sock=listener))
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            server.close()
            for connection in list(self._connections):
                connection.transport.abort()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    # What is answered

    def answer(self, request: Request) -> Fault | tuple[int, bytes]:
        if self.keeps_requests:
            self.requests.append(request)
        if self.key and request.path.startswith("/v1") and request.headers.get("authorization") != f"Bearer {self.key}":
            return status(401, "Unauthorized")
        if request.path == CHAT and (fault := self._fault(request)):
            if fault.body is None and not (fault.hang or fault.close):
                whole = json.dumps(self._chat(request)).encode()
                return Fault(fault.status, whole[: int(len(whole) * fault.share)], fault.headers)
            return fault
        return self._route(request)

    def _fault(self, request: Request) -> Fault | None:
        found = self.trouble(request)  # asked first: it may make the server fail from now on
        return found or (self._faults.popleft() if self._faults else self._lasting)

    def _route(self, request: Request) -> Fault | tuple[int, bytes]:
        path, body = request.path, request.body
        if path == "/health":
            return 200, b""
        if path == "/metrics":
            return 200, "".join(f'{name}{{engine="0"}} {value}\n' for name, value in self.metrics.items()).encode()
        if path == "/v1/models":
            return _json({"object": "list", "data": [{"id": name} for name in (self.model, *self.adapters)]})
        if path.startswith("/v1/") and "adapter" in path:
            return self._adapter(path, body)
        if path in POOLING:
            return self._fault(request) or self._pooled(path, body)
        if not self.tells_tokens and (
            path != CHAT or {"priority", "logprob_token_ids", "chat_template_kwargs"} & body.keys()
        ):
            return status(404, "Not Found") if path != CHAT else status(400, "unknown argument")
        if body.get("model") not in (self.model, *self.adapters, None):
            return status(404, f"The model `{body.get('model')}` does not exist.")
        if path == CHAT:
            return _json(self._chat(request))
        if path == "/v1/completions":
            return _json(
                {"model": self.model, "choices": [{"index": 0, "text": DEFAULT_TEXT, "finish_reason": "stop"}]}
            )
        if path == "/tokenize":
            return _json({"tokens": self.tokens(str(body["prompt"]))})
        if path == "/detokenize":
            return _json({"prompt": "".join(self._names[token] for token in body["tokens"])})
        if path == f"{CHAT}/render":
            return _json({"token_ids": self.tokens(rendered(request.messages))})
        return status(404, "Not Found")

    def _pooled(self, path: str, body: Mapping[str, Any]) -> Fault | tuple[int, bytes]:
        if not self.tells_tokens and "truncate_prompt_tokens" in body:
            return status(400, "unknown argument")
        if path.endswith("/embeddings"):
            told = [{"index": n, "embedding": list(self.embedding(text))} for n, text in enumerate(body["input"])]
            return _json({"model": self.model, "data": told[::-1]})
        asked = self.embedding(body["query"] if "query" in body else body["queries"])
        fits = [sum(a * b for a, b in zip(asked, self.embedding(text), strict=True)) for text in body["documents"]]
        if path.endswith("/score"):
            return _json({"data": [{"index": n, "score": fit} for n, fit in enumerate(fits)]})
        best = sorted(range(len(fits)), key=lambda n: -fits[n])
        return _json({"results": [{"index": n, "relevance_score": fits[n]} for n in best]})

    def _adapter(self, path: str, body: Mapping[str, Any]) -> Fault | tuple[int, bytes]:
        if not self.takes_adapters:
            return status(404, "Not Found")
        name = str(body.get("lora_name"))
        if path.endswith("/unload_lora_adapter"):
            return (200, b"Success") if self.adapters.pop(name, None) else status(404, f"no adapter {name}")
        if name in self.adapters:
            return status(400, f"adapter {name} is loaded already")
        self.adapters[name] = str(body.get("lora_path"))
        return 200, b"Success"

    def tokens(self, text: str) -> list[int]:
        """A word, with the space before it, is a token; so is every other character."""
        ids = []
        for token in re.findall(r" ?\w+|.|\n", text):
            ids.append(zlib.crc32(token.encode()) & 0x7FFFFFFF)
            self._names[ids[-1]] = token
        return ids

    def _chat(self, request: Request) -> dict[str, Any]:
        said = self.script(request)
        turn = Turn(said) if isinstance(said, str) else said or obedient(request)
        message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
        if turn.reasoning:
            message["reasoning"] = turn.reasoning
        if turn.calls:
            message["tool_calls"] = [
                {"id": f"call-{len(request.messages)}-{n}", "type": "function", "function": {"name": name, "arguments": _text(given)}}
                for n, (name, given) in enumerate(turn.calls)
            ]  # fmt: skip
        choice: dict[str, Any] = {"index": 0, "message": message}
        choice["finish_reason"] = turn.finish or ("tool_calls" if turn.calls else "stop")
        if request.body.get("logprobs"):
            choice["logprobs"] = {"content": [self._logprobs(request)]}
        prompt = sum(len(str(entry.get("content") or "")) for entry in request.messages) // 4 + 1
        used = (len(turn.text) + len(turn.reasoning)) // 4 + 1
        usage = {"prompt_tokens": prompt, "completion_tokens": used, "total_tokens": prompt + used}
        return {"id": "chatcmpl-1", "object": "chat.completion", "model": request.body.get("model") or self.model,
                "choices": [choice], "usage": usage}  # fmt: skip

    def _logprobs(self, request: Request) -> dict[str, Any]:
        asked = request.body.get("logprob_token_ids")
        tokens = [self._names.get(token, "?") for token in asked] if asked else list(_LETTERS)
        given = self.labelling(request, tokens)
        total = math.fsum(given.values()) or 1.0
        told = [{"token": token, "logprob": math.log(max(given.get(token, 0.0) / total, 1e-9))} for token in tokens]
        told.sort(key=lambda entry: -float(str(entry["logprob"])))
        return {**told[0], "top_logprobs": told if asked else told[: int(request.body.get("top_logprobs", 0))]}


def _json(value: Any) -> tuple[int, bytes]:
    return 200, json.dumps(value).encode()


def _text(given: Mapping[str, Any] | str) -> str:
    return given if isinstance(given, str) else json.dumps(given)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as much of it as one client speaks."""

    def __init__(self, server: ScriptedServer, loop: asyncio.AbstractEventLoop) -> None:
        self.server, self.loop = server, loop
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            first, *lines = self.data[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", 0))
            if len(self.data) < end + 4 + length:
                return
            content, self.data = self.data[end + 4 : end + 4 + length], self.data[end + 4 + length :]
            method, path, _ = first.split(" ", 2)
            request = Request(method, path.partition("?")[0], headers, json.loads(content) if content else {})
            if self.server.latency:
                self.loop.call_later(self.server.latency, self.respond, request)
            else:
                self.respond(request)

    def respond(self, request: Request) -> None:
        found = self.server.answer(request)
        fault = Fault(found[0], found[1]) if isinstance(found, tuple) else found
        if fault.hang:
            return
        if fault.close:
            self.transport.abort()
            return
        body = fault.body or b""
        extra = "".join(f"{name}: {value}\r\n" for name, value in fault.headers.items())
        head = (
            f"HTTP/1.1 {fault.status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
        )
        self.transport.write(head.encode() + body)


@contextmanager
def serving(port: int = 0) -> Iterator[ScriptedServer]:
    server = ScriptedServer(port)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--latency", type=float, default=0.0)
    given = arguments.parse_args()
    with serving(given.port) as server:
        server.latency, server.keeps_requests = given.latency, False
        print(server.base_url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
