"""A store with made-up runs of suites, for the pages that show them and for measuring how fast they do.

python tests/eval_store.py DATA_DIR [--runs 200 --items 2000]
"""

from __future__ import annotations

import argparse
import random
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evals import summary, transcripts
from evals.asking import Manner
from evals.core import Answer, Case, Kind, Suite, Verdict
from evals.evaluate import Plan, keep_prompts, options
from evals.journal import Journal, Told
from scout.items import Release
from scout.items import Verdict as Judged
from scout.serving.messages import Message, Role, Usage
from scout.store import Store
from scout.store.evals import EvalAlarm, EvalItem, EvalRun

START = datetime(2025, 11, 3, 2, 0, tzinfo=UTC)
DOMAINS = (
    "logic", "mathematics", "proofs", "code", "reports", "instructions", "long context", "agentic", "triage", "safety",
)  # fmt: skip
MODELS = ("lab-a/North-8B", "lab-b/Harbor-7B", "lab-a/North-8B-2511", "lab-c/<b>Odd</b> name 4B")
SERVED = MODELS[0]
PERTURBED = ("tool-names", "phrasing", "system-prompt")


def cases(suite: str, n: int) -> tuple[Case[str], ...]:
    return tuple(
        Case(
            id=f"{suite}-{k}", group=f"{suite}-family-{k % 10}", gold=str(3 * k), max_tokens=64,
            messages=(Message(Role.USER, f"In {suite}, what is three times {k}? <script>alert(1)</script>"),),
        )
        for k in range(n)
    )  # fmt: skip


def skill(model: str, suite: str) -> float:
    """How likely a model is to be right, the same each time."""
    return 0.35 + 0.4 * random.Random(f"{model}|{suite}").random() + (0.08 if model.endswith("2511") else 0)


def answers(model: str, suite: str, asked: Sequence[Case[str]], epochs: int, *, less: float = 0.0) -> list[Told]:
    draw = random.Random(f"{model}|{suite}|{less}")
    hard = random.Random(suite)
    chance = {case.id: min(0.98, max(0.02, skill(model, suite) - less + hard.uniform(-0.35, 0.35))) for case in asked}
    told = []
    for case in asked:
        for epoch in range(1, epochs + 1):
            good = draw.random() < chance[case.id]
            text = f"The answer is {case.gold}." if good else "I think it is 7. [not a link](javascript:alert(1))"
            told.append(
                Told(
                    item=case.id, epoch=epoch, answer=Answer(case_id=case.id, text=text), calls=1, model=model,
                    turns=(Message(Role.ASSISTANT, text, reasoning="Let me see." if good else ""),),
                    usage=Usage(420, int(draw.lognormvariate(4.6, 0.5)), 300), seconds=draw.lognormvariate(0.2, 0.4),
                    cut=draw.random() < 0.01, score=float(good), why="right" if good else "not the number asked for",
                )
            )  # fmt: skip
    return told


def run(
    store: Store, model: str, suite: str, at: datetime, *, n: int, epochs: int, condition: str = "", less: float = 0.0,
    version: int = 1, kind: Kind = Kind.SINGLE, files: Path | None = None, label: str = "", purpose: str = "manual",
) -> EvalRun:  # fmt: skip
    asked = cases(suite, n)
    told = answers(model, suite, asked, epochs, less=less)
    found = summary.items(asked, told, epochs)
    figures = summary.figures(found, told, epochs=epochs, wall=240.0, prices=summary.Prices(prompt=0.1, completion=0.4))
    made = Suite(
        name=suite.replace(" ", "-"), version=version, domain=suite, title="", build=lambda seed, k: asked, kind=kind,
        verify=lambda case, answer: Verdict(case.id, 1.0), gold_answer=lambda case: Answer(case_id=case.id),
    )  # fmt: skip
    plan = Plan(suite=made, seed=1, items=n, epochs=epochs, manner=Manner(temperature=0.7))
    done = EvalRun(
        id=f"{at:%Y%m%dT%H%M%S}-{made.name}-{zlib.crc32((model + condition).encode()) % 4096:03x}", suite=made.name, version=version,
        domain=suite, kind=str(kind), seed=1, items=n, epochs=epochs, model=model, endpoint="http://127.0.0.1:8000/v1",
        condition=condition, purpose=purpose, options=options(plan), started=at, finished=at + timedelta(minutes=4),
        label=label, checks={"passed": not label, "label": label, "checks": []}, summary=figures, release_id=model,
    )  # fmt: skip
    store.evals.save(done, found)
    if files is not None:
        journal = Journal(transcripts.folder(files, done.id))
        for each in told:
            journal.add(each)
        journal.close()
        keep_prompts(transcripts.folder(files, done.id), asked, made.gold_answer)
    return done


def fill(data: Path, *, n: int = 120, epochs: int = 4) -> Store:
    """Four models on every domain, one perturbed, one domain tracked over nights and a change of its version, and fun."""
    store = Store(data / "scout.db")
    releases = [
        Release(name, name.split("/")[0], START + timedelta(days=6 * place), f"https://huggingface.co/{name}")
        for place, name in enumerate(MODELS)
    ]
    store.releases.add(releases, START)
    for place, model in enumerate(MODELS):
        at = START + timedelta(days=6 * place, hours=1)
        label = "model failed its check: schema accuracy" if place == 3 else ""
        for minute, domain in enumerate(DOMAINS):
            run(store, model, domain, at + timedelta(minutes=5 * minute), n=n, epochs=epochs, files=data, label=label)
    late = START + timedelta(days=20)
    for place, condition in enumerate(PERTURBED):
        for domain, less in (("agentic", 0.03 + 0.09 * place), ("instructions", 0.02 * place)):
            run(
                store,
                SERVED,
                domain,
                late + timedelta(minutes=place),
                n=n,
                epochs=epochs,
                condition=condition,
                less=less,
            )
    for night in range(12):
        version, less = (1, 0.0) if night < 7 else (2, 0.1)
        at = START + timedelta(days=2 * night + 1, hours=2)
        run(
            store,
            SERVED,
            "triage",
            at,
            n=n,
            epochs=2,
            version=version,
            less=less + 0.02 * (night % 3),
            purpose="served",
        )
    for place, model in enumerate(MODELS[:3]):
        at = late + timedelta(hours=place)
        run(store, model, "fun", at, n=4, epochs=1, kind=Kind.OPEN, files=data)
    newest = store.evals.listing(model=MODELS[2], limit=1)[0]
    text = "better than lab-a/North-8B at agentic, +9.1, interval 2.4 to 15.8; no detectable difference in mathematics"
    store.evals.judge(Judged(MODELS[2], text, newest.id), late)
    alarm = EvalAlarm(
        kind="regression", model=SERVED, suite="instructions", run=newest.id, before=newest.id, at=late,
        text="lab-a/North-8B moved by −6.0 points at instructions since 2025-11-20 (interval -10.1 to -1.9)",
    )  # fmt: skip
    store.evals.alarm(alarm)
    return store


def bulk(data: Path, *, runs: int, items: int) -> Store:
    """Many large runs of twenty models on ten domains, quickly made: their items share a few patterns of scores."""
    store = Store(data / "scout.db")
    pattern = [(1.0, 1.0), (0.0, 1.0), (0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
    sample = run(store, MODELS[0], DOMAINS[0], START, n=50, epochs=2)
    for number in range(runs):
        model, domain = f"lab-{number // 10 % 5}/Model-{number // 10}", DOMAINS[number % 10]
        draw = random.Random(number)
        found = [
            EvalItem(item=f"{domain}-{k}", family=f"f{k % 100}", scores=draw.choice(pattern), tokens=200, seconds=2.0)
            for k in range(items)
        ]
        judged = [(each, each.mean or 0.0) for each in found]
        figures = {**sample.summary, **summary.score_of(judged), "of": 2 * items, "answers": 2 * items}
        at = START + timedelta(hours=3 * number)
        done = replace(
            sample, id=f"{at:%Y%m%dT%H%M%S}-{number:05}", suite=domain.replace(" ", "-"), domain=domain, model=model,
            release_id=model, items=items, started=at, finished=at, summary=figures,
        )  # fmt: skip
        store.evals.save(done, found)
    return store


if __name__ == "__main__":
    options_ = argparse.ArgumentParser()
    options_.add_argument("data", type=Path)
    options_.add_argument("--runs", type=int, default=0)
    options_.add_argument("--items", type=int, default=2000)
    given = options_.parse_args(sys.argv[1:])
    given.data.mkdir(parents=True, exist_ok=True)
    (bulk(given.data, runs=given.runs, items=given.items) if given.runs else fill(given.data)).close()
