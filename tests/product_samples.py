"""What tests of `scout train` share: weeks of a reader with a tiny model beside them, and the command. Needs the rl extra."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import policy_samples
import pytest
import tiny_model
import torch
import transformers
from adapter_samples import knows
from click.testing import CliRunner, Result
from policy_samples import READER, copied, two_recipes, weekdays
from token_server import TokenServer, token_server

from rl import safeguards
from scout.cli.app import app
from scout.clock import now
from scout.config import load
from scout.readers import profile
from scout.store import Store
from scout.store.training import ParityRow
from scout.triage.prompting import LABEL_CHARS, rate_messages, rubric, shown

DAYS = weekdays(18)
SETTINGS = {
    "LEAST_THUMBS": "30", "EPOCHS": "2", "RANK": "2", "BODY": "float32", "KEEP_EVERY": "3", "SAMPLE_EVERY": "2",
    "HELD_OUT": "0.5", "GUESSES": "0",
}  # fmt: skip


def lived_weeks(folder: Path) -> Path:
    """A database in which someone has read for some weeks, and in `tiny` the model that is trained for them."""
    with policy_samples.weeks(folder, days=18, a_day=60) as (store, settings):
        known = profile(store, settings, READER)
        asked = rubric(known)
        texts = [
            message.content
            for thumb in known.thumbs
            for message in rate_messages(asked, shown(thumb.item, limit=LABEL_CHARS))
        ]
    tiny_model.written(folder / "tiny", texts)
    return folder


@contextmanager
def serving(weeks: Path) -> Iterator[TokenServer]:
    """A server with the tiny model behind it, whose adapters know what the reader likes."""
    with token_server(lambda: transformers.AutoModelForCausalLM.from_pretrained(weeks / "tiny")) as running:
        knows(running)
        yield running


@contextmanager
def opened(monkeypatch: pytest.MonkeyPatch, weeks: Path, server: TokenServer) -> Iterator[Store]:
    torch.set_num_threads(1)  # so small a model only waits for its other threads
    two_recipes(monkeypatch)
    values = {
        "TODAY": DAYS[-1].isoformat(), "MODEL__BASE_URLS": json.dumps([server.base_url]),
        "TRAIN__CHECKPOINT": str(weeks / "tiny"), **{f"TRAIN__{name}": value for name, value in SETTINGS.items()},
    }  # fmt: skip
    with copied(monkeypatch, weeks, **values) as (store, _):
        yield store


def agree(store: Store, *, verdict: str = "", body: str = "float32") -> ParityRow:
    """A parity check of the checkpoint, as `scout rl parity` keeps it."""
    checkpoint = load().train.checkpoint
    row = ParityRow(checkpoint=checkpoint, body=body, tokens=64, at=now(), verdict=verdict, found={})
    return replace(row, id=store.training.compared(row))


def nothing_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async def compared(*_: object, **__: object) -> safeguards.Kept:
        return safeguards.Kept(())

    monkeypatch.setattr(safeguards, "compared", compared)


def train(*words: str) -> Result:
    return CliRunner().invoke(app, ["train", *words])


def told(done: Result) -> dict[str, Any]:
    assert done.stdout.startswith("{"), done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found
