"""A small made-up world for the triage tests: papers of a few topics whose words hardly overlap."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from scout.items import Item, ItemKind, Subject
from scout.triage.policy import Corpus, Targets, Thumbed

START = datetime(2025, 11, 3, tzinfo=UTC)
TOPICS = {
    "agents": "agent tool browser planner workflow orchestration api screen click trajectory delegation sandbox".split(),
    "vision": "image segmentation pixel camera detector photograph saliency contour texture lighting stereo frame".split(),
    "proteins": "protein folding residue ligand binding sequence enzyme structure molecule genome assay cell".split(),
    "finance": "market portfolio volatility trading hedge asset pricing risk stock yield bond option".split(),
}
COMMON = "we study how systems learn from data and report what a large experiment says about methods used today".split()
CATEGORIES = {"agents": "cs.MA", "vision": "cs.CV", "proteins": "q-bio.BM", "finance": "q-fin.PM"}

AGENTS = Subject(
    "agents", "Agents", "Agents that plan, use tools and act in a browser.", ("agent", "tool use"), ("cs.MA",)
)
VISION = Subject("vision", "Vision", "Understanding images: segmentation and detection.", ("segmentation",), ("cs.CV",))
SUBJECTS = (AGENTS, VISION)
TARGETS = Targets(read_per_day=10, unsure_per_day=5, items_per_day=100)


def paper(number: int, topic: str, *, author: str | None = None, comment: str = "") -> Item:
    rng = random.Random(f"{topic}-{number}")
    words = TOPICS[topic]
    sentences = [" ".join(rng.sample(words, 4) + rng.sample(COMMON, 6)).capitalize() + "." for _ in range(5)]
    return Item(
        id=f"arxiv:{topic}.{number:04d}",
        kind=ItemKind.PAPER,
        title=" ".join(rng.sample(words, 4)).capitalize(),
        url=f"https://arxiv.org/abs/{topic}.{number}",
        text=" ".join(sentences),
        source="arxiv",
        authors=(author or f"Author {topic} {number}", f"Second {number % 7}"),
        categories=(CATEGORIES[topic],),
        published=START + timedelta(days=number // 4 % 4),
        comment=comment,
    )


def papers(count: int, *, first: int = 0, topics: tuple[str, ...] = tuple(TOPICS)) -> list[Item]:
    return [paper(first + number, topics[number % len(topics)]) for number in range(count)]


def corpus(count: int = 200) -> Corpus:
    return Corpus(recent=tuple(papers(count, first=5000)))


def thumb(item: Item, *, up: bool, day: int = 0, reasons: tuple[str, ...] = ()) -> Thumbed:
    return Thumbed(item=item, up=up, reasons=reasons, at=START + timedelta(days=10 + day, minutes=hash_of(item)))


def hash_of(item: Item) -> int:
    return sum(map(ord, item.id)) % 997
