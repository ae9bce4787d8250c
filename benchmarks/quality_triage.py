"""How good the embedded ranking is on real picks: `python -m benchmarks.quality_triage papers.jsonl.gz picks.json`.

Train before a day, test the month after it; every training paper is a thumb, up where the reader picked it. The community's
picks are no input. A first look at what `scout eval triage` will measure in full; figures are in docs/triage.md.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from scout.items import Item, ItemKind, Subject
from scout.subjects import DEFAULT_SUBJECTS
from scout.triage import linear
from scout.triage.policy import Corpus, Profile, Targets, Thumbed

RECENT = 3000
LEAST_PAPERS = 50
Floats = NDArray[np.float64]


def papers(path: Path) -> Iterator[Item]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for paper in map(json.loads, lines):
            yield Item(
                id=paper["id"],
                kind=ItemKind.PAPER,
                title=paper["title"],
                url=f"https://arxiv.org/abs/{paper['id']}",
                text=paper["abstract"],
                source="arxiv",
                authors=tuple(paper["authors"]),
                categories=tuple(paper["categories"]),
                comment=paper["comment"] or "",
                published=datetime.fromisoformat(paper["day"]).replace(tzinfo=UTC),
            )


def measured(probabilities: Floats, labels: NDArray[np.bool_], days: Sequence[date]) -> dict[str, float]:
    """AUC, average precision, P@10 and recall@20 by day (days of 50 papers and a pick), Brier skill over the base rate."""
    ranks = stats.rankdata(probabilities)
    ups = int(labels.sum())
    order = np.argsort(-probabilities, kind="stable")
    hits = labels[order].cumsum()
    at_ten, at_twenty = [], []
    for day in sorted(set(days)):
        rows = np.array([place for place, other in enumerate(days) if other == day])
        if len(rows) >= LEAST_PAPERS and labels[rows].any():
            best = labels[rows][np.argsort(-probabilities[rows], kind="stable")]
            at_ten.append(best[:10].mean())
            at_twenty.append(best[:20].sum() / best.sum())
    rate = labels.mean()
    return {
        "auc": float((ranks[labels].sum() - ups * (ups + 1) / 2) / (ups * (len(labels) - ups))),
        "ap": float((hits / np.arange(1, len(labels) + 1))[labels[order]].mean()),
        "p@10": float(np.mean(at_ten)),
        "r@20": float(np.mean(at_twenty)),
        "brier_skill": float(1 - ((probabilities - labels) ** 2).mean() / (rate * (1 - rate))),
    }


def labelled(items: Sequence[Item], picked: set[str], count: int | None, seed: int) -> tuple[Thumbed, ...]:
    """Thumbs on all items, or on `count` of them, half up and half down, drawn by chance."""
    rng = np.random.default_rng(seed)
    if count is not None:
        ups = [item for item in items if item.id in picked]
        downs = [item for item in items if item.id not in picked]
        drawn = [rng.choice(len(group), min(count // 2, len(group)), replace=False) for group in (ups, downs)]
        items = [group[n] for group, places in zip((ups, downs), drawn, strict=True) for n in places]
    return tuple(Thumbed(item, item.id in picked, (), item.published) for item in items if item.published)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("papers", type=Path)
    parser.add_argument("picks", type=Path)
    parser.add_argument(
        "--from", dest="first", type=date.fromisoformat, default=date(2025, 11, 1), help="first test day"
    )
    parser.add_argument("--until", type=date.fromisoformat, default=date(2025, 12, 1), help="exclusive")
    parser.add_argument("--readers", nargs="+", default=["hf_daily", "expert", "ai-agents"])
    parser.add_argument("--labels", nargs="+", default=["0", "10", "50", "200", "all"], help="how many thumbs, or all")
    asked = parser.parse_args()
    items = [(item, item.published.date()) for item in papers(asked.papers) if item.published]
    train = [item for item, day in items if day < asked.first]
    test = [(item, day) for item, day in items if asked.first <= day < asked.until]
    picks = json.loads(asked.picks.read_text())
    subjects = tuple(Subject(**entry) for entry in DEFAULT_SUBJECTS)
    corpus = Corpus(tuple(train[-RECENT:]))
    for reader in asked.readers:
        picked = set(picks[reader])
        labels = np.array([item.id in picked for item, _ in test])
        for labels_given in asked.labels:
            count = None if labels_given == "all" else int(labels_given)
            found = []
            for seed in range(1 if count in (None, 0) else 5):
                profile = Profile(reader, subjects, thumbs=labelled(train, picked, count, seed))
                policy = linear.fit(profile, corpus, Targets(20, 10, 300))
                scores = np.array([d.probability for d in policy.decide([item for item, _ in test])])
                found.append(measured(scores, labels, [day for _, day in test]))
            mean = {name: round(float(np.mean([row[name] for row in found])), 4) for name in found[0]}
            print(json.dumps({"reader": reader, "labels": labels_given, "draws": len(found), **mean}), flush=True)


if __name__ == "__main__":
    main()
