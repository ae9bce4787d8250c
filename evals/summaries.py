"""Measures summaries against what experts wrote: ROUGE, whether the text says so, and how much is more than the title.

ROUGE rewards an echo of the title, since experts echo it too; so the share of words that the title does not have stands
beside it. What a model writes is asked for and checked by `scout`; this only compares.
"""

from __future__ import annotations

import importlib.util
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from evals.bootstrap import by_group
from evals.papers import BadData, json_lines
from evals.peers import NoExtra
from evals.stats import Interval, bootstrap_interval
from scout.items import Item, ItemKind, Summary
from scout.progress import SILENT, Progress
from scout.text import sentences
from scout.triage.grounding import check, check_tldr

ROUGE = ("rouge1", "rouge2", "rougeL")
DRAWS = 2000
_WORD = re.compile(r"[a-z0-9]+")
_DAMPING, _ALIKE = 0.85, 0.1


@dataclass(frozen=True, slots=True)
class Paper:
    """A text with the one-line summaries that experts wrote of it."""

    id: str
    title: str
    source: tuple[str, ...]
    """Its sentences."""
    targets: tuple[str, ...]

    def item(self, number: int) -> Item:
        """As it would come in. `number` keeps ids apart where the data repeats them."""
        return Item(
            id=f"data:{number}:{self.id}", kind=ItemKind.PAPER, title=self.title, url="", text=" ".join(self.source),
            source="data",
        )  # fmt: skip


def read(path: Path) -> list[Paper]:
    """
    Raises:
        BadData: the file, or a line of it, cannot be read.
    """
    papers = []
    for number, record in json_lines(path):
        where = f"{path.name}, line {number}"
        id, title = record.get("paper_id"), record.get("title", "")
        source, targets = (_texts(record, key, where) for key in ("source", "target"))
        if not isinstance(id, str) or not id:
            raise BadData(f"{where}: no `paper_id`")
        if not isinstance(title, str):
            raise BadData(f"{where} ({id}): `title` is no text")
        if not any(target.strip() for target in targets):
            raise BadData(f"{where} ({id}): `target` holds no summary to compare with")
        papers.append(Paper(id, title, source, targets))
    return papers


def _texts(record: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    found = record.get(key)
    if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
        raise BadData(f"{where}: `{key}` is no list of texts")
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Somebody's summaries."""

    name: str
    rouge: Mapping[str, float]
    """F1 of 100, each paper's by the reference that it fits best."""
    intervals: Mapping[str, Interval]
    above_lead: Mapping[str, Interval]
    """Of how much more it is than the first sentence's, paper by paper."""
    words: float
    """In a summary."""
    beyond_title: float
    """Share of a summary's words that the title does not have."""
    grounded: float | None
    """Share of its sentences that the text and title support, points included where it writes any."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "by": self.name,
            **{name: {"value": round(self.rouge[name], 2), "interval": _ends(self.intervals[name]),
                      "above_lead": _ends(self.above_lead[name])} for name in ROUGE},
            "words": round(self.words, 1),
            "beyond_title": round(self.beyond_title, 4),
            "grounded": None if self.grounded is None else round(self.grounded, 4),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    papers: int
    rows: tuple[Row, ...]
    predictions: tuple[Mapping[str, str], ...]
    """`id` and `summary` of the first row."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "measure": "summaries", "papers": self.papers, "stemmer": False, "reference": "best",
            "rows": [row.to_dict() for row in self.rows],
        }  # fmt: skip


Baseline = Callable[[Sequence[Paper], int], list[str]]
"""Papers and a seed in, a line for each out."""


def run(
    papers: Sequence[Paper], name: str, made: Sequence[Summary], *, checked: tuple[int, int] | None = None, seed: int = 0,
    progress: Progress = SILENT,
) -> Report:  # fmt: skip
    """`made`, the summaries of somebody called `name`, beside the baselines.

    `checked` is how many sentences stood up to the check, and of how many, where a model's were checked as they were
    written; else they are checked here.

    Raises:
        ValueError: there are no papers.
        NoExtra: rouge-score is not installed.
    """
    if importlib.util.find_spec("rouge_score") is None:
        raise NoExtra("ROUGE needs rouge-score: install scout with the extra `evals` (pip install 'scout[evals]')")
    if not papers:
        raise ValueError("there are no papers to summarize in the file")
    lines = {name: [summary.tldr for summary in made]} | {
        other: baseline(papers, seed) for other, baseline in BASELINES.items()
    }
    progress.stage("ROUGE", len(lines))
    scores = {}
    for each, said in lines.items():
        scores[each] = _rouge(papers, said)
        progress.step(each)
    progress.done()
    good, total = checked or _grounded(papers, made)
    shares = {name: good / total if total else None}
    rows = tuple(_row(each, papers, lines[each], scores, shares.get(each)) for each in lines)
    predictions = tuple({"id": paper.id, "summary": line} for paper, line in zip(papers, lines[name], strict=True))
    return Report(len(papers), rows, predictions)


def _rouge(papers: Sequence[Paper], said: Sequence[str]) -> dict[str, list[float]]:
    """ROUGE-1, -2 and -L (Lin 2004) by Google's library without its stemmer, of 100, paper by paper."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(ROUGE), use_stemmer=False)
    found: dict[str, list[float]] = {name: [] for name in ROUGE}
    for paper, line in zip(papers, said, strict=True):
        told = [scorer.score(target, line) for target in paper.targets]
        for name in ROUGE:
            found[name].append(100 * max(each[name].fmeasure for each in told))
    return found


def _row(
    name: str, papers: Sequence[Paper], lines: Sequence[str], scores: Mapping[str, Mapping[str, list[float]]],
    grounded: float | None,
) -> Row:  # fmt: skip
    mine, lead, ids = scores[name], scores["lead"], range(len(papers))
    words = [_WORD.findall(line.lower()) for line in lines]
    titles = [set(_WORD.findall(paper.title.lower())) for paper in papers]
    beyond = [
        sum(word not in title for word in said) / len(said) for said, title in zip(words, titles, strict=True) if said
    ]
    return Row(
        name=name,
        rouge={measure: fmean(values) for measure, values in mine.items()},
        intervals={measure: bootstrap_interval(values, draws=DRAWS) for measure, values in mine.items()},
        above_lead={measure: by_group(mine[measure], lead[measure], ids, draws=DRAWS) for measure in ROUGE},
        words=fmean(map(len, words)),
        beyond_title=fmean(beyond) if beyond else 0.0,
        grounded=grounded,
    )


def _grounded(papers: Sequence[Paper], made: Sequence[Summary]) -> tuple[int, int]:
    """How many of the lines, TLDR and points, `scout.triage.grounding` finds in the text, and of how many."""
    good = total = 0
    for number, (paper, summary) in enumerate(zip(papers, made, strict=True)):
        known = sentences(paper.item(number).text)
        good += check_tldr(summary.tldr, paper.title, known) is None
        good += len(check(summary.points, known).kept)
        total += 1 + len(summary.points)
    return good, total


def _lexrank(papers: Sequence[Paper], seed: int) -> list[str]:
    """The sentence most like the others that are like others (LexRank, Erkan & Radev 2004): threshold .1, damping .85."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    every = [sentence for paper in papers for sentence in paper.source]
    words = TfidfVectorizer(stop_words="english")
    try:
        words.fit(every)
    except ValueError:  # no word in any of them
        return _lead(papers, seed)
    found = []
    for paper in papers:
        if not paper.source:
            found.append("")
            continue
        rows = words.transform(paper.source)
        linked = (rows @ rows.T).toarray() > _ALIKE
        np.fill_diagonal(linked, True)
        moves = linked / linked.sum(axis=1, keepdims=True)
        rank = np.full(len(moves), 1 / len(moves))
        for _ in range(100):
            rank = (1 - _DAMPING) / len(moves) + _DAMPING * rank @ moves
        found.append(paper.source[int(rank.argmax())])
    return found


def _lead(papers: Sequence[Paper], seed: int) -> list[str]:
    return [paper.source[0] if paper.source else "" for paper in papers]


def _title(papers: Sequence[Paper], seed: int) -> list[str]:
    return [paper.title for paper in papers]


def _random(papers: Sequence[Paper], seed: int) -> list[str]:
    rng = random.Random(seed)  # noqa: S311 -- a baseline, not a secret
    return [rng.choice(paper.source) if paper.source else "" for paper in papers]


BASELINES: Mapping[str, Baseline] = {"title": _title, "lead": _lead, "lexrank": _lexrank, "random": _random}


def _ends(interval: Interval) -> list[float]:
    return [round(interval.low, 2), round(interval.high, 2)]
