"""Instruction following: requests whose form can be checked by counting. Nothing of the content is judged.

After the manner of IFEval (arXiv 2311.07911); the constraints and their checks are ours. All must hold.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evals import verify
from evals.core import Answer, Case, Suite
from evals.suites import making
from evals.verify import json_object as read

SUBJECTS = ("a lighthouse", "a night train", "a beehive", "an old clock", "a ferry", "a market", "a glacier", "a workshop", "a river",
            "a library", "a vineyard", "a railway bridge")  # fmt: skip
WORDS = """amber basket copper distant early feather garden harbor island journey kettle lantern morning narrow orchard paper quiet
river silver timber under valley winter yellow anchor bridge candle dusty evening forest gentle hollow inland jasmine kindly
ladder meadow northern open pebble quarry rooftop simple tunnel upward velvet window young""".split()
OPENINGS = ("To whom it may concern", "Before anything else", "Here is what I know", "For the record")
CLOSINGS = ("That is all there is.", "Please keep this page.", "More will follow soon.", "This ends the note.")


@dataclass(frozen=True, slots=True)
class Rule:
    words: str
    holds: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Gold:
    rules: tuple[Rule, ...]
    text: str


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)


def paragraphs(text: str) -> list[str]:
    return [each.strip() for each in re.split(r"\n\s*\n", text.strip()) if each.strip()]


def rows(text: str) -> list[str]:
    return [each.strip() for each in text.strip().splitlines() if each.strip()]


def sentence_count(text: str) -> int:
    return len(re.findall(r"[.!?]+(?=\s|$)", text.strip()))


def items(text: str) -> list[str]:
    """What stands in the list items of a text."""
    return [row[2:] for row in rows(text) if row.startswith("- ")]


def _strings(text: str, key: str) -> list[str]:
    """The array of strings under a key of the object that a text is."""
    value = read(text)[key]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError(f"{key} is no array of strings")
    return value


def _ends(text: str, mark: str) -> list[bool]:
    return [row.endswith(mark) for row in rows(text)]


def _sentence(draw: random.Random, size: int, *, first: str = "", put: str = "") -> str:
    said = [first or draw.choice(WORDS), *draw.choices(WORDS, k=size - 1)]
    if put:
        said[-1] = put
    return " ".join(said).capitalize() + "."


def prose(draw: random.Random, level: int) -> Gold:
    count, each, times = draw.randrange(2, 5), draw.randrange(2, 5), draw.randrange(2, 5)
    key = draw.choice(["tide", "brass", "shadow", "gravel"])
    rules = [
        Rule(f"exactly {count} paragraphs with an empty line between them", lambda t: len(paragraphs(t)) == count),
        Rule(
            f"the word `{key}` exactly {times} times", lambda t: [w.casefold() for w in words_of(t)].count(key) == times
        ),
        Rule(
            f"exactly {each} sentences in every paragraph",
            lambda t: all(sentence_count(p) == each for p in paragraphs(t)),
        ),
        Rule("at least 40 words in all", lambda t: len(words_of(t)) >= 40),
        Rule("no commas", lambda t: "," not in t),
    ]
    left, text = times, []
    for _ in range(count):
        said = []
        for _ in range(each):
            said.append(_sentence(draw, 11, put=key if left else ""))
            left -= bool(left)
        text.append(" ".join(said))
    return Gold(tuple(rules[: 2 + level]), "\n\n".join(text))


def bullets(draw: random.Random, level: int) -> Gold:
    count, low = draw.randrange(4, 9), draw.randrange(4, 8)
    high, letter = low + draw.randrange(1, 4), draw.choice("abcdfgilmprst")
    rules = [
        Rule(f"exactly {count} list items, each on a line that begins with `- `", lambda t: len(items(t)) == count),
        Rule(f"each item has {low} to {high} words", lambda t: all(low <= len(words_of(i)) <= high for i in items(t))),
        Rule("the first line is a title within double angle brackets, like <<title>>",
             lambda t: bool(rows(t)) and bool(re.fullmatch(r"<<[^<>]+>>", rows(t)[0]))),
        Rule(f"each item's first word begins with the letter {letter}",
             lambda t: all(i.strip()[:1].casefold() == letter for i in items(t))),
        Rule("no capital letters anywhere", lambda t: t == t.lower()),
    ]  # fmt: skip
    first = next(word for word in WORDS if word[0] == letter)
    lines = ["<<a short list>>"] + [f"- {_sentence(draw, low, first=first).lower()[:-1]}" for _ in range(count)]
    return Gold(tuple(rules[: 2 + level]), "\n".join(lines))


def acrostic(draw: random.Random, level: int) -> Gold:
    word, size = (
        draw.choice(["water", "planet", "orange", "winter", "salmon", "garden", "tower", "pilot"]),
        draw.randrange(4, 8),
    )
    banned = draw.choice(["the", "and", "is"])
    rules = [
        Rule(f"as many lines as `{word}` has letters, whose first letters spell it from the top",
             lambda t: "".join(r[:1] for r in rows(t)).casefold() == word),
        Rule(f"exactly {size} words in every line", lambda t: all(len(words_of(r)) == size for r in rows(t))),
        Rule("the last line ends with an exclamation mark, and no other does",
             lambda t: _ends(t, "!") == [False] * (len(word) - 1) + [True]),
        Rule(f"the word `{banned}` nowhere", lambda t: banned not in [w.casefold() for w in words_of(t)]),
        Rule("a semicolon at the end of every line but the last", lambda t: all(r.endswith(";") for r in rows(t)[:-1])),
    ]  # fmt: skip
    lines = []
    for letter in word:
        first = next(each for each in WORDS if each[0] == letter)
        lines.append(_sentence(draw, size, first=first)[:-1])
    text = ";\n".join(lines) + "!"
    return Gold(tuple(rules[: 2 + level]), text)


def framed(draw: random.Random, level: int) -> Gold:
    opening, closing = draw.choice(OPENINGS), draw.choice(CLOSINGS)
    low = draw.randrange(40, 120, 10)
    marks, high = draw.randrange(2, 5), low + 20
    rules = [
        Rule(f"begins with the words `{opening}`", lambda t: t.strip().startswith(opening)),
        Rule(f"ends with the sentence `{closing}`", lambda t: t.strip().endswith(closing)),
        Rule(f"{low} to {high} words in all", lambda t: low <= len(words_of(t)) <= high),
        Rule(
            f"exactly {marks} placeholders in square brackets, such as [name]",
            lambda t: len(re.findall(r"\[[^\[\]\n]+\]", t)) == marks,
        ),
        Rule("no two sentences on one line", lambda t: all(sentence_count(r) <= 1 for r in rows(t))),
    ]
    lines = [f"{opening} {_sentence(draw, 5).lower()}"]
    lines += [f"Ask [{word}] about it." for word in draw.sample(WORDS, marks)]
    while len(words_of("\n".join([*lines, closing]))) < low:
        lines.append(_sentence(draw, 6))
    return Gold(tuple(rules[: 2 + level]), "\n".join([*lines, closing]))


def record(draw: random.Random, level: int) -> Gold:
    keys = draw.sample(["title", "place", "year", "owner", "colour", "weight", "notes", "parts"], 3 + level)
    lengthy, count = keys[-1], draw.randrange(3, 7)
    numeric, least = keys[0], draw.randrange(100, 900)
    upper = keys[1]
    rules = [
        Rule(f"one JSON object and nothing else, with exactly the keys {', '.join(keys)}, in this order",
             lambda t: list(read(t)) == keys and t.strip()[:1] in "{`" and t.strip()[-1:] in "}`"),
        Rule(f"`{lengthy}` is an array of exactly {count} different strings",
             lambda t: len(set(_strings(t, lengthy))) == len(_strings(t, lengthy)) == count),
        Rule(f"`{numeric}` is an integer above {least}", lambda t: type(read(t)[numeric]) is int and read(t)[numeric] > least),
        Rule(f"`{upper}` is a string in capital letters only", lambda t: isinstance(read(t)[upper], str) and read(t)[upper].isupper()),
        Rule(f"the strings of `{lengthy}` are in alphabetical order", lambda t: _strings(t, lengthy) == sorted(_strings(t, lengthy))),
    ]  # fmt: skip
    value: dict[str, Any] = {key: draw.choice(WORDS) for key in keys}
    value |= {lengthy: sorted(draw.sample(WORDS, count)), numeric: least + 7, upper: value[upper].upper()}
    return Gold(tuple(rules[: 2 + level]), json.dumps(value))


FAMILIES: Mapping[str, Callable[[random.Random, int], Gold]] = {
    "prose": prose, "bullets": bullets, "acrostic": acrostic, "framed": framed, "record": record,
}  # fmt: skip


def one_rule(draw: random.Random, family: str) -> Gold:
    """The easiest level: one rule, which a single word or a few meet."""
    word, other, third = draw.sample(WORDS, 3)
    listed = [word, other, third][: draw.randrange(2, 4)]
    upper = word.upper()
    return {
        "prose": Gold((Rule(f"one sentence with the word `{word}` in it",
                            lambda t: sentence_count(t) <= 1 and word in [w.casefold() for w in words_of(t)]),),
                      f"{_sentence(draw, 4, put=word)}"),
        "bullets": Gold((Rule(f"a list of these words, each on a line of its own that begins with `- `: {', '.join(listed)}",
                              lambda t: [i.casefold() for i in items(t)] == listed == [r[2:].casefold() for r in rows(t)]),),
                        "\n".join(f"- {each}" for each in listed)),
        "acrostic": Gold((Rule(f"the word `{word}` and nothing else, in capital letters", lambda t: t.strip(" \n.`*") == upper),), upper),
        "framed": Gold((Rule(f"begins with the words `{word} {other}`", lambda t: t.strip().casefold().startswith(f"{word} {other}")),),
                       f"{word} {other} {_sentence(draw, 3)}"),
        "record": Gold((Rule(f"one JSON object and nothing else, with exactly the keys {word}, {other}, in this order",
                             lambda t: list(read(t)) == [word, other] and t.strip()[:1] in "{`" and t.strip()[-1:] in "}`"),),
                       json.dumps({word: draw.randrange(9), other: draw.randrange(9)})),
    }[family]  # fmt: skip


def _maker(family: str, make_gold: Callable[[random.Random, int], Gold]) -> making.Maker:
    def make(draw: random.Random, level: int) -> Case[Any]:
        gold = make_gold(draw, level) if level else one_rule(draw, family)
        told = "\n".join(f"- {rule.words}" for rule in gold.rules)
        about = f"Write about {draw.choice(SUBJECTS)}. " if level else ""
        asked = f"{about}Your reply must have this form:\n{told}\nReply with the text alone."
        return making.case("instructions", family, asked, gold, level=level, max_tokens=600)

    return make


def judge(case: Case[Any], text: str) -> verify.Judged:
    broken = [rule.words for rule in case.gold.rules if not _holds(rule, text)]
    kept = round(1 - len(broken) / len(case.gold.rules), 4)
    return float(not broken), f"broken: {broken[0]}" if broken else "all rules hold", {"rules kept": kept}


def _holds(rule: Rule, text: str) -> bool:
    try:
        return rule.holds(text)
    except (ValueError, KeyError, TypeError, IndexError):
        return False


def gold_answer(case: Case[Any]) -> Answer:
    return making.says(case, case.gold.text)


INSTRUCTIONS = Suite(
    name="instructions", version=2, domain="instruction following", title="keeps to a form that can be checked by counting",
    build=making.spread({family: _maker(family, make) for family, make in FAMILIES.items()}, worked=gold_answer),
    verify=verify.by(judge), gold_answer=gold_answer, families=len(FAMILIES),
)  # fmt: skip
