"""A database of a million made-up papers, as a scout of five years would have it; built once and kept.

Deterministic: a vocabulary made here (syllables, Zipf's law), sixty topics of 400 words, ids by the month. Rows that a run
would have written come with each item: source, decision, ledger, thread keys. Loaded in bulk: indexes and the full-text index
are made after the rows, thread keys in their own order, with no fsync; the schema is the store's own, by its migrations.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import synthetic
from scout.items import Aspect, Feedback, Item, ItemKind
from scout.store import Store
from scout.store.keys import GATHERED, packed
from scout.store.rows import pack, when
from scout.store.words import count_titles
from scout.triage.duplicates import BANDS
from scout.triage.summarize import extractive
from scout.triage.threads import author_keys

A_DAY = 500
WORDS = 60_000
TOPICS, TOPIC_WORDS = 60, 400
BODY, OF_TOPIC = 150, 40
FRESH = 180 * A_DAY
"""The newest items, of which all is still there that a run made of them; of older ones `scout.store.tidy` keeps less."""
READER = "me"
POLICY = "linear-2:made-up"
AUTHORS = 120_000
_CHUNK = 5_000
_SHARES = ("agents", "evaluation", "generation", "language-models", "multimodal", "other", "reasoning-rl", "robotics")


def start(count: int) -> datetime:
    """The first day of `count` items, so that the last one is the end of 2025."""
    return datetime(2025, 12, 31, 6, tzinfo=UTC) - timedelta(days=(count - 1) // A_DAY)


def papers(count: int, *, seed: int = 7, first: int = 0, total: int | None = None) -> Iterator[list[Item]]:
    """`count` papers from the `first` on, in lists of 5,000; the same for the same arguments."""
    rng = np.random.default_rng([seed, 1])
    words = np.array(_vocabulary(seed))
    law = np.cumsum(1 / (np.arange(WORDS) + 2.7) ** 1.05)
    topics = rng.integers(300, WORDS, size=(TOPICS, TOPIC_WORDS))
    within = np.cumsum(1 / (np.arange(TOPIC_WORDS) + 5.0))
    names = [f"{one.title()} {two.title()}" for one, two in _pairs(seed)]
    began = start(total or count)
    for at in range(first, first + count, _CHUNK):
        size = min(_CHUNK, first + count - at)
        draw = np.random.default_rng([seed, 2, at])
        topic = draw.integers(0, TOPICS, size)
        body = np.searchsorted(law, draw.random((size, BODY)) * law[-1])
        own = topics[topic[:, None], np.searchsorted(within, draw.random((size, OF_TOPIC + 4)) * within[-1])]
        text = draw.permuted(np.concatenate([body, own[:, :OF_TOPIC]], axis=1), axis=1)
        title = np.concatenate([own[:, OF_TOPIC:], body[:, :4]], axis=1)
        people = draw.integers(0, len(names), (size, 5))
        count_of = draw.integers(1, 6, size)
        yield [
            _paper(at + n, began, words[text[n]].tolist(), words[title[n]].tolist(),
                   [names[k] for k in dict.fromkeys(people[n, : count_of[n]].tolist())], int(topic[n]))
            for n in range(size)
        ]  # fmt: skip


def _vocabulary(seed: int) -> list[str]:
    """Frequent words first; these are the shorter ones, as in every language."""
    rng = random.Random(seed)
    return sorted(synthetic.words(WORDS, rng), key=lambda word: len(word) + 6 * rng.random())


def _pairs(seed: int) -> list[tuple[str, str]]:
    rng = random.Random(seed + 1)
    first, last = synthetic.words(2_000, rng), synthetic.words(8_000, rng)
    return [(rng.choice(first), rng.choice(last)) for _ in range(AUTHORS)]


def _paper(n: int, began: datetime, body: list[str], title: list[str], authors: list[str], topic: int) -> Item:
    at = began + timedelta(days=n // A_DAY, seconds=60 * (n % A_DAY))
    sentences = [" ".join(body[k : k + 17]).capitalize() + "." for k in range(0, len(body), 17)]
    id = f"{at:%y%m}.{at.day * A_DAY + n % A_DAY:05d}"
    return Item(
        id=f"arxiv:{id}", kind=ItemKind.PAPER, title=" ".join(title).capitalize(), url=f"https://arxiv.org/abs/{id}",
        text=" ".join(sentences), source="arxiv", authors=tuple(authors),
        categories=(synthetic.CATEGORIES[topic % len(synthetic.CATEGORIES)],), published=at,
    )  # fmt: skip


def build(path: Path, *, items: int = 1_000_000, thumbs: int = 100_000) -> None:
    """Make the database at `path`; about five minutes and 4 GB for a million.

    Raises:
        FileExistsError: there is something at `path`.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists; the benchmark takes it as it is, remove it for a new one")
    began = time.perf_counter()
    half = path.with_suffix(".building")
    half.unlink(missing_ok=True)
    with Store(half) as store:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "foreign_keys=OFF"):
            store.db.conn.execute(f"PRAGMA {pragma}")
        held = _drop(store)
        keys = _rows(store, items, began)
        _threads(store, keys)
        _tell(began, "thread keys written")
        for sql in held:
            store.db.conn.execute(sql)
        _tell(began, "indexes made")
        store.db.conn.execute("INSERT INTO items_fts(items_fts, rank) VALUES ('hashsize', 67108864)")
        store.db.conn.execute("INSERT INTO items_fts(items_fts) VALUES ('rebuild')")
        store.db.conn.execute("INSERT INTO items_fts(items_fts, rank) VALUES ('hashsize', 1048576)")
        store.db.conn.execute("INSERT INTO items_fts(items_fts) VALUES ('optimize')")  # as years of merging leave it
        _tell(began, "full-text index made")
        with store.writing() as db:
            db.conn.execute("DELETE FROM words")
            count_titles(db)
        _thumbs(store, items, thumbs)
        store.compact()
        store.db.conn.execute("PRAGMA journal_mode=WAL")
    half.rename(path)
    _tell(began, "done")


def _drop(store: Store) -> list[str]:
    """Take away what is cheaper to make at the end; the statements that make it again."""
    tables = "('items', 'item_sources', 'decisions', 'ledger')"
    rows = store.rows(
        f"SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN {tables} "
        "AND type IN ('index', 'trigger') ORDER BY type, name"
    )
    for row in rows:
        store.db.conn.execute(f"DROP {row['type']} {row['name']}")
    return [row["sql"] for row in rows]


def _rows(store: Store, items: int, began: float) -> NDArray[np.int64]:
    """The rows of all items; the thread keys that they would have, [keys, 2] of (key, seq)."""
    rng = np.random.default_rng(23)
    keys = []
    for place, batch in enumerate(papers(items)):
        _items(store, batch)
        decided(store, batch, rng, is_fresh=items - place * _CHUNK <= FRESH)
        seqs = place * _CHUNK + 1 + np.arange(len(batch))
        authors = [(key, int(seq)) for item, seq in zip(batch, seqs, strict=True) for key in author_keys(item)]
        bands = np.stack([rng.integers(-(2**63), 2**63 - 1, BANDS * len(batch)), np.repeat(seqs, BANDS)], axis=1)
        keys += [np.array(authors, dtype=np.int64), bands]
        if place % 40 == 39:
            _tell(began, f"{(place + 1) * _CHUNK:,} items")
    return np.concatenate(keys)


def _items(store: Store, batch: list[Item]) -> None:
    db = store.db.conn
    with store.writing():
        db.executemany(
            "INSERT INTO items (id, kind, title, url, text, source, authors, author_names, categories, published, "
            "first_seen, changed_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (i.id, i.kind, i.title, i.url, i.text, i.source, pack(i.authors), ", ".join(i.authors),
                 pack(i.categories), when(i.published), when(i.published), when(i.published))
                for i in batch if i.published
            ],
        )  # fmt: skip
        db.executemany(
            "INSERT INTO item_sources (item_id, source, first_seen) VALUES (?,?,?)",
            [(i.id, i.source, when(i.published)) for i in batch if i.published],
        )


def decided(store: Store, batch: list[Item], rng: np.random.Generator, *, is_fresh: bool) -> None:
    """A decision on each item; of fresh ones with its reasons, the ledger's note of it and a summary."""
    shares = rng.dirichlet([0.2] * len(_SHARES), len(batch))
    chances = rng.beta(0.4, 8, len(batch))
    weights = rng.normal(0, 1, (len(batch), 8))
    with store.writing() as db:
        db.conn.executemany(
            "INSERT INTO decisions (item_id, reader, policy, subject, subjects, probability, lane, why, made_at, run) "
            "VALUES (?,?,?,?,?,?,?,?,?,?)",
            [
                (item.id, READER, POLICY, _SHARES[int(shares[n].argmax())],
                 pack({name: round(float(share), 4) for name, share in zip(_SHARES, shares[n], strict=True) if is_fresh}),
                 float(chances[n]), "read" if chances[n] > 0.35 else "unsure" if chances[n] > 0.28 else "skip",
                 pack([[f"title or abstract: its topic as a whole, {word}", round(float(weight), 4)]
                       for word, weight in zip(item.text.split()[:8], weights[n], strict=True) if is_fresh]),
                 when(item.published), f"run-{item.published:%Y%m%d}")
                for n, item in enumerate(batch) if item.published
            ],
        )  # fmt: skip
        if not is_fresh:
            return
        summaries = {summary.item_id: summary for summary in extractive(batch)}
        store.summaries.write([(item, summaries[item.id]) for item in batch if item.id in summaries], start(1))
        db.conn.executemany(
            "INSERT INTO ledger (item_id, stage, reader, policy, done_at, run) VALUES (?,'triage',?,?,?,?)",
            [
                (item.id, READER, POLICY, when(item.published), f"run-{item.published:%Y%m%d}")
                for item in batch
                if item.published
            ],
        )


def _threads(store: Store, keys: NDArray[np.int64]) -> None:
    """In the order of the keys, so that the tree is filled from one end; the newest where new ones come, half of what may gather."""
    newest = np.sort(keys[:, 1])[-GATHERED // 2]
    store.keys.save({seq: keys[keys[:, 1] == seq, 0].tolist() for seq in range(newest, int(keys[:, 1].max()) + 1)})
    keys = np.unique(keys[keys[:, 1] < newest], axis=0)
    starts = np.flatnonzero(np.append(True, keys[1:, 0] != keys[:-1, 0]))
    ends = np.append(starts[1:], len(keys))
    with store.writing() as db:
        db.conn.executemany(
            "INSERT INTO thread_lists (key, seqs) VALUES (?, ?)",
            (
                (int(keys[at, 0]), packed(keys[at:end, 1].tolist()))
                for at, end in zip(starts.tolist(), ends.tolist(), strict=True)
            ),
        )
        db.conn.execute("DELETE FROM thread_todo")


def _thumbs(store: Store, items: int, thumbs: int) -> None:
    """Of one reader, evenly over the years, two in five up; what is liked is told by the item's category and topic words."""
    rng = random.Random(11)
    chosen = sorted(rng.sample(range(1, items - 2 * A_DAY), thumbs))
    now = start(items)
    store.readers.ensure(READER, now)
    with store.writing() as db:
        db.conn.execute("CREATE TEMP TABLE chosen (seq INTEGER PRIMARY KEY)")
        db.conn.executemany("INSERT INTO chosen VALUES (?)", [(seq,) for seq in chosen])
        for row in store.rows("SELECT id, categories, published FROM items WHERE seq IN (SELECT seq FROM chosen)"):
            liked = json.loads(row["categories"])[0] in ("cs.CL", "cs.RO")
            value = "up" if liked != (rng.random() < 0.1) else "down"
            at = datetime.fromisoformat(row["published"]) + timedelta(hours=5)
            store.feedback.add(Feedback(READER, row["id"], Aspect.THUMB, value, at))


def _tell(began: float, text: str) -> None:
    print(f"{time.perf_counter() - began:6.0f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]), items=int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000,
          thumbs=int(sys.argv[3]) if len(sys.argv) > 3 else 100_000)  # fmt: skip
