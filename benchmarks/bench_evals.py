"""What the runner of suites costs: calls a second beside a bare client at 2 s a call and 32 at once, and time of its own a
call on 800 instant calls; how long two runs of 5,000 items take to compare, and the page Models to read 200 large runs.

The scripted server answers from a process of its own. `python -m benchmarks.bench_evals [--quick]`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import figure
from evals.asking import Asker, Manner
from evals.core import Answer, Case, Suite, Verdict
from evals.journal import Journal
from evals.run import run
from scout.config import Model
from scout.serving.client import ModelClient
from scout.serving.messages import Message, Role

TESTS = Path(__file__).resolve().parents[1] / "tests"
OUT = 32
LATENCY = 2.0


@contextmanager
def served(latency: float) -> Iterator[str]:
    command = [sys.executable, str(TESTS / "scripted_server.py"), "--latency", str(latency)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait(timeout=10)


def questions(seed: int, n: int) -> tuple[Case[str], ...]:
    return tuple(
        Case(id=f"q{k}", group=f"f{k % 40}", messages=(Message(Role.USER, f"What is {k} + {seed}?"),), gold=str(k), max_tokens=16)
        for k in range(n)
    )  # fmt: skip


SUITE = Suite(
    name="instant", version=1, domain="bench", title="Bench.", build=questions, gold_answer=lambda c: Answer(case_id=c.id),
    verify=lambda case, answer: Verdict(case.id, float(int(case.gold) % 2)),
)  # fmt: skip


async def ran(client: ModelClient, count: int) -> float:
    """Seconds of a run under Inspect, from its start to its log."""
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        asker = Asker(client=client, verify=SUITE.verify, manner=Manner(temperature=0.0), at_once=OUT)
        started = time.perf_counter()
        done = await run(
            SUITE, questions(1, count), asker, journal, epochs=1, model="scripted", folder=Path(folder), facts={}
        )  # fmt: skip
        took = time.perf_counter() - started
        journal.close()
        assert len(done.told) == count
        assert all(told.score is not None for told in done.told)
    return took


async def bare(client: ModelClient, count: int) -> float:
    """The same requests with nothing around them, `OUT` at a time."""
    left = iter(questions(1, count))

    async def worker() -> None:
        for case in left:
            await client.chat(case.messages, max_tokens=16, cut_is_fault=False)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(OUT)))
    return time.perf_counter() - started


async def asked(url: str, measure: Callable[[ModelClient], Awaitable[float]]) -> float:
    async with ModelClient(Model(base_urls=(url,), name="scripted", concurrency=OUT)) as client:
        await client.chat(questions(1, 1)[0].messages, max_tokens=16, cut_is_fault=False)
        return await measure(client)


def runner(count: int, instant: int) -> None:
    with served(0.0) as url:
        asyncio.run(asked(url, lambda client: ran(client, 20)))  # imports and first use
    with served(LATENCY) as url:
        alone = asyncio.run(asked(url, lambda client: bare(client, count)))
        ours = asyncio.run(asked(url, lambda client: ran(client, count)))
    figure(
        "evals calls/s beside a bare client",
        alone / ours,
        "",
        limit=0.9,
        better="more",
        note=f"{count} calls of 2 s, {OUT} at once",
    )
    with served(0.0) as url:
        alone = asyncio.run(asked(url, lambda client: bare(client, instant)))
        cpu = time.process_time()
        ours = asyncio.run(asked(url, lambda client: ran(client, instant)))
        cpu = time.process_time() - cpu
    figure("evals own time a call", 1000 * (ours - alone) / instant, "ms", note=f"{instant} instant calls")
    figure("evals processor time a call", 1000 * cpu / instant, "ms", note="the client's included")
    figure("bare client a call", 1000 * alone / instant, "ms")


def reading(runs: int, items: int) -> None:
    sys.path.insert(0, str(TESTS))
    import eval_store

    from dashboard import models
    from evals import compare
    from scout.store.evals import EvalItem

    with TemporaryDirectory() as folder, eval_store.bulk(Path(folder), runs=runs, items=items) as store:
        started = time.perf_counter()
        found = models.measured(store)
        report = models.beside(store, found, *found.names[:2])
        assert not isinstance(report, str)
        models.perturbed(store, found.names[0])
        models.flips(store, report.rows[0])
        figure(
            "page Models, read and compared",
            time.perf_counter() - started,
            "s",
            limit=1.0,
            note=f"{runs} runs of {items}",
        )
        a, b = found.runs[0], found.runs[10]
        mine = [EvalItem(item=f"i{k}", family=f"f{k // 2}", scores=(float(k % 3 > 0),)) for k in range(5000)]
        theirs = [EvalItem(item=f"i{k}", family=f"f{k // 2}", scores=(float(k % 5 > 1),)) for k in range(5000)]
        started = time.perf_counter()
        compare.compare(a, mine, b, theirs, draws=10_000)
        figure(
            "compare two runs of 5,000", time.perf_counter() - started, "s", limit=5.0, note="all tests, 10,000 draws"
        )


def main() -> None:
    quick = "--quick" in sys.argv
    runner(count=96 if quick else 640, instant=200 if quick else 800)
    reading(runs=40 if quick else 200, items=500 if quick else 2000)


if __name__ == "__main__":
    main()
