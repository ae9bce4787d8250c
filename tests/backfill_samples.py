"""Papers in files, a judge that is quickly made, and a backfill of one by the other."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from triage_samples import SUBJECTS, TARGETS, TOPICS, corpus, paper, papers, thumb

from scout.backfill.chunks import Record, Selection
from scout.backfill.engine import Engine
from scout.backfill.files import look, records
from scout.backfill.folder import Folder, Plan
from scout.backfill.judge import Asked, Judge, Row
from scout.backfill.run import Report, backfill
from scout.config import Model
from scout.items import Item
from scout.triage import linear
from scout.triage.lanes import Thresholds
from scout.triage.llm import Weight
from scout.triage.policy import Profile
from scout.triage.prompting import rubric

READER = "me"
FIRST = datetime(2024, 1, 5, tzinfo=UTC)


def old(number: int) -> Item:
    """A paper of 2024 or later, ten a month, its topic by its number."""
    made = paper(number, tuple(TOPICS)[number % len(TOPICS)])
    return replace(
        made, id=f"arxiv:2401.{number:05d}", url=f"https://arxiv.org/abs/2401.{number:05d}",
        published=FIRST + timedelta(days=3 * number),
    )  # fmt: skip


def record(item: Item) -> dict[str, Any]:
    """As a line of arXiv's metadata has it."""
    assert item.published is not None
    return {
        "id": item.id.removeprefix("arxiv:"), "day": f"{item.published:%Y-%m-%d}", "title": item.title, "abstract": item.text,
        "authors": list(item.authors), "categories": list(item.categories), "comment": item.comment,
    }  # fmt: skip


def write(path: Path, lines: Iterable[Mapping[str, Any] | str]) -> Path:
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    data = text.encode("utf-8", "surrogatepass")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@cache
def judge() -> Judge:
    """The embedded policy of somebody who likes agents."""
    thumbs = tuple(thumb(item, up=item.id.startswith("arxiv:agents")) for item in papers(80, first=9000))
    fitted = linear.fit(Profile(READER, SUBJECTS, thumbs=thumbs), corpus(), TARGETS)
    return Judge(READER, fitted.recipe, fitted.version, fitted.to_bytes())


def plan_of(*files: Path, size: int = 20, by_model: bool = False, **selection: Any) -> Plan:
    return Plan(READER, tuple(map(look, files)), Selection(**selection), by_model, size)


def named(files: Sequence[Path]) -> Iterator[tuple[str, Record]]:
    for path in files:
        yield from ((f"{path.name}, line {number}", found) for number, found in records(path))


def run(
    folder: Path, engine: Engine, *files: Path, by: Judge | None = None, fresh: bool = False, **options: Any
) -> Report:
    """A backfill of these files into that folder."""
    endpoint = by.asked.endpoint if by and by.asked else Model()
    plan = plan_of(*files, by_model=by is not None and by.asked is not None, **options)
    return backfill(plan, Folder(folder), named(files), lambda: by or judge(), engine, endpoint=endpoint, fresh=fresh)


def rows(folder: Path) -> list[Row]:
    return list(Folder(folder).rows())


def asking(url: str) -> Judge:
    """The same, and a served model that is asked about what it would not skip."""
    asked = Asked(
        Model(base_urls=(url,), name="scripted", concurrency=8, timeout_seconds=20.0), "scripted",
        rubric(Profile(READER, SUBJECTS)), Thresholds(0.3, 0.2), Weight(0.25),
    )  # fmt: skip
    return replace(judge(), asked=asked)
