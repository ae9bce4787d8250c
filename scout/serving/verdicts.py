"""Verdicts of the gate, kept in a file of the data folder by model: what a model makes is labelled by its last one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scout.serving.gate import Verdict

FILE_NAME = "model-checks.json"
UNCHECKED = "model not checked"
_EXTRACTIVE = "extractive"
_DECIDED = re.compile(r"llm-\d+:(.+?):[0-9a-f]{12}(?::[^:]*)?\Z")
"""The version of a policy in which a model had a say."""


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
    return _label(_known(folder), model)


def label_of(folder: Path, *, by: str = "", policy: str = "") -> str:
    """What something carries whose summary is `by` somebody and that `policy` decided on; empty where no model had a say."""
    asked = _DECIDED.match(policy)
    models = dict.fromkeys(model for model in ("" if by == _EXTRACTIVE else by, asked[1] if asked else "") if model)
    known = _known(folder) if models else {}
    return "; ".join(dict.fromkeys(said for model in models if (said := _label(known, model))))


def _label(known: dict[str, Any], model: str) -> str:
    verdict = known.get(model)
    return str(verdict.get("label", "")) if isinstance(verdict, dict) else UNCHECKED


def _known(folder: Path) -> dict[str, Any]:
    try:
        value = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
