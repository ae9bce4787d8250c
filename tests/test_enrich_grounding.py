"""What of a model's summary is kept: only what the item's own sentences say; the rest is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from enrich_samples import (
    READER,
    fill,
    item,
    read,
    summary_of,
)  # fmt: skip
from jsonschema import ValidationError, validate
from scripted_server import Request, ScriptedServer

from scout import pipeline
from scout.reading.reader import Outcome
from scout.store import Store
from scout.store.summaries import EXTRACTIVE


def test_unsupported_points_are_dropped_and_counted_in_stats(store: Store, server: ScriptedServer) -> None:
    def boastful(request: Request) -> str | None:
        if not request.schema:
            return None
        told = summary_of(request)
        told["points"] += [{"text": "It beats GPT-4 by 99%.", "cites": [1]}, {"text": "It helps.", "cites": [77]}]
        return json.dumps(told)

    server.script = boastful
    fill(store, [item(1)])
    report = read(store, server)
    assert (report.points, report.dropped_points) == (8, 2)
    assert store.stats()["grounding"] == {"points": 8, "dropped": 2, "by_reason": {"no-such-sentence": 1, "number": 1}}
    assert len(store.summaries.of([item(1).id])[item(1).id].points) == 3


def test_a_tldr_that_is_not_grounded_gives_way_to_the_best_point(store: Store, server: ScriptedServer) -> None:
    server.script = lambda r: json.dumps({**summary_of(r), "tldr": "Google wins with 99%."}) if r.schema else None
    fill(store, [item(1)])
    read(store, server)
    assert store.summaries.of([item(1).id])[item(1).id].tldr == "We study agents of kind 1."
    assert store.readings.of(READER, [item(1).id])[item(1).id].dropped == {"number": 1}


def test_a_summary_in_another_language_leaves_the_extractive_one(store: Store, server: ScriptedServer) -> None:
    claim = {"text": "这篇论文研究智能体", "cites": [1]}
    told = {"tldr": "这篇论文研究智能体。", "points": [claim], "new": claim, "why_it_matters": claim}
    server.script = lambda request: json.dumps(told) if request.schema else None
    fill(store, [item(1)])
    pipeline.summarize(store, [item(1)])
    assert read(store, server).outcomes == {Outcome.UNGROUNDED: 1}
    assert store.summaries.of([item(1).id])[item(1).id].by == EXTRACTIVE
    assert store.readings.grounding() == {"points": 4, "dropped": 4, "by_reason": {"language": 4}}


def test_the_model_may_be_asked_whether_a_point_follows(store: Store, server: ScriptedServer) -> None:
    def doubting(request: Request, tokens: Any) -> dict[str, float]:
        denies = "claim: They solve" in request.last
        return {t: float(t.strip() in ("A", "5", "N" if denies else "Y")) for t in tokens}

    server.labelling = doubting
    fill(store, [item(1)])
    read(store, server, entailment=True)
    assert [point.cites for point in store.summaries.of([item(1).id])[item(1).id].points] == [(1,), (3,)]
    assert store.readings.of(READER, [item(1).id])[item(1).id].dropped == {"entailment": 1}


def test_the_stats_with_grounding_fit_their_schema(store: Store, server: ScriptedServer) -> None:
    schema = json.loads((Path(__file__).parents[1] / "docs/schemas/stats.schema.json").read_text(encoding="utf-8"))
    assert "grounding" not in store.stats()
    fill(store, [item(1)])
    read(store, server)
    validate(store.stats(), schema)
    with pytest.raises(ValidationError):
        validate({**store.stats(), "grounding": {"points": 1}}, schema)
