"""Items in any number, made up from a fixed seed: words with the frequencies of a language, a few hidden topics."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from scout.items import Item, ItemKind

START = datetime(2025, 1, 1, tzinfo=UTC)
SYLLABLES = "ba co di fu ge ha ki lo mu ne pa qui ro su ta ve wi xo ya zu tion ment ing er al ous".split()
CATEGORIES = ("cs.LG", "cs.CL", "cs.CV", "cs.AI", "stat.ML", "cs.RO")
TOPICS = 12


def words(count: int, rng: random.Random) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(rng.choices(SYLLABLES, k=rng.randint(2, 4)))] = None
    return list(found)


def items(count: int, *, seed: int = 7, a_day: int = 500) -> Iterator[Item]:
    """`count` papers, `a_day` of them published on each day from START on; about 170 words each."""
    rng = random.Random(seed)
    vocabulary = words(20_000, rng)
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]
    topics = [rng.sample(vocabulary[500:], 60) for _ in range(TOPICS)]
    names = [f"{first.title()} {last.title()}" for first, last in zip(words(3000, rng), words(3000, rng), strict=True)]
    pool = rng.choices(vocabulary, weights, k=400_000)
    for n in range(count):
        topic = topics[n % TOPICS]
        at = rng.randrange(len(pool) - 200)
        body = pool[at : at + 130] + rng.choices(topic, k=40)
        rng.shuffle(body)
        sentences = [" ".join(body[i : i + 17]).capitalize() + "." for i in range(0, len(body), 17)]
        title = " ".join(rng.choices(topic, k=4) + rng.choices(pool, k=4)).capitalize()
        yield Item(
            id=f"arxiv:{2501 + n // 90_000}.{n % 90_000 + 10_000:05d}",
            kind=ItemKind.PAPER,
            title=title,
            url=f"https://arxiv.org/abs/{n}",
            text=" ".join(sentences),
            source="arxiv",
            authors=tuple(rng.sample(names, 4)),
            categories=(CATEGORIES[n % len(CATEGORIES)],),
            published=START + timedelta(days=n // a_day, seconds=n % a_day),
        )
