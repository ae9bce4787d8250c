"""Finished runs in the format of Every Eval Ever (schema 0.2.1): a JSON file a run, and beside it a line an item and epoch.

Of the format we write what we know: model, library, score with its uncertainty, how answers were generated, each sample's
score, tokens and time. Prompts and answers are in the lines. Every value that the format wants as text is text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals import transcripts
from evals.journal import Told
from evals.run import PINNED
from evals.summary import SOLVED
from scout.clock import now
from scout.serving.messages import Message
from scout.store.evals import EvalRun

VERSION = "0.2.1"
INSTANCES = "instance_level_eval_0.2.1"


class NoScore(Exception):
    """A run that cannot be written, since a score is what the format is for."""


def write(run: EvalRun, folder: Path, *, data_dir: Path, organization: str) -> Path:
    """Write a run into `folder`/suite/developer/model/, as that project keeps them; the path of its JSON.

    Raises:
        NoScore: nothing of it was judged, and the format has no word for that.
    """
    if run.summary["mean"] is None:
        raise NoScore(f"{run.id} has no score: nothing of it was judged")
    developer, _, name = _model(run).rpartition("/")
    place = folder / _plain(run.suite) / _plain(developer or "unknown") / _plain(name)
    place.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in samples(run, data_dir)]
    beside = place / f"{run.id}_samples.jsonl"
    text = "".join(lines)
    beside.write_text(text, encoding="utf-8")
    checksum = hashlib.sha256(text.encode()).hexdigest()
    details = {
        "format": "jsonl", "file_path": beside.name, "hash_algorithm": "sha256", "checksum": checksum,
        "total_rows": len(lines),
    }  # fmt: skip
    path = place / f"{run.id}.json"
    value = aggregate(run, organization) | ({"detailed_evaluation_results": details} if lines else {})
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
    return path


def aggregate(run: EvalRun, organization: str) -> dict[str, Any]:
    """The run as one record."""
    developer, _, name = _model(run).rpartition("/")
    made = str(now().timestamp())
    about = {"trust": run.label or "no reason against it", "endpoint_served_it_as": run.model, "scout_run": run.id}
    about |= {"variant": run.variant} if run.variant else {}
    return {
        "schema_version": VERSION,
        "evaluation_id": identity(run),
        "evaluation_timestamp": str(run.started.timestamp()),
        "retrieved_timestamp": made,
        "source_metadata": {
            "source_name": "scout", "source_type": "evaluation_run", "source_organization_name": organization,
            "evaluator_relationship": "third_party",
        },
        "eval_library": {"name": "inspect_ai", "version": PINNED, "additional_details": {"driven_by": "scout"}},
        "model_info": {
            "name": name, "id": _model(run), "developer": developer or "unknown", "additional_details": about,
        },
        "evaluation_results": [_result(run)],
    }  # fmt: skip


def identity(run: EvalRun) -> str:
    return f"{run.suite}/{run.released.replace('/', '_')}/{run.started.timestamp()}"


def _model(run: EvalRun) -> str:
    """What the format names a model by; how it was asked stands elsewhere."""
    return run.release_id or run.model


def _result(run: EvalRun) -> dict[str, Any]:
    found = run.summary
    uncertainty: dict[str, Any] = {"num_samples": found["n"]}
    if found["se"] is not None:
        uncertainty["standard_error"] = {"value": found["se"], "method": "clustered by family"}
    if found["low"] is not None and found["high"] is not None:
        uncertainty["confidence_interval"] = {"lower": found["low"], "upper": found["high"], "confidence_level": 0.95}
    details = {
        "epochs": run.epochs, "errors": found["errors"], "truncated": found["cut"], "families": found["families"],
        "perturbation": run.condition or "none", **{f"pass^{k}": value for k, value in found["pass"].items()},
        **{name: each["mean"] for name, each in found.get("parts", {}).items()},
    }  # fmt: skip
    return {
        "evaluation_name": f"{run.suite}-{run.version}{f'-{run.condition}' if run.condition else ''}",
        "source_data": {
            "dataset_name": run.suite, "source_type": "other",
            "additional_details": {"version": str(run.version), "seed": str(run.seed), "generated": "by scout"},
        },
        "evaluation_timestamp": str(run.started.timestamp()),
        "metric_config": {
            "evaluation_description": f"mean score over items, of {run.domain}", "lower_is_better": False,
            "score_type": "continuous", "min_score": 0.0, "max_score": 1.0,
        },
        "score_details": {
            "score": found["mean"], "details": {key: str(value) for key, value in details.items()},
            "uncertainty": uncertainty,
        },
        "generation_config": {
            "generation_args": {key: run.options[key] for key in ("temperature", "max_tokens") if key in run.options}
        },
    }  # fmt: skip


def samples(run: EvalRun, data_dir: Path) -> Iterator[dict[str, Any]]:
    """A record an item and epoch that was judged; none where the run's folder is gone."""
    prompts = transcripts.asked(data_dir, run.id)
    for told in transcripts.said(data_dir, run.id):
        if told.score is not None:
            yield _sample(run, told, prompts.get(told.item, transcripts.Asked("", "", "")))


def _sample(run: EvalRun, told: Told, asked: transcripts.Asked) -> dict[str, Any]:
    raw, gold = asked.prompt, asked.gold
    agentic = run.kind == "agentic"
    last = len(told.turns) if agentic else 0  # what was asked is the first message
    source = f"messages[{last}].content" if agentic else "output.raw"
    return {
        "schema_version": INSTANCES,
        "evaluation_id": identity(run),
        "model_id": _model(run),
        "evaluation_name": run.suite,
        "sample_id": f"{told.item}#{told.epoch}",
        "sample_hash": hashlib.sha256((raw + gold).encode()).hexdigest(),
        "interaction_type": "agentic" if agentic else "single_turn",
        "input": {"raw": raw, "reference": [gold]},
        "output": None if agentic else _output(told),
        "messages": _conversation(raw, told) if agentic else None,
        "answer_attribution": [
            {"turn_idx": last, "source": source,
             "extracted_value": told.answer.text, "extraction_method": "custom", "is_terminal": True}
        ],
        "evaluation": {
            "score": told.score, "is_correct": (told.score or 0.0) >= SOLVED, "num_turns": max(1, told.calls),
            "tool_calls_count": len(told.answer.calls),
        },
        "token_usage": {
            "input_tokens": told.usage.prompt, "output_tokens": told.usage.completion,
            "total_tokens": told.usage.prompt + told.usage.completion, "input_tokens_cache_read": told.usage.cached,
        },
        "performance": {"latency_ms": round(1000 * told.seconds, 1)},
        "metadata": {"epoch": str(told.epoch), "family": asked.family},
    }  # fmt: skip


def _output(told: Told) -> dict[str, Any]:
    thinking = [turn.reasoning for turn in told.turns if turn.reasoning]
    return {"raw": [told.answer.text], "reasoning_trace": thinking or None}


def _conversation(asked: str, told: Told) -> list[dict[str, Any]]:
    turns = [{"turn_idx": 0, "role": "user", "content": asked}]
    return turns + [_turn(place, turn) for place, turn in enumerate(told.turns, 1)]


def _turn(place: int, turn: Message) -> dict[str, Any]:
    calls = [{"id": c.id, "name": c.name, "arguments": _arguments(c.arguments)} for c in turn.tool_calls]
    return {
        "turn_idx": place, "role": str(turn.role), "content": turn.content, "reasoning_trace": turn.reasoning or None,
        "tool_calls": calls or None, "tool_call_id": [turn.tool_call_id] if turn.tool_call_id else None,
    }  # fmt: skip


def _arguments(text: str) -> dict[str, str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    return {key: _text(part) for key, part in value.items()} if isinstance(value, dict) else {"value": _text(value)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(name: str) -> str:
    """A name as one part of a path."""
    kept = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(".")[:80]
    return kept or "unnamed"
