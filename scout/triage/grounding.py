"""Does the source say so? Checks each sentence of a summary against the sentences that it cites. Pure, and strict.

What cannot be supported is dropped with a reason, never mended. This checks that what can be looked up is there: numbers,
names, addresses, the language, and that some of the words are. It cannot tell a sentence turned into its opposite; the
optional question to the model (`settings.model.entailment`) is for that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from scout.items import Point
from scout.text import sentences as split_sentences
from scout.triage import claims

MOST_CITES = 5
"""Who cites everything is checked against nothing."""
LONGEST = 600
_ENOUGH_WORDS = 4
_SHARED = 0.3
"""The share of a claim's words that the cited sentences must have; a paraphrase has half, what comes from elsewhere little."""
_MATHS = frozenset(("GREEK", "MICRO", "OHM", "DOUBLE", "MATHEMATICAL", "SCRIPT", "BLACK"))
"""Letters of formulas, at home in every language."""


class Unsupported(StrEnum):
    """Why a point was dropped."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    REPEATED = "repeated"
    NO_CITATION = "no-citation"
    TOO_WIDE = "too-wide"
    """It cites more sentences than one point can rest on."""
    NO_SUCH_SENTENCE = "no-such-sentence"
    LANGUAGE = "language"
    """Written in another script than the source."""
    ADDRESS = "address"
    NUMBER = "number"
    NAME = "name"
    WORDS = "words"
    """It has hardly a word in common with what it cites."""
    ENTAILMENT = "entailment"
    """The model itself, asked, said that the sentences do not say so."""


@dataclass(frozen=True, slots=True)
class Fault:
    reason: Unsupported
    detail: str = ""
    """What was looked for and not found."""


@dataclass(frozen=True, slots=True)
class Dropped:
    point: Point
    fault: Fault


@dataclass(frozen=True, slots=True)
class Grounded:
    kept: tuple[Point, ...]
    dropped: tuple[Dropped, ...]

    @property
    def by_reason(self) -> dict[str, int]:
        return dict(sorted(Counter(str(each.fault.reason) for each in self.dropped).items()))


def check(points: Sequence[Point], sentences: Sequence[str], *, also: str = "") -> Grounded:
    """Which points the sentences that they cite support. `also` is text that any claim may use beside them.

    `sentences[0]` is number 1.
    """
    kept: list[Point] = []
    dropped: list[Dropped] = []
    told: set[str] = set()
    for point in points:
        fault = _cites(point, len(sentences)) or _repeated(point, told)
        if fault is None:
            cited = " ".join(sentences[number - 1] for number in point.cites)
            fault = unsupported(point.text, cited, also=also, language=" ".join(sentences[:50]))
        if fault is None:
            kept.append(point)
        else:
            dropped.append(Dropped(point, fault))
    return Grounded(tuple(kept), tuple(dropped))


def check_tldr(tldr: str, title: str, sentences: Sequence[str]) -> Fault | None:
    """What the whole text, title included, does not support in this one sentence; None where all is there."""
    text = " ".join(sentences)
    return unsupported(tldr, f"{title}. {text}", language=text or title)


def first_sentence(text: str) -> str:
    """A TLDR is one sentence; what a model adds is left out."""
    return next(iter(split_sentences(text)), "")


def _cites(point: Point, count: int) -> Fault | None:
    if not point.cites:
        return Fault(Unsupported.NO_CITATION)
    if wrong := [number for number in point.cites if not 1 <= number <= count]:
        return Fault(Unsupported.NO_SUCH_SENTENCE, str(wrong[0]))
    return Fault(Unsupported.TOO_WIDE, str(len(point.cites))) if len(point.cites) > MOST_CITES else None


def _repeated(point: Point, told: set[str]) -> Fault | None:
    key = " ".join(point.text.casefold().split()).rstrip(".")
    if key in told:
        return Fault(Unsupported.REPEATED)
    told.add(key)
    return None


def unsupported(claim: str, source: str, *, also: str = "", language: str = "") -> Fault | None:
    """The first thing in `claim` that `source` (or `also`) does not say; None where all of it is there.

    `language` is the text whose script it must be written in; the source unless given.
    """
    if len(claim) > LONGEST:
        return Fault(Unsupported.TOO_LONG, str(len(claim)))
    said = claims.plain(claim)
    if not any(char.isalpha() for char in said):
        return Fault(Unsupported.EMPTY)
    if foreign := _foreign(claim, f"{language or source} {source}"):
        return Fault(Unsupported.LANGUAGE, foreign)
    known = claims.plain(f"{source} {also}")
    if unknown := claims.addresses(said) - claims.addresses(known):
        return Fault(Unsupported.ADDRESS, min(unknown))
    if unknown := claims.numbers(said) - claims.numbers(known):
        return Fault(Unsupported.NUMBER, min(unknown))
    support = claims.Support(known)
    if name := next((name for name in claims.names(said) if not support.has(name)), None):
        return Fault(Unsupported.NAME, name)
    mine = claims.words(said)
    if len(mine) >= _ENOUGH_WORDS and len(mine & claims.words(known)) < _SHARED * len(mine):
        return Fault(Unsupported.WORDS)
    return None


def _foreign(claim: str, source: str) -> str:
    """A script of the claim that is not the source's; empty where there is none."""
    mine, theirs = claims.scripts(claims.plain(claim)), claims.scripts(claims.plain(source))
    if not mine or not theirs:
        return ""
    if strange := sorted(mine.keys() - theirs.keys() - _MATHS):
        return strange[0]
    main = max(sorted(mine), key=mine.__getitem__)
    return "" if main in _MATHS or _leads(main, theirs) else main


def _leads(script: str, theirs: dict[str, int]) -> bool:
    """Whether a text of these letters is written in that script: terms in Latin letters stand in texts of every language."""
    if script != "LATIN":
        return theirs[script] * 3 >= sum(theirs.values())
    others = sum(count for name, count in theirs.items() if name != "LATIN" and name not in _MATHS)
    return others * 3 <= theirs["LATIN"]
