"""Items as words: read once, used by routing, relevance and summaries alike.

A word is kept as it was written (in lower case) and as a stable 32-bit id of its stem, so that "agents" and "agent" are
one feature and nothing depends on the order in which words were first met. What the words are worth is for `features`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scout.items import Item
from scout.text import sentences

LONGEST = 12_000
"""Characters of a text that are read. An abstract has 1,200; a long post says what it is about well before this."""
_APART = str.maketrans({sign: " " for sign in map(chr, range(128)) if not (sign.isalnum() or sign == "_")})
"""What stands between words of ASCII text, for a space in its place."""
_WORD_OR_SIGN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}"
)
_MEMO_LIMIT = 150_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a batch of items in one flat run: per item the title first, then its sentences."""

    words: list[str]
    """Lower case, as written. Length n."""
    ids: NDArray[np.uint32]
    """[n]: a stable hash of each word's stem."""
    starts: NDArray[np.int64]
    """[items + 1]: where each item's words begin; the last entry is n."""
    titles: NDArray[np.int64]
    """[items]: where each item's title ends and its text begins."""
    sentence_starts: list[NDArray[np.int64]]
    """Per item [sentences + 1]: where each sentence of its text begins."""
    sentences: list[list[str]]
    """Per item: the sentences of its text that were read, `scout.text.sentences(item.text)` from the first on."""

    def part(self, rows: range) -> Tokens:
        """The words of some items that lie together."""
        first, last = int(self.starts[rows.start]), int(self.starts[rows.stop])
        return Tokens(
            self.words[first:last],
            self.ids[first:last],
            self.starts[rows.start : rows.stop + 1] - first,
            self.titles[rows.start : rows.stop] - first,
            [bounds - first for bounds in self.sentence_starts[rows.start : rows.stop]],
            self.sentences[rows.start : rows.stop],
        )

    def lean(self) -> Tokens:
        """Without the words and sentences themselves: ids are enough to learn from, and a tenth of the memory."""
        return Tokens([], self.ids, self.starts, self.titles, [], [])


def join(parts: Sequence[Tokens]) -> Tokens:
    """Lean tokens of several batches, one after the other."""
    sizes = np.cumsum([0, *(len(part.ids) for part in parts)])
    starts = [part.starts[:-1] + size for part, size in zip(parts, sizes[:-1], strict=True)]
    titles = [part.titles + size for part, size in zip(parts, sizes[:-1], strict=True)]
    none = np.zeros(0, dtype=np.int64)
    return Tokens(
        [],
        np.concatenate([np.zeros(0, dtype=np.uint32), *(part.ids for part in parts)]),
        np.concatenate([none, *starts, sizes[-1:]]),
        np.concatenate([none, *titles]),
        [],
        [],
    )


def read(items: Sequence[Item]) -> Tokens:
    words: list[str] = []
    starts = np.zeros(len(items) + 1, dtype=np.int64)
    titles = np.zeros(len(items), dtype=np.int64)
    bounds: list[NDArray[np.int64]] = []
    texts: list[list[str]] = []
    for row, item in enumerate(items):
        words += split(item.title)
        titles[row] = len(words)
        found = _sentences(item.text)
        ends = [len(words)]
        for sentence in found:
            words += split(sentence)
            ends.append(len(words))
        bounds.append(np.array(ends, dtype=np.int64))
        texts.append(found)
        starts[row + 1] = len(words)
    return Tokens(words, word_ids(words), starts, titles, bounds, texts)


def split(text: str) -> list[str]:
    """The words of a text, lower case. Scripts that put no spaces between words are read sign by sign."""
    lowered = text.lower()
    if lowered.isascii():  # in two thirds of the time that a pattern takes
        return [word for word in lowered.translate(_APART).split() if len(word) > 1]
    return _WORD_OR_SIGN.findall(lowered)


def stems(text: str) -> list[str]:
    """The same words without their plurals."""
    return [stem(word) if word[-1] == "s" else word for word in split(text)]  # of others the stem is the word


def word_ids(words: Sequence[str]) -> NDArray[np.uint32]:
    if len(_ids) > _MEMO_LIMIT:
        _ids.clear()
    return np.fromiter(map(_ids.__getitem__, words), dtype=np.uint32, count=len(words))


def _sentences(text: str) -> list[str]:
    if len(text) <= LONGEST:
        return sentences(text)
    cut = sentences(text[:LONGEST])
    return cut[:-1] or cut  # the last one is cut short


class _Ids(dict[str, int]):
    """Word to id, remembered: hashing a word costs ten times what looking it up does."""

    def __missing__(self, word: str) -> int:
        made = self[word] = zlib.crc32(stem(word).encode())
        return made


_ids = _Ids()


def stem(word: str) -> str:
    """The plural gone, and no more: a stronger stemmer makes `why` unreadable and gains nothing here."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "bias", "atlas")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1]
