"""A store with training runs for the page's tests: one that ended in an adapter that reads, one that an alarm ended.

`python tests/training_store.py DIR` adds them to a data directory to look at. The figures are those of curves, not of a model.
"""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scout.items import Item, ItemKind
from scout.store import Store
from scout.store.adapters import AdapterRow
from scout.store.promotions import Action, Challenge, Promotion
from scout.store.training import AlarmRow, CheckpointRow, ParityRow, SampleRow, State, StepRow, TrainingRun

READER = "me"
AT = datetime(2025, 12, 3, 9, 30, tzinfo=UTC)
ADAPTER = "me-20251203t093000-5d0c2f1a"
HOSTILE = "<img src=x onerror=alert(1)> [a](javascript:alert(1))"
STEPS = 40
FACTS = {
    "learn": {"thumbs": 322, "up": 160}, "watched": {"thumbs": 80, "up": 40}, "held_out": {"thumbs": 268, "up": 101},
    "held_out_since": "2025-11-18", "parity": {"verdict": ""},
}  # fmt: skip


def fill(store: Store) -> None:
    with store.writing():
        run(store, "20251203T093000-aa11", AT, "cispo", State.DONE, version=ADAPTER)
        run(
            store,
            "20251126T093000-bb22",
            AT - timedelta(days=7),
            "cispo",
            State.ALARMED,
            message="reward-hacking: see the alarm",
        )
        store.training.alarm(
            AlarmRow(
                run="20251126T093000-bb22", step=24, kind="reward-hacking", at=AT - timedelta(days=7),
                evidence=f"reward went from 0.710 at step 10 to 0.830 while the held-out score fell from 0.690 to 0.580 {HOSTILE}",
            )
        )  # fmt: skip
        store.training.compared(parity())
        adapter(store)


def run(store: Store, id: str, at: datetime, loss: str, state: State, *, version: str = "", message: str = "") -> None:
    store.training.start(
        TrainingRun(
            id=id, reader=READER, recipe=loss, base="/models/SmolLM2-135M-Instruct", settings={}, seed=0, planned=STEPS, facts=FACTS,
            started=at,
        )
    )  # fmt: skip
    whole = STEPS if state is State.DONE else 25
    for step in range(whole):
        store.training.step(id, row(step, at + timedelta(seconds=40 * step)), samples(step) if step % 10 == 0 else ())
    store.training.checkpoint(id, CheckpointRow(steps=whole, folder=f"training/{id}", at=at))
    store.training.finish(id, at + timedelta(seconds=40 * whole), state=state, version=version, message=message)


def row(step: int, at: datetime) -> StepRow:
    wave, risen = math.sin(step * 1.7) / 40, 1 - math.exp(-step / 12)
    return StepRow(
        step=step, version=f"step-{step}", at=at, parts={"rating": 0.62 + 0.2 * risen + wave, "form": 0.8 + 0.19 * risen},
        figures={
            "reward": 0.66 + 0.18 * risen + wave, "loss": 0.4 - 0.25 * risen + wave, "entropy": 1.5 - risen + wave,
            "grad_norm": 0.9 - 0.4 * risen + abs(wave), "held_out": 0.61 + 0.16 * risen if step % 10 == 0 else None,
            "held_out_error": 0.02 if step % 10 == 0 else 0.0, "k3": 0.0004 + 0.0002 * abs(wave), "effective": 0.997,
            "mismatch_mean": 0.021 + wave / 10, "mismatch_p99": 0.11 + wave, "mismatch_k1": 0.0003, "mismatch_ratio_max": 1.3 + wave,
        },
    )  # fmt: skip


def samples(step: int) -> list[SampleRow]:
    texts = (
        "Agents learn from their own tool calls.",
        "A protein folds in a market.",
        f"Rewards are hacked. {HOSTILE}",
    )
    return [
        SampleRow(
            item=f"arxiv:2512.{n:05d}", answer=answer, source=texts[n % 3], reward=reward,
            parts={"rating": reward, "form": float(answer in "12345")},
        )
        for n, (answer, reward) in enumerate((("5", 0.99), ("4", 0.91), ("1", 0.19), (f"three {HOSTILE}", 0.0), ("2", 0.51)))
    ]  # fmt: skip


def parity() -> ParityRow:
    means = {(False, False): 0.0472, (False, True): 0.0471, (True, False): 0.0437, (True, True): 0.0389}
    rows: list[dict[str, Any]] = [
        {
            "server_fp32": server, "trainer_fp32": trainer,
            "mismatch": {
                "mean": mean, "p99": 0.21, "largest": 0.66, "k1": 0.0004, "k3": 0.002, "correlation": 0.9995, "ratio_max": 1.37,
                "effective": 0.996,
            },
        }
        for (server, trainer), mean in means.items()
    ]  # fmt: skip
    return ParityRow(
        checkpoint="/models/SmolLM2-135M-Instruct",
        body="bfloat16",
        tokens=1536,
        at=AT,
        verdict="",
        found={"rows": rows},
    )


def adapter(store: Store) -> None:
    thumbs = "the challenger foresees these thumbs better: log-loss 0.601 → 0.522 (p 0.004), AUC 0.741 → 0.802"
    reason = f"{thumbs}; suites: refusal 81.0% → 80.5% (tie)"
    evidence = {"reason": reason, "decided": True, "thumbs": 268, "ups": 101, "days": 12}
    store.adapters.add(
        AdapterRow(
            name=ADAPTER,
            reader=READER,
            base="SmolLM2-135M-Instruct",
            checksum="0" * 32,
            made_at=AT,
            run="20251203T093000-aa11",
        )
    )
    store.promotions.challenged(
        Challenge(
            reader=READER,
            champion="adapter:none",
            challenger=f"adapter:{ADAPTER}",
            at=AT,
            by="train",
            passed=True,
            evidence=evidence,
        )
    )
    store.promotions.add(
        Promotion(
            reader=READER, action=Action.PROMOTE, recipe=f"adapter:{ADAPTER}", version=ADAPTER, from_recipe="adapter:none",
            from_version="", at=AT, by="train", evidence=evidence,
        )
    )  # fmt: skip
    store.adapters.crown(READER, ADAPTER, AT, reason="promote 1")
    titles = (
        "Agents that learn from their tool calls",
        "Folding markets",
        f"Rewards {HOSTILE}",
        "Verifiers",
        "Galaxies",
    )
    items = [
        Item(f"arxiv:2512.{n:05d}", ItemKind.PAPER, title, "https://arxiv.org/abs/1", "A text.", "arxiv", published=AT)
        for n, title in enumerate(titles)
    ]
    store.items.add(items, AT)


if __name__ == "__main__":
    with Store(Path(sys.argv[1]) / "scout.db") as opened:
        fill(opened)
