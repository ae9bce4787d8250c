"""What others do, as rankers to compare a policy with: each is given the same thumbs on the same papers and scores the same test.

Each is small and plain, with the choices of the project it is named after where there is one. Those that need
scikit-learn take it from the `evals` extra. None is asked to be calibrated, and none has lanes.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from evals.papers import Papers
from evals.ranking import Doubles
from scout.items import Item
from scout.triage.policy import Thumbed

TOPICS = 256
"""Dimensions of the latent semantic analysis that stands in for a text encoder."""
KEYWORDS = 20


class NoExtra(RuntimeError):
    """A package of the `evals` extra is not installed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a ranker is given."""

    seen: Papers
    """Every paper before the first test day, whatever was said of it. Thumbs are on these."""
    thumbs: tuple[Thumbed, ...]
    test: Papers
    seed: int = 0


@dataclass(slots=True)
class Shelf:
    """Features of one span of papers, made once for every reader and draw."""

    _kept: dict[object, Any] = field(default_factory=dict)

    def words(self, task: Task, name: str) -> tuple[Any, Any]:
        """Seen and test papers as the TF-IDF named in `VECTORIZERS`."""
        return self._made(("words", name), task, lambda: _vectorized(task, name))  # type: ignore[no-any-return]

    def topics(self, task: Task) -> tuple[Doubles, Doubles]:
        """The same as unit vectors of `TOPICS` latent dimensions (Deerwester et al. 1990)."""
        return self._made("topics", task, lambda: _topics(*self.words(task, "sanity")))  # type: ignore[no-any-return]

    def _made(self, key: object, task: Task, make: Callable[[], Any]) -> Any:
        spans = (task.seen, task.test)
        known = self._kept.get(key)
        if known is None or not all(map(_same, known[0], spans)):
            known = self._kept[key] = (spans, make())
        return known[1]


def _same(one: Papers, other: Papers) -> bool:
    """Whether both are the same part of the same papers."""
    if len(one) != len(other):
        return False
    return not len(one) or (one.items[0] is other.items[0] and one.items[-1] is other.items[-1])


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    about: str
    score: Callable[[Task, Shelf], Doubles]
    probabilities: bool = False
    """Whether its scores claim to be probabilities."""
    needs: str = ""
    """A module that must be there."""

    def check(self) -> None:
        """
        Raises:
            NoExtra: what it needs is not installed.
        """
        if self.needs and importlib.util.find_spec(self.needs) is None:
            raise NoExtra(
                f"{self.name} needs scikit-learn: install scout with the extra `evals` (pip install 'scout[evals]')"
            )


VECTORIZERS: Mapping[str, Mapping[str, Any]] = {
    "logistic": {"ngram_range": (1, 2), "min_df": 2, "sublinear_tf": True, "stop_words": "english"},
    "sanity": {
        "ngram_range": (1, 2), "min_df": 5, "max_df": 0.1, "max_features": 20_000, "sublinear_tf": True,
        "stop_words": "english", "strip_accents": "unicode", "token_pattern": r"(?u)\b[a-zA-Z_][a-zA-Z0-9_]+\b",
    },
}  # fmt: skip
_STRENGTH = 2.0


def _vectorized(task: Task, name: str) -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    options = dict(VECTORIZERS[name])
    if len(task.seen) < 100:  # so few that a lower bound on document frequency would leave nothing
        options |= {"min_df": 1, "max_df": 1.0}
    maker = TfidfVectorizer(**options)
    read = _with_authors if name == "sanity" else _text
    try:
        seen = maker.fit_transform([read(item) for item in task.seen.items])
    except ValueError:  # no word in any of them
        return sparse.csr_matrix((len(task.seen), 1)), sparse.csr_matrix((len(task.test), 1))
    return seen, maker.transform([read(item) for item in task.test.items])


def _topics(seen: Any, test: Any) -> tuple[Doubles, Doubles]:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    most = min(TOPICS, min(seen.shape) - 1)
    if most < 1:
        return np.zeros((seen.shape[0], 1)), np.zeros((test.shape[0], 1))
    maker = TruncatedSVD(most, random_state=0, n_iter=3).fit(seen)
    return normalize(maker.transform(seen)), normalize(maker.transform(test))


def _text(item: Item) -> str:
    return f"{item.title} {item.text}"


def _with_authors(item: Item) -> str:
    return f"{item.title} {item.text} {' '.join(item.authors)}"


def _rows(task: Task) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Rows among the seen papers that have a thumb, the newest thumb of each counting, and whether it is up."""
    said: dict[str, bool] = {}
    for thumb in sorted(task.thumbs, key=lambda thumb: thumb.at):
        said[thumb.item.id] = thumb.up
    rows = [row for row, item in enumerate(task.seen.items) if item.id in said]
    return np.array(rows, dtype=np.int64), np.array([said[task.seen.items[row].id] for row in rows], dtype=bool)


def _logistic(task: Task, shelf: Shelf) -> Doubles:
    from sklearn.linear_model import LogisticRegression

    rows, ups = _rows(task)
    if not 0 < ups.sum() < len(ups):
        return np.full(len(task.test), float(ups.mean()) if len(ups) else 0.5)
    seen, test = shelf.words(task, "logistic")
    model = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=1000).fit(seen[rows], ups)
    return np.asarray(model.predict_proba(test)[:, 1], dtype=np.float64)


def _svm(task: Task, shelf: Shelf) -> Doubles:
    """arxiv-sanity knows no thumb down: what is not liked counts as not wanted."""
    from sklearn.svm import LinearSVC

    rows, ups = _rows(task)
    wanted = np.zeros(len(task.seen), dtype=bool)
    wanted[rows[ups]] = True
    if not 0 < wanted.sum() < len(wanted):
        return np.zeros(len(task.test))
    seen, test = shelf.words(task, "sanity")
    model = LinearSVC(C=0.01, class_weight="balanced", max_iter=10_000, tol=1e-6, random_state=0).fit(seen, wanted)
    return np.asarray(model.decision_function(test), dtype=np.float64)


def _embedding(task: Task, shelf: Shelf) -> Doubles:
    """Mean likeness to the liked papers, the n-th newest of them weighing 1 / (1 + log10 n) as in zotero-arxiv-daily."""
    rows, ups = _rows(task)
    liked = rows[ups][::-1]
    if not len(liked):
        return np.zeros(len(task.test))
    seen, test = shelf.topics(task)
    weights = 1 / (1 + np.log10(np.arange(1, len(liked) + 1)))
    return np.asarray(test @ (seen[liked].T @ (weights / weights.sum())), dtype=np.float64)


def _keywords(task: Task, shelf: Shelf) -> Doubles:
    """How many of twenty keywords a paper has, twice as much in its title.

    The keywords are the words and pairs that stand most often in liked titles for how often they stand in all (a binomial
    z), as somebody who writes rules would choose them after reading what they liked.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    rows, ups = _rows(task)
    if not ups.any():
        return np.zeros(len(task.test))
    maker = CountVectorizer(ngram_range=(1, 2), stop_words="english", binary=True)
    try:
        titles = maker.fit_transform([item.title for item in task.seen.items])
    except ValueError:
        return np.zeros(len(task.test))
    every = np.asarray(titles.mean(axis=0)).ravel()
    liked = np.asarray(titles[rows[ups]].sum(axis=0)).ravel()
    expected = every * ups.sum()
    telling = (liked - expected) / np.sqrt(expected + 1)
    chosen = np.argsort(-telling, kind="stable")[:KEYWORDS]
    in_title = maker.transform([item.title for item in task.test.items])[:, chosen].sum(axis=1)
    in_text = maker.transform([item.text for item in task.test.items])[:, chosen].sum(axis=1)
    return np.asarray(2 * in_title + in_text, dtype=np.float64).ravel()


def _random(task: Task, shelf: Shelf) -> Doubles:
    return np.array([_lot(task.seed, item.id) for item in task.test.items], dtype=np.float64)


def _lot(seed: int, id: str) -> float:
    digest = hashlib.blake2b(f"{seed}\0{id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


_SKLEARN = "sklearn"
PEERS: Mapping[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("tfidf-logistic", "TF-IDF of words and pairs, balanced logistic regression: the plain yardstick", _logistic,
             probabilities=True, needs=_SKLEARN),
        Peer("tfidf-svm", "TF-IDF with a linear SVM, as arxiv-sanity does", _svm, needs=_SKLEARN),
        Peer("embedding", "likeness to liked papers, recent ones first, as zotero-arxiv-daily does; the embeddings are latent "
             f"semantic analysis of {TOPICS} dimensions, as no encoder is at hand", _embedding, needs=_SKLEARN),
        Peer("keywords", "twenty keywords taken from liked titles", _keywords, needs=_SKLEARN),
        Peer("random", "a lot drawn for each paper", _random),
    )
}  # fmt: skip


def available(names: Sequence[str] = tuple(PEERS)) -> tuple[list[str], list[str]]:
    """Those of the peers that can be asked here, and the others."""
    there = [name for name in names if not PEERS[name].needs or importlib.util.find_spec(PEERS[name].needs) is not None]
    return there, [name for name in names if name not in there]
