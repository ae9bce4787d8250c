"""Checks for the instructions of IFEval (arXiv 2311.07911), written anew from their descriptions.

Those that need a language detector or a sentence splitter of a library's are left out: an item that has one is not imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Given = Mapping[str, Any]


def _relation(count: float, given: Given, wanted: str) -> bool:
    least = float(given[wanted])
    return count >= least if given.get("relation", "at least") == "at least" else count < least


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _keyword_frequency(text: str, given: Given) -> bool:
    return _relation(len(re.findall(re.escape(given["keyword"]), text, re.IGNORECASE)), given, "frequency")


def _letter_frequency(text: str, given: Given) -> bool:
    found = text.casefold().count(given["letter"].casefold())
    return _relation(found, {"relation": given.get("let_relation", "at least"), "n": given["let_frequency"]}, "n")


def _capital_words(text: str, given: Given) -> bool:
    count = sum(word.isupper() for word in _words(text))
    return _relation(
        count, {"relation": given.get("capital_relation", "at least"), "n": given["capital_frequency"]}, "n"
    )


def _paragraphs(text: str, given: Given) -> bool:
    return len([each for each in re.split(r"\s?\*\*\*\s?", text) if each.strip()]) == int(given["num_paragraphs"])


def _first_word(text: str, given: Given) -> bool:
    parts = [each for each in re.split(r"\n\n", text) if each.strip()]
    place = given["nth_paragraph"]
    if len(parts) != given["num_paragraphs"] or not 1 <= place <= len(parts):
        return False
    words = parts[place - 1].strip().split()
    return bool(words) and words[0].strip("'\"“”.,?!").casefold() == str(given["first_word"]).casefold()


def _json(text: str, given: Given) -> bool:
    plain = re.sub(r"^```(?:json)?|```$", "", text.strip(), flags=re.IGNORECASE).strip()
    try:
        json.loads(plain)
    except (ValueError, RecursionError):
        return False
    return True


def _two_responses(text: str, given: Given) -> bool:
    parts = [each.strip() for each in text.split("******") if each.strip()]
    return len(parts) == 2 and parts[0] != parts[1]


def _sections(text: str, given: Given) -> bool:
    return len(re.findall(rf"\s?{re.escape(given['section_spliter'])}\s?\d+\s?", text)) >= int(given["num_sections"])


def _highlights(text: str, given: Given) -> bool:
    marked = re.findall(r"\*[^\n*]+\*", text)
    return sum(bool(each.strip("*").strip()) for each in marked) >= int(given["num_highlights"])


def _ends(text: str, given: Given) -> bool:
    return text.strip().strip('"').casefold().endswith(str(given["end_phrase"]).strip().casefold())


def _postscript(text: str, given: Given) -> bool:
    marker = given["postscript_marker"]
    pattern = {"P.S.": r"p\.\s?s\.", "P.P.S": r"p\.\s?p\.\s?s"}.get(marker, re.escape(marker.casefold()))
    return re.search(pattern, text.casefold()) is not None


RULES: Mapping[str, Callable[[str, Given], bool]] = {
    "keywords:existence": lambda t, g: all(re.search(re.escape(each), t, re.IGNORECASE) for each in g["keywords"]),
    "keywords:forbidden_words": lambda t, g: (
        not any(re.search(rf"\b{re.escape(each)}\b", t, re.IGNORECASE) for each in g["forbidden_words"])
    ),
    "keywords:frequency": _keyword_frequency,
    "keywords:letter_frequency": _letter_frequency,
    "length_constraints:number_words": lambda t, g: _relation(len(_words(t)), g, "num_words"),
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:nth_paragraph_first_word": _first_word,
    "detectable_content:number_placeholders": lambda t, g: len(re.findall(r"\[.*?\]", t)) >= g["num_placeholders"],
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": lambda t, g: (
        len(re.findall(r"^\s*(?:\*[^*]|-).*$", t, re.MULTILINE)) == g["num_bullets"]
    ),
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": lambda t, g: any(each.strip("<> \n") for each in re.findall(r"<<[^\n]+>>", t)),
    "detectable_format:constrained_response": lambda t, g: any(
        each in t for each in ("My answer is yes.", "My answer is no.", "My answer is maybe.")
    ),
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": lambda t, g: t.strip().casefold().startswith(g["prompt_to_repeat"].strip().casefold()),
    "startend:end_checker": _ends,
    "startend:quotation": lambda t, g: len(t.strip()) > 1 and t.strip()[0] == t.strip()[-1] == '"',
    "punctuation:no_comma": lambda t, g: "," not in t,
    "change_case:english_capital": lambda t, g: t.isupper(),
    "change_case:english_lowercase": lambda t, g: t.islower(),
    "change_case:capital_word_frequency": _capital_words,
}
"""Whether a text follows an instruction, by the instruction's id."""


def can_check(rule: Given) -> bool:
    return rule["id"] in RULES


def follows(text: str, rule: Given) -> bool:
    return RULES[rule["id"]](text, rule)
