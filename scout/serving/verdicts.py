"""Verdicts of the gate, kept in a file of the data folder by model: what a model makes is labelled by its last one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scout.serving.gate import Verdict

FILE_NAME = "model-checks.json"
UNCHECKED = "model not checked"


def to_json(verdict: Verdict) -> dict[str, Any]:
    """The public shape of a verdict."""
    return {
        "model": verdict.model,
        "endpoint": verdict.endpoint,
        "passed": verdict.passed,
        "label": verdict.label,
        "checks": [
            {
                "name": check.name,
                "result": str(check.result),
                "value": check.value,
                "threshold": check.threshold,
                "at_least": check.at_least,
                "count": check.count,
                "note": check.note,
            }
            for check in verdict.checks
        ],
    }


def keep(folder: Path, verdict: Verdict) -> None:
    """Remember the verdict, in place of an older one of the same model."""
    folder.mkdir(parents=True, exist_ok=True)
    known = _known(folder) | {verdict.model: to_json(verdict)}
    half = folder / f"{FILE_NAME}.part"
    half.write_text(json.dumps(known, ensure_ascii=False, indent=2), encoding="utf-8")
    half.replace(folder / FILE_NAME)


def label(folder: Path, model: str) -> str:
    """What everything carries that `model` makes: nothing where it passed, else what it failed or that it was never checked."""
    verdict = _known(folder).get(model)
    return str(verdict.get("label", "")) if isinstance(verdict, dict) else UNCHECKED


def _known(folder: Path) -> dict[str, Any]:
    try:
        value = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
