"""Which subject an item belongs to: evidence for each of the reader's subjects, and a softmax over them and `other`.

Evidence is what a person would name: keywords in the title, then in the text, arXiv categories, and words like those of
the description. A rare keyword or category says more than a common one. A description is short, so it is widened by
the words of the recent items that fit it best (Rocchio's feedback, without anybody's judgement) and of the liked
examples. A reader's corrections are learned on top. Relevance uses the same evidence; see `relevance`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, special

from scout.items import OTHER, Item, ItemId, ItemKind, Subject
from scout.triage import habits, logistic, tokens
from scout.triage.features import CATEGORY, COMMENT, FORM, SOURCE, TEXT, TITLE, WIDTH, Floats, Matrix, Space, counts
from scout.triage.habits import Habits
from scout.triage.logistic import Doubles
from scout.triage.phrases import Phrases
from scout.triage.tokens import Tokens
from scout.triage.vectors import NONE, Vectors

IN_TITLE, IN_TEXT, CATEGORIES, LIKENESS = 1.8, 0.6, 0.8, 0.7
"""What each kind of evidence weighs; chosen by reading routed titles, see docs/triage.md."""
FITS_NONE = 1.6
"""The evidence that a subject must beat for an item not to be `other`."""
SHARPNESS = 1.3
_AT_MOST = (0.11, 0.12)
"""Bounds on these two: where half of all that comes is about a subject, being about it is still being about it."""
BESIDE_HABITS = 0.6
"""How wide the priors of the corrections' words are where habits are known too."""
_WORDS_KEPT, _CHUNK = 400, 1000
_USUAL = (0.08, 0.09)
"""Mean and spread of likeness where there are too few items to measure them on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Items read and made into features, once for everything that looks at them."""

    items: Sequence[Item]
    read: Tokens
    features: Matrix

    @staticmethod
    def of(items: Sequence[Item], space: Space, vectors: Vectors = NONE) -> Batch:
        read = tokens.read(items)
        features = space.embed(space.features(counts(items, read)), [item.id for item in items], vectors)
        return Batch(items, read, features)

    def part(self, rows: range) -> Batch:
        """Those items alone; cheap, as they lie together."""
        features = self.features[rows.start : rows.stop]
        return Batch(self.items[rows.start : rows.stop], self.read.part(rows), features)


@dataclass(frozen=True, slots=True)
class Router:
    subjects: tuple[Subject, ...]
    keyword_worth: Floats
    """[keywords of all subjects, in order]"""
    category_worth: Mapping[str, float]
    prototypes: Matrix
    """[subjects, WIDTH]: the words of each subject, rows of unit norm."""
    centre: Floats
    spread: Floats
    """[subjects]: likeness of a usual item to each prototype, and how much it varies."""
    corrections: Matrix
    """[subjects + 1, WIDTH]: what the reader's corrections taught; the last row is `other`."""
    habits: Habits
    """What many corrections add, counted."""

    @property
    def slugs(self) -> tuple[str, ...]:
        return (*(subject.slug for subject in self.subjects), OTHER)

    def evidence(self, batch: Batch) -> Doubles:
        """[items, subjects]: about 0 for an item like any other, 2 and more for one that clearly belongs."""
        found = np.zeros((len(batch.items), len(self.subjects)))
        if self.subjects:
            for start in range(0, len(found), _CHUNK):
                rows = range(start, min(start + _CHUNK, len(found)))
                found[rows.start : rows.stop] = self._evidence(batch.part(rows))
        return found

    def _evidence(self, batch: Batch) -> Doubles:
        likeness = ((batch.features @ self.prototypes.T).toarray() - self.centre) / self.spread
        found: Doubles = self._named(batch) + LIKENESS * np.clip(likeness, -1.5, 5.0)
        return found

    def shares(self, batch: Batch, evidence: Doubles) -> Doubles:
        """[items, subjects + 1]: the probability of each subject and, last, of `other`. Rows sum to 1."""
        logits = self._logits(evidence)
        if self.corrections.nnz:
            logits = logits + (batch.features @ self.corrections.T).toarray()
        if len(self.habits.columns):
            logits = logits + self.habits.logits(batch.features) - (1 - self.habits.trust) * self._logits(evidence)
        shares: Doubles = special.softmax(logits, axis=1)
        return shares

    def _logits(self, evidence: Doubles) -> Doubles:
        return SHARPNESS * np.concatenate([evidence, np.full((len(evidence), 1), FITS_NONE)], axis=1)

    def _named(self, batch: Batch) -> Doubles:
        """Evidence from keywords and categories."""
        keywords, owners = _keywords(self.subjects)
        hits = Phrases.of(keywords).find(batch.read)
        shape = (len(batch.items), len(keywords))
        in_title, in_text = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
        np.add.at(in_title, (hits.rows[hits.in_title], hits.phrases[hits.in_title]), 1)
        np.add.at(in_text, (hits.rows[~hits.in_title], hits.phrases[~hits.in_title]), 1)
        belongs = np.zeros((len(keywords), len(self.subjects)), dtype=np.float32)
        belongs[np.arange(len(keywords)), owners] = self.keyword_worth
        title = np.minimum(np.minimum(in_title, 1) @ belongs, 2.0)
        text = np.minimum(np.minimum(np.log2(1 + in_text) / 2, 1) @ belongs, 2.0)
        return np.asarray(
            IN_TITLE * title + IN_TEXT * text + CATEGORIES * self._categories(batch.items), dtype=np.float64
        )

    def _categories(self, items: Sequence[Item]) -> Floats:
        found = np.zeros((len(items), len(self.subjects)), dtype=np.float32)
        wanted: dict[str, list[int]] = {}
        for column, subject in enumerate(self.subjects):
            for category in subject.categories:
                wanted.setdefault(category.lower(), []).append(column)
        for row, item in enumerate(items):
            for place, category in enumerate(item.categories):
                for column in wanted.get(category.lower(), ()):
                    worth = self.category_worth[category.lower()] * (0.6 if place else 1.0)
                    found[row, column] = max(found[row, column], worth)
        return found


def subject_counts(subjects: Sequence[Subject]) -> Matrix:
    """[subjects, WIDTH]: the words in which each subject is described."""
    described = [
        Item(
            id=subject.slug, kind=ItemKind.POST, title=subject.name, url="", source="",
            text="\n\n".join([subject.description, *subject.keywords]),
        )
        for subject in subjects
    ]  # fmt: skip
    return counts(described, tokens.read(described))


def fit(
    subjects: tuple[Subject, ...],
    recent: Batch,
    space: Space,
    liked: Sequence[tuple[str, Item]],
    corrected: Sequence[tuple[Item, str]],
) -> Router:
    """A router for these subjects. `recent` shows what is usual; without it, keywords are worth alike."""
    worth = _keyword_worth(subjects, recent)
    router = Router(
        subjects, worth, _category_worth(subjects, recent.items), _words_only(space.scale(subject_counts(subjects))),
        *_likeness_of(None, None, len(subjects)), sparse.csr_matrix((len(subjects) + 1, WIDTH), dtype=np.float32),
        Habits.none(len(subjects) + 1),
    )  # fmt: skip
    if not subjects:
        return router
    described = _unit(router.prototypes)
    router = _with_prototypes(router, described, recent)
    widened = described + _unit(_examples(router.slugs, liked, space)) + _unit(_best_fitting(router, recent))
    router = _with_prototypes(router, _unit(_largest(widened)), recent)
    return _with_corrections(router, corrected, space)


def corrected_items(corrections: Mapping[ItemId, str], known: Sequence[Item]) -> list[tuple[Item, str]]:
    """The corrections whose items are at hand, each once, in a fixed order."""
    by_id = {item.id: item for item in known}
    return [(by_id[id], corrections[id]) for id in sorted(corrections) if id in by_id]


def _keywords(subjects: Sequence[Subject]) -> tuple[list[str], list[int]]:
    pairs = [(keyword, place) for place, subject in enumerate(subjects) for keyword in subject.keywords]
    return [keyword for keyword, _ in pairs], [place for _, place in pairs]


def _keyword_worth(subjects: Sequence[Subject], recent: Batch) -> Floats:
    """From .1 for a keyword that every third item has to 1 for one that few have."""
    keywords, _ = _keywords(subjects)
    hits, count = Phrases.of(keywords).find(recent.read), max(len(keywords), 1)
    pairs = np.unique(hits.rows * count + hits.phrases)
    frequency = np.bincount(pairs % count, minlength=len(keywords))
    total = len(recent.items) + 60  # as if one of sixty unseen items had it
    return np.clip(np.log(total / (frequency + 1)) / 4, 0.1, 1).astype(np.float32)


def _category_worth(subjects: Sequence[Subject], recent: Sequence[Item]) -> dict[str, float]:
    seen: dict[str, int] = {}
    for item in recent:
        for category in {name.lower() for name in item.categories}:
            seen[category] = seen.get(category, 0) + 1
    wanted = {category.lower() for subject in subjects for category in subject.categories}
    total = len(recent) + 20
    return {name: min(1.0, max(0.05, math.log(total / (seen.get(name, 0) + 1)) / 3.5)) for name in sorted(wanted)}


def _with_prototypes(router: Router, prototypes: Matrix, recent: Batch) -> Router:
    centre, spread = _likeness_of(prototypes, recent, len(router.subjects))
    return replace(router, prototypes=prototypes, centre=centre, spread=spread)


def _likeness_of(prototypes: Matrix | None, recent: Batch | None, subjects: int) -> tuple[Floats, Floats]:
    """Mean and spread of the likeness of recent items; with few of them, drawn to what is usual."""
    if prototypes is None or recent is None or not recent.items:
        return np.full(subjects, _USUAL[0], np.float32), np.full(subjects, _USUAL[1], np.float32)
    likeness = (recent.features @ prototypes.T).toarray()
    trust = len(recent.items) / (len(recent.items) + 20)
    centre = trust * likeness.mean(axis=0) + (1 - trust) * _USUAL[0]
    spread = trust * likeness.std(axis=0) + (1 - trust) * _USUAL[1]
    return np.minimum(centre, _AT_MOST[0]).astype(np.float32), np.clip(spread, 0.02, _AT_MOST[1]).astype(np.float32)


def _best_fitting(router: Router, recent: Batch) -> Matrix:
    """What the recent items that fit each subject best have more of than others have."""
    size = min(60, len(recent.items) // 30)
    if size < 3:
        return sparse.csr_matrix((len(router.subjects), WIDTH), dtype=np.float32)
    evidence = router.evidence(recent)
    words = _words_only(recent.features)
    usual = np.asarray(words.mean(axis=0)).ravel()
    rows = []
    for column in range(len(router.subjects)):
        best = np.argsort(-evidence[:, column], kind="stable")[:size]
        above = np.asarray(words[best].mean(axis=0)).ravel() - usual
        rows.append(sparse.csr_matrix(np.where(above > 0, above, 0).astype(np.float32)))
    return sparse.vstack(rows).tocsr()


def _examples(slugs: Sequence[str], liked: Sequence[tuple[str, Item]], space: Space) -> Matrix:
    rows = []
    for slug in slugs[:-1]:
        items = [item for owner, item in liked if owner == slug]
        batch = _words_only(Batch.of(items, space).features)
        total = batch.sum(axis=0) if items else np.zeros((1, WIDTH))
        rows.append(sparse.csr_matrix(np.asarray(total, dtype=np.float32)))
    return sparse.vstack(rows).tocsr()


def _with_corrections(router: Router, corrected: Sequence[tuple[Item, str]], space: Space) -> Router:
    slugs = list(router.slugs)
    usable = [(item, slugs.index(slug)) for item, slug in corrected if slug in slugs]
    if not usable:
        return router
    batch = Batch.of([item for item, _ in usable], space)
    labels = np.array([place for _, place in usable], dtype=np.int64)
    start = router._logits(router.evidence(batch))
    counted, features = router.habits, batch.features
    if len(labels) >= habits.NEEDED:
        counted, start = habits.learn(features, labels, start)
        features = _restrained(features)
    learned = logistic.fit_softmax(features, labels, start)
    if features is not batch.features:
        learned *= _restraint()[:, None]
    learned[np.abs(learned) < 1e-3] = 0
    return replace(router, corrections=sparse.csr_matrix(learned.T.astype(np.float32)), habits=counted)


def _restrained(features: Matrix) -> Matrix:
    """Narrower priors, for a regression that has counts to start from; single authors are theirs altogether."""
    return type(features)(
        (features.data * _restraint()[features.indices], features.indices, features.indptr), shape=features.shape
    )


def _restraint() -> Floats:
    widths = np.zeros(WIDTH, dtype=np.float32)
    for block, share in ((TEXT, 1.0), (TITLE, 1.0), (CATEGORY, 1.0), (SOURCE, 1.0), (COMMENT, 2.0), (FORM, 0.5)):
        widths[block.offset : block.end] = share * BESIDE_HABITS
    return widths


def _words_only(features: Matrix) -> Matrix:
    """`features` without anything but the words of title and text."""
    kept = features.copy()
    kept.data[kept.indices >= TITLE.end] = 0
    kept.eliminate_zeros()
    return kept


def _unit(rows: Matrix) -> Matrix:
    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.diags((1 / np.maximum(norms, 1e-9)).astype(np.float32)).dot(rows).tocsr()


def _largest(rows: Matrix) -> Matrix:
    """Each row's largest entries; the long tail of a widened description is noise and weight."""
    kept = rows.tocsr().copy()
    for row in range(kept.shape[0]):
        data = kept.data[kept.indptr[row] : kept.indptr[row + 1]]
        if len(data) > _WORDS_KEPT:
            data[data < np.partition(data, -_WORDS_KEPT)[-_WORDS_KEPT]] = 0
    kept.eliminate_zeros()
    return kept
