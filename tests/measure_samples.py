"""What the tests of the measures share: a small made-up archive with a reader's picks, in memory and as files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from triage_samples import papers as made_up

from evals.papers import Papers
from scout.items import Item

FIRST = date(2025, 11, 3)
TEST = date(2025, 11, 9)
A_DAY = 60


def archive(days: int = 8, a_day: int = A_DAY) -> Papers:
    """Every fourth paper is about agents; each day has its own."""
    items, when = [], []
    for number, item in enumerate(made_up(days * a_day)):
        day = FIRST + timedelta(days=number // a_day)
        items.append(replace(item, published=datetime(day.year, day.month, day.day, tzinfo=UTC)))
        when.append(day)
    return Papers(tuple(items), tuple(when))


def about(topic: str, papers: Papers) -> frozenset[str]:
    """The ids of the papers on a topic: what a reader picks who wants nothing else."""
    return frozenset(item.id for item in papers.items if item.id.startswith(f"arxiv:{topic}."))


def line_of(item: Item, day: date) -> dict[str, object]:
    return {
        "id": item.id.removeprefix("arxiv:"), "day": day.isoformat(), "title": item.title, "abstract": item.text,
        "authors": list(item.authors), "categories": list(item.categories), "comment": item.comment or None,
    }  # fmt: skip


def write(folder: Path, papers: Papers, picked: Iterable[str]) -> tuple[str, str]:
    """The two files, as the command line takes them."""
    lines = [json.dumps(line_of(item, day)) for item, day in zip(papers.items, papers.days, strict=True)]
    (folder / "papers.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    picks = {"ada": [id.removeprefix("arxiv:") for id in sorted(picked)], "nobody": []}
    (folder / "picks.json").write_text(json.dumps(picks), encoding="utf-8")
    return str(folder / "papers.jsonl"), str(folder / "picks.json")
