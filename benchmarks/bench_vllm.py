"""What scout's requests get of a real vLLM: how much of its rubrics the prefix cache serves, what the client costs beside a bare
one, and how long a person waits.

Starts SmolLM2 on the CPU as `scout serve` does (.ci/vllm-env makes what that needs; without it nothing is measured), lets
`scout.reading.enrich` read a batch of made-up items, and then asks one request at a time amid a crowd of others. VLLM_ITEMS is how
many items, 40 unless given.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from benchmarks import synthetic
from benchmarks.bench_client import on_vllm
from benchmarks.figures import figure
from benchmarks.vllm_metrics import counters, steps

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import enrich_samples as samples
import vllm_server

from scout.config import Settings
from scout.items import Item
from scout.reading.enrich import enrich
from scout.serving.client import ModelClient
from scout.serving.messages import LabelReading, Message, Priority, Reply, Usage
from scout.store import Store

ITEMS = int(os.environ.get("VLLM_ITEMS", "40"))
EXTRA = ("--enable-per-request-metrics", "--enable-logging-iteration-details")
SAID = 16
"""Tokens after which an answer is cut: what is said says nothing here, and takes long."""
CROWD = 96
"""Requests of the batch that are out at once: three times what the server computes at once, so that there is a queue."""
PROBES = 6


def main() -> None:
    if reason := vllm_server.why_not():
        print(f"nothing is measured: {reason}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        for vllm in vllm_server.serving(Path(folder), extra=EXTRA, length=4096, memory=2):
            cache(vllm, Path(folder) / "data")
            on_vllm(vllm.url, vllm_server.NAME, key=vllm_server.KEY)
            queue(vllm)


# --- the prefix cache


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: the rubric that it began with, and what it cost."""

    rubric: str
    usage: Usage
    is_repair: bool
    """It begins as its first try did, and is served from the cache in any case: not counted among the rubrics."""


class Recording(ModelClient):
    """The client, which remembers its requests."""

    asked: list[Asked] = []  # noqa: RUF012  one for all of them: `enrich` makes its own

    async def chat(self, messages: Sequence[Message], *, max_tokens: int, **given: Any) -> Reply:
        reply = await super().chat(messages, max_tokens=min(max_tokens, SAID), **{**given, "cut_is_fault": False})
        self.asked.append(Asked(messages[0].content, reply.usage, is_repair=len(messages) > 2))
        return reply

    async def read_labels(
        self, messages: Sequence[Message], labels: Sequence[str], *, priority: int = 0
    ) -> LabelReading:
        found = await super().read_labels(messages, labels, priority=priority)
        self.asked.append(Asked(messages[0].content, found.usage, is_repair=False))
        return found


def cache(vllm: vllm_server.Vllm, folder: Path) -> None:
    """Let scout read a batch, and tell what share of its rubrics' tokens the cache served."""
    folder.mkdir()
    model = vllm.settings.model_copy(
        update={"items_per_run": ITEMS, "tokens_per_run": 10**7, "minutes_per_run": 60.0, "timeout_seconds": 900.0}
    )
    settings = Settings(data_dir=folder, today=samples.DAY, model=model)
    before = counters(vllm.line.root)
    with Store(folder / "scout.db") as store, mock.patch("scout.serving.client.ModelClient", Recording):
        samples.fill(store, [made(number, like) for number, like in enumerate(synthetic.items(ITEMS))])
        report = enrich(store, settings, samples.READER)
    after = counters(vllm.line.root)
    queried, hit = (after[name] - before[name] for name in ("vllm:prefix_cache_queries", "vllm:prefix_cache_hits"))
    firsts = [each for each in Recording.asked if not each.is_repair]
    long = {text: vllm.run(partial(tokens, rubric=text)) for text in dict.fromkeys(each.rubric for each in firsts)}
    served = sum(min(each.usage.cached, long[each.rubric]) for each in firsts)
    share = served / sum(long[each.rubric] for each in firsts)
    note = f"{report.done} items, {len(firsts)} requests; rubrics of {', '.join(map(str, long.values()))} tokens"
    figure("vllm: share of the rubrics' tokens from the cache", share, "share", limit=0.9, better="more", note=note)
    for number, (rubric, size) in enumerate(long.items(), 1):
        mine = [min(each.usage.cached, size) / size for each in firsts if each.rubric == rubric]
        cold = sum(part == 0 for part in mine)
        note = f"{rubric.splitlines()[0][:40]}…; {cold} of {len(mine)} cold, the others {statistics.median(mine):.3f}"
        figure(f"vllm: the same of rubric {number}", statistics.fmean(mine), "share", better="more", note=note)
    told = sum(each.usage.cached for each in Recording.asked)
    note = f"{hit:.0f} of {queried:.0f} tokens by /metrics, repairs among them; {told} by the replies"
    figure("vllm: share of all prompt tokens from the cache", hit / queried, "share", better="more", note=note)


def made(number: int, like: Item) -> Item:
    """An item of the day with the title and the beginning of the text of another; no two begin alike."""
    return replace(samples.item(number, like.text[:500]), title=like.title)


async def tokens(client: ModelClient, *, rubric: str) -> int:
    """How many tokens a prompt with this rubric begins with before the item does, as the server counts them."""

    async def rendered(user: str) -> list[int]:
        body = {
            "model": await client.model_name(),
            "messages": [{"role": "system", "content": rubric}, {"role": "user", "content": user}],
        }
        endpoint = client.endpoints.all[0]
        answer = await client.connection.post(endpoint, f"{endpoint.url}/chat/completions/render", body)
        return [int(token) for token in answer["token_ids"]]

    pair = zip(await rendered("owls"), await rendered("7"), strict=False)
    return next(number for number, (one, other) in enumerate(pair) if one != other)


# --- the queue


@dataclass(frozen=True, slots=True)
class Waited:
    """One request amid the crowd, which one step of the scheduler suffices for."""

    queue_ms: float
    """In the scheduler's queue, by vLLM's own account."""
    steps_ms: Sequence[float]
    """The steps that ended between asking and the answer: the one that was under way, others, and its own."""

    @property
    def before(self) -> int:
        """Steps that it waited for, the one that was under way when it was asked among them."""
        return len(self.steps_ms) - 1

    @property
    def queue_steps(self) -> float:
        """Its time in the queue, in steps: vLLM counts it from the end of the step that was under way."""
        return self.queue_ms / max(self.steps_ms)


def queue(vllm: vllm_server.Vllm) -> None:
    """Ask as a person does while a batch is out: with priority, and as if there was none."""
    for name, priority, limit in (("on", Priority.PERSON, 1.0), ("off", Priority.BATCH, None)):
        found = asyncio.run(amid_crowd(vllm, priority))
        queued = statistics.median(each.queue_ms for each in found)
        step = statistics.median(took for each in found for took in each.steps_ms)
        note = f"{PROBES} requests amid {CROWD}; medians: {queued:.1f} ms queued, {step:.0f} ms a step"
        longest = max(each.queue_steps for each in found)
        figure(f"vllm: longest time in the queue, priority {name}", longest, "steps", limit=limit, note=note)
        most = max(each.before for each in found)
        figure(f"vllm: most steps before one's own, priority {name}", most, "steps", limit=limit)


async def amid_crowd(vllm: vllm_server.Vllm, priority: int) -> list[Waited]:
    numbers = iter(range(10**9))
    headers = {"authorization": f"Bearer {vllm_server.KEY}"}
    limits = httpx.Limits(max_connections=CROWD + 1, max_keepalive_connections=CROWD + 1)
    async with httpx.AsyncClient(trust_env=False, headers=headers, limits=limits, timeout=900) as client:

        async def ask(priority: int) -> Mapping[str, Any]:
            body = {
                "model": vllm_server.NAME, "max_tokens": 1, "priority": priority,
                "messages": [{"role": "user", "content": f"{next(numbers)} is a number. Is it even? Say yes or no."}],
            }  # fmt: skip
            answer = await client.post(f"{vllm.url}/chat/completions", json=body)
            answer.raise_for_status()
            found: Mapping[str, Any] = answer.json()
            return found

        async with crowd(ask):
            found = []
            for _ in range(PROBES):
                known = len(steps(vllm.server.log))
                answer = await ask(priority)
                during = steps(vllm.server.log)[known:]
                found.append(Waited(float(answer["metrics"]["queue_time_ms"]), during))
            return found


@asynccontextmanager
async def crowd(ask: Callable[[int], Awaitable[object]]) -> AsyncIterator[None]:
    """A batch that never ends, once all of it is out."""

    async def one() -> None:
        while True:
            await ask(Priority.BATCH)

    tasks = [asyncio.create_task(one()) for _ in range(CROWD)]
    try:
        await ask(Priority.BATCH)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    main()
