"""The scripted server with a real, tiny model behind `/v1/completions`: ids in, ids and log-probabilities out, adapters from disk.

An honest vLLM in miniature, whose answers a test may then falsify (`falsify`), hold back (`before`) or forget (`forgets`). One
thread answers, a request at a time: what `before` counts in `asked` is exact, and one that is held back holds back all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from scripted_answers import Fault, Request, status
from scripted_server import ScriptedServer

from rl.rollout import Rollout, Sampling, logprobs_of, pack, sample

COMPLETIONS = "/v1/completions"


class TokenServer(ScriptedServer):
    def __init__(self, base: Callable[[], Any]) -> None:
        super().__init__()
        self.base = base
        self.policies: dict[str, Any] = {self.model: base()}
        self.before: Callable[[dict[str, Any]], None] = lambda body: None
        self.falsify: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer
        self.takes_adapters = True
        self.renders: list[int] | None = None
        """The token ids of every conversation; None: no such route."""

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The bodies of requests for rollouts, in order."""
        return [dict(r.body) for r in self.requests if r.path == COMPLETIONS and "prompt_logprobs" not in r.body]

    def forgets(self) -> None:
        """As if it had been started again."""
        self.adapters.clear()
        self.policies = {self.model: self.policies[self.model]}

    def _adapter(self, path: str, body: Any) -> Fault | tuple[int, bytes]:
        if path.endswith("/load_lora_adapter") and not self.takes_adapters:
            return status(400, "the adapter's rank 64 is greater than max_lora_rank 32")
        done = super()._adapter(path, body)
        if path.endswith("/load_lora_adapter") and isinstance(done, tuple):
            import peft

            loaded = peft.PeftModel.from_pretrained(self.base(), Path(body["lora_path"]))
            self.policies[body["lora_name"]] = loaded.eval()
        return done

    def _route(self, request: Request) -> Fault | tuple[int, bytes]:
        body = dict(request.body)
        if request.path.endswith("/render"):
            return (
                status(404, "Not Found")
                if self.renders is None
                else (200, json.dumps({"token_ids": self.renders}).encode())
            )
        if request.path == COMPLETIONS:
            self.before(body)
        if request.path != COMPLETIONS or body.get("model") not in (self.model, *self.adapters):
            return super()._route(request)
        answer = self._scored(body) if "prompt_logprobs" in body else self._completed(body)
        return 200, json.dumps(self.falsify(answer)).encode()

    def _completed(self, body: dict[str, Any]) -> dict[str, Any]:
        sampling = Sampling(body["max_tokens"], body["temperature"], frozenset(body["stop_token_ids"]))
        [made] = sample(
            self.policies[body["model"]], [body["prompt"]], sampling, version="",
            generator=torch.Generator().manual_seed(body["seed"]),
        )  # fmt: skip
        told = {"token_logprobs": list(made.logprobs), "tokens": [f"token_id:{id}" for id in made.answer]}
        return self._answer(
            body, token_ids=list(made.answer), logprobs=told, finish_reason="length" if made.cut else "stop"
        )

    def _scored(self, body: dict[str, Any]) -> dict[str, Any]:
        ids = body["prompt"]
        row = Rollout(tuple(ids[:1]), tuple(ids[1:]), (0.0,) * (len(ids) - 1), "", cut=False)
        with torch.no_grad():
            found, _ = logprobs_of(self.policies[body["model"]], pack([row]))
        told = [None, *({str(id): {"logprob": value}} for id, value in zip(ids[1:], found[0].tolist(), strict=True))]
        return self._answer(body, token_ids=[0], prompt_logprobs=told, finish_reason="length")

    def _answer(self, body: dict[str, Any], **choice: Any) -> dict[str, Any]:
        return {"model": body["model"], "choices": [{"index": 0, "prompt_token_ids": body["prompt"], **choice}]}


@contextmanager
def token_server(base: Callable[[], Any]) -> Iterator[TokenServer]:
    server = TokenServer(base)
    server.start()
    try:
        yield server
    finally:
        server.stop()
