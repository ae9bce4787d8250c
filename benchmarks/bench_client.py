"""What the model client costs: requests a second beside a bare httpx client that sends the same bytes and parses the answer.

Both ask the scripted server, which answers at once from a process of its own, with as many requests out; several rounds in
turn, the medians compared. With `VLLM_URL` set, the same is asked of a real server, one token an answer; `bench_vllm` asks
one that it starts.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from pydantic import SecretStr

from benchmarks.figures import figure
from scout.config import Model
from scout.serving import wire
from scout.serving.client import ModelClient
from scout.serving.messages import Message, Role

SERVER = Path(__file__).resolve().parents[1] / "tests" / "scripted_server.py"
OUT = 16
ROUNDS = 21
REAL_ROUNDS = 11
MESSAGES = [
    Message(Role.SYSTEM, "You rate papers for a reader. " * 20),
    Message(Role.USER, "We show that the results of this method improve over prior work. " * 18),
]


@contextmanager
def served() -> Iterator[str]:
    server = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait(timeout=10)


async def rate(ask: Callable[[], Awaitable[object]], count: int) -> float:
    """Requests a second, `OUT` of them out at a time."""
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await ask()

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(OUT)))
    return count / (time.perf_counter() - started)


async def measure(url: str, model: str, count: int, rounds: int, *, key: str = "") -> tuple[float, float, float]:
    """Medians of ours and the bare client's requests a second, and of the ratio of rounds that ran one after the other."""
    body = {"model": model, **wire.chat_body(MESSAGES, max_tokens=1, temperature=0.0)}
    limits = httpx.Limits(max_connections=OUT, max_keepalive_connections=OUT)
    settings = Model(base_urls=(url,), name=model, concurrency=OUT, api_key=SecretStr(key))
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx.AsyncClient(trust_env=False, limits=limits, headers=headers, timeout=120) as bare,
        ModelClient(settings) as ours,
    ):

        async def ask_bare() -> str:
            answer = await bare.post(f"{url}/chat/completions", json=body)
            answer.raise_for_status()
            return str(json.loads(answer.content)["choices"][0]["message"]["content"])

        async def ask_ours() -> str:
            return (await ours.chat(MESSAGES, max_tokens=1, cut_is_fault=False)).text

        pairs = []
        for n in range(rounds + 1):  # the first of them opens the connections
            order = (ask_ours, ask_bare) if n % 2 else (ask_bare, ask_ours)
            rates = {ask: await rate(ask, count) for ask in order}
            pairs.append((rates[ask_ours], rates[ask_bare]))
    mine, theirs = zip(*pairs[1:], strict=True)
    return statistics.median(mine), statistics.median(theirs), statistics.median(a / b for a, b in pairs[1:])


def main() -> None:
    with served() as url:
        ours, bare, ratio = asyncio.run(measure(url, "scripted", 240, ROUNDS))
    note = f"{OUT} out at a time; bare httpx: {bare:.0f} requests/s"
    figure("client, scripted server at no latency", ours, "requests/s", better="more", note=note)
    figure("client, times a bare client's requests a second", ratio, "times", limit=0.9, better="more")
    if real := os.environ.get("VLLM_URL"):
        on_vllm(real, httpx.get(f"{real}/models", trust_env=False).json()["data"][0]["id"])


def on_vllm(url: str, name: str, *, key: str = "") -> None:
    """The same against a real server, one token an answer."""
    ours, bare, ratio = asyncio.run(measure(url, name, 96, REAL_ROUNDS, key=key))
    note = f"bare httpx: {bare:.1f} requests/s"
    figure("client, real vLLM, one token an answer", ours, "requests/s", better="more", note=note)
    figure("client on vLLM, times a bare client's", ratio, "times", limit=0.97, better="more")


if __name__ == "__main__":
    main()
