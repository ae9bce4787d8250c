"""What a model answered to the injection suite, on disk the moment it was said, so that a run that was stopped goes on.

A folder a run under `evals/injection/` in the data folder; its file is `evals.journal`'s. An answer belongs to what was asked, to
the letter: a question whose prompt was changed since is asked anew. Faults are not kept.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from evals.core import Answer, Case
from evals.journal import FILE_NAME, Journal, Told, read
from scout.clock import now
from scout.store.evals import new_id

FOLDER = ("evals", "injection")


class Answers:
    """The answers of one run. Nothing is on disk until the model is known."""

    def __init__(self, data_dir: Path, *, resume: bool = False) -> None:
        """With `resume` those of the newest run on the same model are taken over, if there is one."""
        self._root, self._resume = data_dir.joinpath(*FOLDER), resume
        self._model = ""
        self._journal: Journal | None = None

    def begin(self, model: str) -> None:
        """Open the file of this run."""
        folder = newest(self._root, model) if self._resume else None
        self._journal = Journal(folder or self._root / new_id("injection", now()))
        self._model = model

    def of(self, case: Case[Any]) -> Answer | None:
        """What was answered to this very question; None where it was not."""
        told = self._journal.known.get((key(case), 1)) if self._journal else None
        return None if told is None else replace(told.answer, case_id=case.id)

    def add(self, case: Case[Any], answer: Answer) -> None:
        if self._journal is not None and not answer.fault:
            self._journal.add(Told(item=key(case), epoch=1, answer=answer, calls=1, model=self._model))

    def __len__(self) -> int:
        return len(self._journal.known) if self._journal else 0

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()


def newest(root: Path, model: str) -> Path | None:
    """The folder of the run that got an answer of this model last."""
    files = sorted(root.glob(f"*/{FILE_NAME}"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files:
        first = next(read(file), None)
        if first is not None and first.model == model:
            return file.parent
    return None


def key(case: Case[Any]) -> str:
    """A case and what is asked in it."""
    asked = {
        "messages": [asdict(message) for message in case.messages], "labels": case.labels, "schema": case.schema,
        "tools": [asdict(tool) for tool in case.tools], "max_tokens": case.max_tokens,
    }  # fmt: skip
    told = json.dumps(asked, sort_keys=True, default=str).encode()
    return f"{case.id} #{hashlib.sha256(told).hexdigest()[:12]}"
