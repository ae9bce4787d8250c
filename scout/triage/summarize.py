"""Summaries made of an item's own sentences: the one that best carries it, and two to four more that say why and how well.

Every line is a sentence of the text with its number, so nothing is claimed that the text does not say. Texts keep their
TeX; faces render it. Weights were chosen on the training part of SciTLDR, see docs/triage.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from scout.items import Item, Point, Summary
from scout.triage import tokens

BY = "extractive"
LONGEST = 350
"""Characters of a line; a longer sentence ends at a clause with an ellipsis."""
_CHUNK = 500
_CENTRAL, _ANNOUNCES, _LONG, _SHORT, _AVAILABLE = 0.5, 0.3, 0.1, 0.3, 0.5
_ECHO = 0.9
"""A sentence with so much of the title and nothing else says nothing new."""
_STOP = (
    "the of and to in for we that is on with by are as this from an be which can our it these or not at have has their "
    "its also using use based such than more into between however been both they but while where when through most many "
    "via two one other thus often work paper show propose present new approach method model result"
).split()
_SPEAKER = frozenset("we our this here".split())
_ANNOUNCE = frozenset(
    "propose proposed present presented introduce introduced introducing develop developed describe study studied investigate "
    "show showed demonstrate explore design designed provide analyze analyse release releasing released argue address "
    "addressing find found announce announcing share sharing build built derive prove establish".split()
)
_RESULT = frozenset(
    "outperform outperforming surpass achieve achieving improve improving improved improvement reduce reducing reduction result "
    "experiment experimental show demonstrate find finding reveal evaluate evaluation gain accuracy speedup faster".split()
)
_PROBLEM = frozenset(
    "however challenge challenging lack limit limited limitation remain despite fail suffer difficult yet bottleneck expensive "
    "underexplored unclear struggle".split()
)
_AVAILABILITY = frozenset("http https available github code subscribe website".split())
_ENUMERATOR = re.compile(
    r"(?:\((?:\d{1,2}|i{1,3}|iv|vi{0,3}|ix|[a-h])\)|(?:\d{1,2}|i{1,3}|iv|vi{0,3}|ix|[a-h])\)|[•‣▪◦*–—-])\s+(?=\S)"
)
_CLAUSE = re.compile(r"[,;:](?= )| [–—-](?= )")


@dataclass(frozen=True, slots=True)
class _Sentence:
    number: int
    """From 1, in `scout.text.sentences(item.text)`."""
    text: str
    all_words: frozenset[int]
    words: frozenset[int]
    """Ids of its words that carry meaning."""
    length: int
    """In words."""
    centrality: float
    """Mean share of the text's sentences in which its words occur."""


def extractive(items: Sequence[Item]) -> list[Summary]:
    """One summary an item, in order. A summary depends on its item alone."""
    return [
        summary
        for start in range(0, len(items), _CHUNK)
        for summary in _summaries(items[start : start + _CHUNK], tokens.read(items[start : start + _CHUNK]))
    ]


@dataclass(frozen=True, slots=True)
class _Cues:
    """Word lists as ids, to be compared with a sentence's words."""

    stop: frozenset[int]
    speaker: frozenset[int]
    announce: frozenset[int]
    result: frozenset[int]
    problem: frozenset[int]
    availability: frozenset[int]

    @staticmethod
    def make() -> _Cues:
        lists = (_STOP, _SPEAKER, _ANNOUNCE, _RESULT, _PROBLEM, _AVAILABILITY)
        return _Cues(*(frozenset(tokens.word_ids(sorted(words)).tolist()) for words in lists))

    def announces(self, sentence: _Sentence) -> bool:
        return not (self.announce.isdisjoint(sentence.all_words) or self.speaker.isdisjoint(sentence.all_words))

    def reports(self, sentence: _Sentence) -> bool:
        return "%" in sentence.text or not self.result.isdisjoint(sentence.all_words)

    def complains(self, sentence: _Sentence) -> bool:
        return not self.problem.isdisjoint(sentence.all_words)

    def advertises(self, sentence: _Sentence) -> bool:
        """Tells where to find the code or the rest, not what it is."""
        found = len(self.availability & sentence.all_words)
        return found > 1 or (found == 1 and ("http" in sentence.text or sentence.length < 14))


def _summaries(items: Sequence[Item], read: tokens.Tokens) -> list[Summary]:
    cues = _Cues.make()
    return [_summary(item, *_parsed(read, row, cues.stop), cues) for row, item in enumerate(items)]


def _parsed(read: tokens.Tokens, row: int, stop: frozenset[int]) -> tuple[frozenset[int], list[_Sentence]]:
    """The title's words and the sentences of an item."""
    first = int(read.starts[row])
    ids = read.ids[first : read.starts[row + 1]].tolist()
    bounds = (read.sentence_starts[row] - first).tolist()
    spoken = [frozenset(ids[begin:end]) for begin, end in pairwise(bounds)]
    spread = Counter(chain.from_iterable(spoken))
    total = max(1, len(spoken))
    sentences = []
    for number, (text, every) in enumerate(zip(read.sentences[row], spoken, strict=True), 1):
        if every:
            words = every - stop
            centrality = sum(map(spread.__getitem__, words)) / (total * max(1, len(words)))
            sentences.append(_Sentence(number, text, every, words, bounds[number] - bounds[number - 1], centrality))
    return frozenset(ids[: int(read.titles[row]) - first]) - stop, sentences


def _summary(item: Item, title: frozenset[int], sentences: list[_Sentence], cues: _Cues) -> Summary:
    if not sentences:
        return Summary(item.id, shorten(item.title), (), BY)
    scores = [_carries(sentence, title, cues, alone=len(sentences) == 1) for sentence in sentences]
    best = sentences[scores.index(max(scores))]
    others = [sentence for sentence in sentences if sentence is not best]
    points = tuple(Point(quoted(other.text), (other.number,)) for other in _points(others, best, cues))
    return Summary(item.id, quoted(best.text), points, BY)


def _carries(sentence: _Sentence, title: frozenset[int], cues: _Cues, *, alone: bool) -> float:
    """How well a sentence stands for the whole: likeness to the title, to the rest, and whether it announces something."""
    size = len(sentence.words)
    shared = len(sentence.words & title)
    score = float(shared / max(1.0, (len(title) * size) ** 0.5))
    if not alone and shared >= max(1, _ECHO * size) and sentence.length <= len(title) + 6:
        return score - 1.0
    score += _CENTRAL * sentence.centrality + _ANNOUNCES * cues.announces(sentence)
    score -= _AVAILABLE * cues.advertises(sentence)
    return score - _LONG * max(0.0, sentence.length / 30 - 1) - _SHORT * max(0.0, 1 - sentence.length / 8)


def _points(sentences: list[_Sentence], tldr: _Sentence, cues: _Cues) -> list[_Sentence]:
    """Two to four sentences beside `tldr`, in the text's order: what it found, what it does, what the trouble was."""
    left = [s for s in sentences if s.length >= 4 and not cues.advertises(s)]
    wanted = 2 if len(left) < 5 else 3 if len(left) < 9 else 4
    told = [tldr]
    chosen: list[_Sentence] = []

    def worth(sentence: _Sentence) -> float:
        repeated = max(len(sentence.words & other.words) for other in told) / max(1, len(sentence.words))
        return sentence.centrality - 0.7 * repeated - 0.02 * max(0, 8 - sentence.length)

    for role in (cues.reports, cues.announces, cues.complains, None):
        fitting = [s for s in left if role is None or role(s)]
        if fitting and len(chosen) < wanted:
            best = max(fitting, key=worth)
            chosen.append(best)
            told.append(best)
            left.remove(best)
    while left and len(chosen) < wanted:
        best = max(left, key=worth)
        chosen.append(best)
        left.remove(best)
    return sorted(chosen, key=lambda sentence: sentence.number) if len(chosen) > 1 else []


def quoted(sentence: str) -> str:
    """A sentence as it stands alone: of an enumeration it was taken out of, its number or bullet stays behind."""
    found = _ENUMERATOR.match(sentence)
    return shorten(sentence[found.end() :] if found else sentence)


def shorten(sentence: str) -> str:
    """At most `LONGEST` characters: cut at a clause or a word, never inside a formula, and marked with an ellipsis."""
    sentence = " ".join(sentence.split())
    if len(sentence) <= LONGEST:
        return sentence
    head = sentence[: LONGEST - 2]
    if head.count("$") % 2:
        head = head[: head.rindex("$")]
    cuts = [
        cut.start()
        for cut in _CLAUSE.finditer(head)
        if cut.start() > LONGEST // 2 and not head[: cut.start()].count("$") % 2
    ]
    end = cuts[-1] if cuts else head.rfind(" ") if " " in head[LONGEST // 2 :] else len(head)
    return head[:end].rstrip(" ,;:–—-") + " …"
