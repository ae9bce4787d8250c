"""Items as numbers: hashed words, authors, categories, source, comment, form and topic, each block scaled on its own.

The blocks lie side by side in one sparse matrix. A block's `sigma` is how far its weights may stray: columns are
multiplied by it, so that one ridge of strength 1 shrinks every block as a Gaussian prior of that width would. What was
chosen, and on what data, is in docs/triage.md. Names of features come from an item's own words, never from a vocabulary.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scout.items import Item, ItemId, ItemKind
from scout.triage import tokens
from scout.triage import vectors as embedded
from scout.triage.landscape import DIRECTIONS, Landscape
from scout.triage.tokens import Tokens
from scout.triage.vectors import Projection, Vectors

Matrix = Any
"""scipy.sparse.csr_matrix, float32. scipy ships no types."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Block:
    name: str
    offset: int
    size: int
    sigma: float
    power: float
    """Rows are divided by their sum to this power: ten authors count no more than a few times one. Words use the norm."""
    tfidf: bool = False

    @property
    def end(self) -> int:
        return self.offset + self.size


TEXT = Block("word", 0, 1 << 18, 3.0, 0.0, tfidf=True)
TITLE = Block("word", TEXT.end, 1 << 17, 1.5, 0.0, tfidf=True)
AUTHOR = Block("author", TITLE.end, 1 << 17, 2.0, 0.5)
CATEGORY = Block("category", AUTHOR.end, 1 << 12, 0.3, 0.0)
SOURCE = Block("source", CATEGORY.end, 1 << 10, 0.5, 0.0)
COMMENT = Block("comment", SOURCE.end, 1 << 12, 0.4, 0.5)
FORM = Block("form", COMMENT.end, 1 << 10, 0.3, 0.0)
TOPIC = Block("topic", FORM.end, DIRECTIONS, 2.0, 0.0)
"""Places in the landscape: values of either sign, not counts. Empty where a recipe uses none."""
EMBEDDED = Block("embedding", TOPIC.end, embedded.DIRECTIONS, 2.0, 0.0)
"""Places in the eyes of a served model, likewise. Empty where there is none, and for items that it has not seen."""
BLOCKS = (TEXT, TITLE, AUTHOR, CATEGORY, SOURCE, COMMENT, FORM)
WIDTH = EMBEDDED.end
_STARTS = np.array([block.offset for block in BLOCKS], dtype=np.int64)
_SIGMAS = np.array([block.sigma for block in BLOCKS], dtype=np.float32)
_POWERS = np.array([block.power for block in BLOCKS], dtype=np.float32)
_TFIDF = np.array([block.tfidf for block in BLOCKS])


def gram_hash(first: NDArray[np.uint32], second: NDArray[np.uint32] | None = None) -> NDArray[np.uint64]:
    """A well-mixed 64-bit hash of words (`second` left out) or of pairs of words."""
    mixed = first.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    if second is not None:
        mixed += second.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(1)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return mixed


def counts(items: Sequence[Item], read: Tokens) -> Matrix:
    """[items, WIDTH]: how often each feature occurs."""
    rows, columns = _words(read)
    more_rows, more_columns = _marks(items)
    keys = np.concatenate([rows, more_rows]) * WIDTH + np.concatenate([columns, more_columns])
    keys.sort()
    fresh = np.ones(len(keys), dtype=bool)
    fresh[1:] = keys[1:] != keys[:-1]
    at = np.flatnonzero(fresh)
    found = keys[at]
    how_often = np.diff(np.append(at, len(keys))).astype(np.float32)
    row = found // WIDTH
    starts = np.searchsorted(row, np.arange(len(items) + 1)).astype(np.int32)
    return sparse.csr_matrix((how_often, (found - row * WIDTH).astype(np.int32), starts), shape=(len(items), WIDTH))


def _words(read: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    items = len(read.titles)
    row = np.repeat(np.arange(items), np.diff(read.starts))
    in_title = np.arange(len(row)) < read.titles[row] if items else np.zeros(0, dtype=bool)
    single = gram_hash(read.ids)
    inside = row[1:] == row[:-1]
    pair = gram_hash(read.ids[:-1], read.ids[1:])[inside]
    grams = np.concatenate([single, pair])
    gram_rows = np.concatenate([row, row[:-1][inside]])
    titled = np.concatenate([in_title, in_title[1:][inside]])
    columns = (grams & np.uint64(TEXT.size - 1)).astype(np.int64)
    title_columns = (columns[titled] & (TITLE.size - 1)) + TITLE.offset
    return np.concatenate([gram_rows, gram_rows[titled]]), np.concatenate([columns, title_columns])


def _marks(items: Sequence[Item]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Everything that is not a word of title or text: one mark each, however often it occurs."""
    rows: list[int] = []
    columns: list[int] = []
    for row, item in enumerate(items):
        found = set(marks(item))
        columns += found
        rows += [row] * len(found)
    return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)


def marks(item: Item) -> dict[int, str]:
    """The columns of an item's marks, and what each is called."""
    named: dict[int, str] = {}
    for block, names in (
        (FORM, forms(item)),
        (COMMENT, comment_words(item.comment)),
        # Who brought a paper first says who was faster, and of a community's pick it would give the answer away.
        (SOURCE, (item.source,) if item.kind is ItemKind.POST else ()),
        (CATEGORY, _categories(item)),
        (AUTHOR, item.authors[:200]),
    ):
        for name in names:
            named[_column(block, name)] = f"{block.name}: {name}"
    return named


_columns: dict[int, dict[str, int]] = {block.offset: {} for block in BLOCKS}
_MEMO_LIMIT = 50_000


def _column(block: Block, name: str) -> int:
    known = _columns[block.offset]
    column = known.get(name)
    if column is None:
        if len(known) > _MEMO_LIMIT:
            known.clear()
        hashed = zlib.crc32(" ".join(name.lower().split()).encode()) * 0x9E3779B97F4A7C15 >> 20
        column = known[name] = block.offset + hashed % block.size
    return column


def _categories(item: Item) -> Iterable[str]:
    if not item.categories:
        return ()
    # arXiv lists ACM and MSC classes behind its own; they are no categories anybody follows.
    return (*(name for name in item.categories[:12] if len(name) < 40), f"{item.categories[0]} first")


def comment_words(comment: str) -> set[str]:
    return {re.sub(r"\d+", "#", word) for word in tokens.split(comment[:500])} if comment else set()


_NAMED = re.compile(r"^\W*[A-Z][\w+-]*[A-Z0-9][\w+-]*\s?:")


def forms(item: Item) -> list[str]:
    """What can be seen without reading: how long, how many, whether a system is named in the title."""
    count = len(item.authors)
    found = [
        f"{'up to ' if count < 14 else ''}{_bucket(count, (1, 2, 3, 4, 6, 9, 13))} authors" if count else "no authors",
        f"text of {_bucket(len(item.text) // 200 * 200, (0, 400, 600, 800, 1000, 1200, 1400, 1600, 2000))} characters",
        f"{min(len(item.categories), 5)} categories",
    ]
    if item.kind is ItemKind.POST:
        found.append("a post")
    if not item.comment:
        found.append("no comment")
    if _NAMED.match(item.title):
        found.append("a named system in the title")
    elif ":" in item.title:
        found.append("a colon in the title")
    if "?" in item.title:
        found.append("a question in the title")
    return found


def _bucket(value: int, limits: Sequence[int]) -> str:
    place = bisect_left(limits, value)
    return str(limits[place]) if place < len(limits) else f"over {limits[-1]}"


@dataclass(frozen=True, slots=True)
class Space:
    """How counts become features: the document frequencies of the items a policy was fitted on."""

    idf: Floats
    """[TITLE.end]: 0 for what is too rare to have learned anything from."""
    landscape: Landscape
    projection: Projection
    """Of the vectors of a served model."""

    @staticmethod
    def fit(seen: Sequence[Matrix], *, keep: Matrix | None = None) -> Space:
        """`seen` are count matrices of distinct items; the words of `keep` (subjects) count even where no item has them."""
        documents = sum(part.shape[0] for part in seen)
        frequency = np.zeros(TITLE.end)
        for part in seen:
            frequency += np.bincount(part.indices, minlength=WIDTH)[: TITLE.end]
        least = 2 if documents >= 200 else 1
        idf = np.log((1 + documents) / (1 + frequency)) + 1
        rare = frequency < least
        if keep is not None:
            rare[keep.indices[keep.indices < TITLE.end]] = False
        idf[rare] = 0
        return Space(idf.astype(np.float16).astype(np.float32), Landscape.none(), Projection.none())

    def with_landscape(self, scaled: Sequence[Matrix]) -> Space:
        """The same, with a landscape seen in features that were made without one."""
        return replace(self, landscape=Landscape.fit(scaled, TEXT.end))

    def place(self, scaled: Matrix) -> Matrix:
        """Features with the topic block filled in."""
        if not len(self.landscape.words):
            return scaled
        return _with_block(scaled, TOPIC, self.landscape.places(scaled))

    def embed(self, features: Matrix, ids: Sequence[ItemId], vectors: Vectors) -> Matrix:
        """Features with the embedding block filled in too; the same where this space knows no model's vectors."""
        if not self.projection.model:
            return features
        return _with_block(features, EMBEDDED, self.projection.places(ids, vectors))

    def features(self, counted: Matrix) -> Matrix:
        """[items, WIDTH]: all that items say of themselves, from their counts."""
        return self.place(self.scale(counted))

    def scale(self, counted: Matrix) -> Matrix:
        """Features of counts but for the topic, in a new matrix; columns that mean nothing are dropped from the rows."""
        columns = counted.indices
        block = np.searchsorted(_STARTS, columns, side="right") - 1
        row = np.repeat(np.arange(counted.shape[0]), np.diff(counted.indptr))
        words = _TFIDF[block]
        value = counted.data.copy()
        value[words] = (1 + np.log(value[words])) * self.idf[columns[words]]
        group = row * len(BLOCKS) + block
        total = np.bincount(
            group, weights=np.where(words, value * value, value), minlength=counted.shape[0] * len(BLOCKS)
        )
        power = np.tile(np.where(_TFIDF, 0.5, _POWERS), counted.shape[0])
        factor = np.tile(_SIGMAS, counted.shape[0]) / np.maximum(total, 1e-9) ** power
        value *= factor.astype(np.float32)[group]
        kept = value != 0
        starts = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=counted.shape[0]))]).astype(np.int32)
        return sparse.csr_matrix((value[kept], columns[kept], starts), shape=counted.shape)


def _with_block(features: Matrix, block: Block, values: Floats) -> Matrix:
    """`features` with the dense `values` [items, block.size] as that block, all columns before it being there already."""
    ends = np.repeat(features.indptr[1:], block.size)
    columns = np.tile(np.arange(block.offset, block.end, dtype=np.int32), features.shape[0])
    indices = np.insert(features.indices, ends, columns)
    data = np.insert(features.data, ends, (block.sigma * values).ravel().astype(np.float32))
    starts = features.indptr + block.size * np.arange(len(features.indptr), dtype=np.int32)
    return sparse.csr_matrix((data, indices, starts), shape=features.shape)
