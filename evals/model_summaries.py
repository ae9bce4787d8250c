"""Summaries by a served model, made and checked exactly as `scout run` makes them, for `summaries` to measure."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.summaries import Paper
from evals.triage import SUBJECTS
from scout.items import Summary
from scout.progress import SILENT, Progress
from scout.reading.reader import ModelReader
from scout.serving.client import ModelClient
from scout.triage import prompting, recipes
from scout.triage.lanes import Thresholds
from scout.triage.llm import LlmPolicy
from scout.triage.novelty import Nearness
from scout.triage.policy import Corpus, Profile, Targets
from scout.triage.summarize import extractive


@dataclass(frozen=True, slots=True)
class Made:
    model: str
    summaries: tuple[Summary, ...]
    """What a reader would see: the extractive one where the model's came to nothing."""
    checked: tuple[int, int]
    """How many of the sentences it wrote the text supports, and how many it wrote; what is not supported no reader sees."""
    outcomes: Mapping[str, int]
    """How asking ended, and how often."""


async def summarize(client: ModelClient, papers: Sequence[Paper], *, progress: Progress = SILENT) -> Made:
    """
    Raises:
        ModelError: the model is away, or takes no such requests.
    """
    model = await client.model_name()
    profile = Profile("eval", SUBJECTS)
    embedded = recipes.RECIPES[recipes.DEFAULT].fit(profile, Corpus(), Targets())
    policy = LlmPolicy(
        embedded=embedded, rubric=prompting.rubric(profile), model=model, thresholds=Thresholds(0.5, 0.3)
    )
    reader = ModelReader(client, policy, entailment=False)
    items = [paper.item(number) for number, paper in enumerate(papers)]
    fallback = extractive(items)
    progress.stage(f"summaries by {model}", len(items))

    async def one(number: int) -> tuple[Summary, str, int, int]:
        told = await reader.summarize(items[number], Nearness(), fallback[number].tldr)
        progress.step(papers[number].id)
        return told.summary or fallback[number], str(told.outcome), told.points, sum(told.dropped.values())

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number)) for number in range(len(items))]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        progress.done()
    done = [task.result() for task in tasks]
    wrote, dropped = sum(points for _, _, points, _ in done), sum(lost for *_, lost in done)
    return Made(
        model, tuple(summary for summary, *_ in done), (wrote - dropped, wrote),
        dict(sorted(Counter(outcome for _, outcome, *_ in done).items())),
    )  # fmt: skip
