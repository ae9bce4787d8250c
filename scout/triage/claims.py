"""What a text claims that can be looked up in another: its numbers, names, addresses and words, each in one spelling. Pure.

Made for checking a model's sentence against its source, so both sides go through the same functions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from scout.text import tex_to_plain

_GROUPED = re.compile(r"(?<=\d)[,'’\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
        "nineteen twenty".split(),
        2,
    )
}
_SPELLED = re.compile(rf"\b({'|'.join(sorted(_NUMBER_WORDS, key=len, reverse=True))})(?=fold\b|\b)", re.I)
_NUMBER = re.compile(
    r"(?<![\w.])(?<![^\W\d_][-–])(?P<sign>(?<![^\s(\[=~])[-−])?(?P<digits>\d+(?:\.\d+)?|\.\d+)"
    r"(?:(?P<near>%|[kKMBT]|bn|x|×)|\s?(?P<far>%|per\s?cent|percent|[-\s]?fold|×|times)"
    r"|[\s-](?P<large>thousand|million|billion|trillion))?(?!\w)"
)
_SCALE = {"k": 3, "thousand": 3, "m": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "t": 12, "trillion": 12}
_TIMES = frozenset(("x", "×", "times", "fold"))
_TOKEN = re.compile(r"[^\W_]+(?:[-–'’./+@&_][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]+|\b[\w.+-]+@[\w-]+\.[\w.-]+|"
    r"\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|ai|dev|co|app|info|xyz|me|ly|gg|sh|edu|gov)\b(?:/[^\s<>\"')\]]*)?",
    re.I,
)
_STARTS = re.compile(r"(?:^|[.!?:;…]|[.!?]['\"”’)])[\s\"'“‘(\[]*$")
_OPENERS = frozenset(
    "a an the this that these those it its they their there here we our he she in on at to of for from by with within without "
    "and or but yet so as if when while where which who what how why than then thus both each every all any some most more "
    "many much few several other another such same one no not only also even new existing prior recent current using based "
    "despite because since although though however unlike under over across through between among during after before via "
    "per up out work paper model method approach framework code data author researcher study team benchmark dataset training "
    "can may will would should could must is are was were be been has have had do did does make made show shown give given "
    "find found introduce propose present achieve improve reduce provide enable allow release released evaluate".split()
)
_ORDINARY_END = re.compile(r"(?:s|ing|ed|ly|tion|ment|ity|ness|able|ful)$")
_LITTLE = frozenset(
    "that this with from they their have been were which than into over such also more most each other using".split()
)


def plain(text: str) -> str:
    """TeX and odd signs as ordinary characters; addresses and digit groups in one spelling."""
    ungrouped = _GROUPED.sub("", tex_to_plain(text))
    return unicodedata.normalize("NFKC", ungrouped)


def numbers(text: str) -> set[str]:
    """The numbers of a plain text: `12.5%` for 12.5 percent, `7000000000` for 7B, `3x` for threefold; words up to twenty too."""
    digits = _SPELLED.sub(lambda word: _NUMBER_WORDS[word[1].lower()], text)
    return {_number(found) for found in _NUMBER.finditer(digits)}


def _number(found: re.Match[str]) -> str:
    unit = (found["near"] or found["far"] or found["large"] or "").lower().strip(" -")
    value = Decimal(found["digits"]).scaleb(_SCALE.get(unit, 0)).normalize()
    shown = f"{'-' if found['sign'] else ''}{value:f}"
    if unit in ("%", "percent", "per cent"):
        return f"{shown}%"
    return f"{shown}x" if unit in _TIMES else shown


def addresses(text: str) -> set[str]:
    """Web and mail addresses, lower case, without what a sentence puts behind them."""
    return {found[0].lower().rstrip(".,;:!?/") for found in _ADDRESS.finditer(text)}


def names(text: str) -> Iterator[str]:
    """Names, acronyms and codes such as `GPT-4o`: what is capitalised without having to be, or mixes letters and digits."""
    text = _ADDRESS.sub(" ", text)
    for found in _TOKEN.finditer(text):
        token = re.sub(r"['’]s$", "", found[0])
        if not any(char.isalpha() for char in token):
            continue
        if any(char.isdigit() for char in token):
            if not _NUMBER.fullmatch(token) and not _is_counted(token):
                yield token
        elif _is_name(token, text[: found.start()]):
            yield token


def _is_name(token: str, before: str) -> bool:
    if any(char.isupper() for char in token[1:]):
        return True
    return token[0].isupper() and not (_STARTS.search(before) is not None and _is_ordinary(token))


def _is_counted(token: str) -> bool:
    """Whether it is a number tied to a plain word, such as `3-fold` or `12-layer`: the number is checked as one."""
    first, _, rest = token.partition("-")
    return first.isdigit() and rest.isalpha() and rest.islower()


def _is_ordinary(word: str) -> bool:
    """Whether a capitalised word at the start of a sentence is an everyday one, as far as its form tells."""
    lowered = word.lower()
    return lowered in _OPENERS or lowered.split("-")[0] in _OPENERS or bool(_ORDINARY_END.search(lowered))


class Support:
    """What a source says, to be asked for names."""

    def __init__(self, text: str) -> None:
        text = plain(text)
        parts = [part.casefold() for part in _PART.findall(text)]
        self._keys = set(parts) | {_key(token) for token in _TOKEN.findall(text)}
        self._keys |= {one + other for one, other in pairwise(parts)}
        self._initials = f" {''.join(part[0] for part in parts if part not in _LITTLE_WORDS)} "

    def has(self, name: str) -> bool:
        """Whether the name stands there, whatever its case, hyphens or plural; or, from three letters on, what it is short for."""
        key = _key(name)
        if key in self._keys or key.removesuffix("s") in self._keys or f"{key}s" in self._keys:
            return True
        if not any(char.isdigit() for char in name):
            pieces = [piece for piece in _PART.findall(name) if piece[0].isupper()]
            if len(pieces) > 1 or (pieces and pieces[0] != name):
                return all(self.has(piece) for piece in pieces)
        short = name.removesuffix("s")
        return len(short) >= 3 and short.isalpha() and short.isupper() and short.lower() in self._initials


_LITTLE_WORDS = frozenset("a an and as at by for from in is of on or the to via with".split())


def _key(name: str) -> str:
    return "".join(_PART.findall(name)).casefold()


def words(text: str) -> set[str]:
    """Beginnings of the words that carry meaning."""
    found = (word.casefold() for word in re.findall(r"[^\W\d_]{4,}", text))
    return {word[:5] for word in found if word not in _LITTLE}


def scripts(text: str) -> dict[str, int]:
    """Script → how many letters of it, such as LATIN, CYRILLIC or CJK."""
    found: dict[str, int] = {}
    for char in text:
        if char.isalpha():
            script = "LATIN" if char.isascii() else _script(char)
            found[script] = found.get(script, 0) + 1
    return found


def _script(char: str) -> str:
    first = unicodedata.name(char, "UNKNOWN").replace("-", " ").split(" ")[0]
    return "CJK" if first in ("HIRAGANA", "KATAKANA", "IDEOGRAPHIC") else first
