"""The folder of a backfill: what it is about, what decides, a file a judged chunk, and in the end one file of all.

    plan.json   policy.bin   chunks/000000.jsonl.gz …        →        decisions.jsonl.gz

A chunk is there in full or not at all, so a backfill that was killed goes on with the chunks that are not there. It goes on
with the policy it began with, whatever serves by then: rows of two policies are not to be compared.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from scout.backfill.chunks import SIZE, Selection
from scout.backfill.files import BadPapers, Source
from scout.backfill.judge import Asked, Judge, Row
from scout.config import Model
from scout.locks import Locked
from scout.store.store import explained
from scout.triage.lanes import Thresholds
from scout.triage.llm import Weight
from scout.triage.prompting import Rubric

DECISIONS = "decisions.jsonl.gz"
_PLAN, _POLICY, _CHUNKS = "plan.json", "policy.bin", "chunks"
_FORMAT = 1


class OtherPlan(Exception):
    """The folder holds another backfill; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backfill is about. Two with the same key give the same rows, the policy being the same."""

    reader: str
    inputs: tuple[Source, ...]
    selection: Selection
    by_model: bool
    size: int = SIZE

    @property
    def records(self) -> int:
        """How many records there are to be read; at least as many as papers."""
        return sum(each.records for each in self.inputs)

    @property
    def key(self) -> str:
        told = [
            _FORMAT,
            self.reader,
            [each.digest for each in self.inputs],
            _plain(self.selection),
            self.by_model,
            self.size,
        ]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=6).hexdigest()

    @property
    def names(self) -> str:
        return ", ".join(each.name for each in self.inputs)


def _plain(selection: Selection) -> dict[str, Any]:
    found = asdict(selection)
    return found | {name: found[name] and found[name].isoformat() for name in ("since", "before")}


class Folder:
    """
    Every method raises StoreError where the disk is full or may not be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """One backfill at a time in this folder.

        Raises:
            Locked: another process is at it.
        """
        with explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / ".lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise Locked(f"another backfill is under way in {self.path}; try again when it has finished") from None
        try:
            yield
        finally:
            lock.release()

    def began(self, plan: Plan, endpoint: Model) -> Judge | None:
        """What decides in the backfill that began here; None where none did. The endpoint is no part of what is kept.

        Raises:
            OtherPlan: it is another one.
        """
        try:
            told = json.loads((self.path / _PLAN).read_text(encoding="utf-8"))
            kept = {name: told[name] for name in ("key", "reader", "inputs", "recipe", "version", "asked")}
            weights = (self.path / _POLICY).read_bytes()
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as err:
            raise OtherPlan(f"{self.path / _PLAN} is damaged ({err}); --fresh begins anew") from err
        if kept["key"] != plan.key:
            raise OtherPlan(
                f"{self.path} holds a backfill of {kept['inputs']} for {kept['reader']} with other papers or options; "
                "give another folder, or --fresh to replace it"
            )
        asked = kept["asked"] and _asked(kept["asked"], endpoint)
        return Judge(kept["reader"], kept["recipe"], kept["version"], weights, asked)

    def begin(self, plan: Plan, judge: Judge) -> None:
        """Take the place of whatever backfill was here."""
        with explained(self.path):
            (self.path / _PLAN).unlink(missing_ok=True)
            (self.path / DECISIONS).unlink(missing_ok=True)
            shutil.rmtree(self.path / _CHUNKS, ignore_errors=True)
            (self.path / _CHUNKS).mkdir(parents=True)
            _write(self.path / _POLICY, judge.weights)
            told = {
                "key": plan.key, "reader": plan.reader, "inputs": plan.names, "recipe": judge.recipe,
                "version": judge.version, "selection": _plain(plan.selection), "asked": judge.asked and _told(judge.asked),
            }  # fmt: skip
            _write(self.path / _PLAN, json.dumps(told, ensure_ascii=False, indent=1).encode())

    @property
    def is_done(self) -> bool:
        return (self.path / DECISIONS).exists()

    def done(self) -> set[int]:
        """Numbers of the chunks that are here."""
        names = [file.name.partition(".")[0] for file in (self.path / _CHUNKS).glob("*.jsonl.gz")]
        return {int(name) for name in names if name.isdigit()}

    def keep(self, number: int, rows: bytes) -> None:
        with explained(self.path):
            _write(self._chunk(number), rows)

    def finish(self, chunks: int) -> None:
        """One file of all chunks, in their order; gzip allows the files simply to follow each other."""
        with explained(self.path):
            half = self.path / f".{DECISIONS}.part"
            with half.open("wb") as whole:
                for number in range(chunks):
                    whole.write(self._chunk(number).read_bytes())
                whole.flush()
                os.fsync(whole.fileno())
            half.replace(self.path / DECISIONS)
            shutil.rmtree(self.path / _CHUNKS, ignore_errors=True)

    def _chunk(self, number: int) -> Path:
        return self.path / _CHUNKS / f"{number:06d}.jsonl.gz"

    def rows(self) -> Iterator[Row]:
        """What was decided so far, in the order of the papers.

        Raises:
            BadPapers: a file of it is damaged.
        """
        files = [self.path / DECISIONS] if self.is_done else sorted((self.path / _CHUNKS).glob("*.jsonl.gz"))
        for file in files:
            try:
                with gzip.open(file, "rt", encoding="utf-8") as lines:
                    for line in lines:
                        yield json.loads(line)
            except (OSError, EOFError, ValueError) as err:
                raise BadPapers(f"{file} is damaged ({err}); --fresh decides anew") from err


def _write(path: Path, content: bytes) -> None:
    """In full or not at all, whatever ends this process."""
    half = path.with_name(f".{path.name}.part")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _told(asked: Asked) -> dict[str, Any]:
    return {
        "name": asked.name, "rubric": asdict(asked.rubric), "thresholds": asdict(asked.thresholds),
        "weight": asdict(asked.weight),
    }  # fmt: skip


def _asked(told: Mapping[str, Any], endpoint: Model) -> Asked:
    return Asked(
        endpoint.model_copy(update={"name": told["name"]}),
        told["name"],
        Rubric(**told["rubric"]),
        Thresholds(**told["thresholds"]),
        Weight(**told["weight"]),
    )
