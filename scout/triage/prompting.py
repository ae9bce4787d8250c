"""From an item and a reader to what a model is asked, and from what it answers back to data. Pure; shared with rl.

The rubric comes first, what is the reader's own at its end, so that a server computes it once; the item comes last, delimited
as data. A prompt holds the text of no item but its own: of others it tells figures only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from scout.items import OTHER, Item, Point
from scout.prompts import prompt
from scout.serving.messages import Message, Role
from scout.text import line, sentences
from scout.triage.novelty import Nearness
from scout.triage.policy import Profile
from scout.untrusted import delimited, neutral

RATING_LABELS = ("1", "2", "3", "4", "5")
"""The action of rating, one token: also what rl trains."""
ENTAILMENT_LABELS = ("Y", "N")
SUBJECT_LABELS = ascii_uppercase + ascii_lowercase
"""The action of routing, one token; the last one used stands for `other`."""
CHARS_PER_TOKEN = 3.5
"""How tokens are estimated before they are spent."""
LABEL_CHARS, SUMMARY_CHARS = 4_000, 12_000
"""How much of an item's text is shown: to be rated, to be summarized."""
ANSWER_TOKENS = 900
"""What a summary may take."""
CLAIM_CHARS = 400
"""What a sentence of a summary may be long."""
_TITLE_CHARS = 600
_WORD = re.compile(r"[^\W\d_]{2,}")

_CLAIM = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": CLAIM_CHARS}, "cites": {"type": "array", "items": {"type": "integer"}}},
    "required": ["text", "cites"],
    "additionalProperties": False,
}  # fmt: skip
SUMMARY_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "tldr": {"type": "string", "maxLength": CLAIM_CHARS},
        "points": {"type": "array", "items": _CLAIM, "minItems": 1, "maxItems": 5},
        "new": _CLAIM,
        "why_it_matters": _CLAIM,
    },
    "required": ["tldr", "points", "new", "why_it_matters"],
    "additionalProperties": False,
}


class BadReply(ValueError):
    """An answer that is not what was asked for; the message is fit to be sent back to the model."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """All that is asked of a model for one reader, without any item."""

    labels: Mapping[str, str]
    """Subject letter → slug."""
    route: str
    rate: str
    summarize: str
    entail: str
    owner_words: str
    """Names and descriptions of the followed subjects: the owner's own words, which a reason may use too."""
    hash: str
    """Of everything above and of the answers' shape."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An item's text as a model is shown it."""

    block: str
    sentences: tuple[str, ...]
    """Those shown, from the first on; number 1 is `sentences(item.text)[0]`."""
    of: int
    """How many sentences the text has."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A summary as the model wrote it: well-formed, not checked against the source."""

    tldr: str
    points: tuple[Point, ...]
    new: Point | None
    why_it_matters: Point | None


def rubric(profile: Profile) -> Rubric:
    """What is asked for this reader."""
    subjects = profile.subjects[: len(SUBJECT_LABELS) - 1]
    letters = dict(zip(SUBJECT_LABELS, [*(s.slug for s in subjects), OTHER], strict=False))
    told = [f"{letter}  {_told(s.name, s.description)}" for letter, s in zip(SUBJECT_LABELS, subjects, strict=False)]
    told.append(f"{SUBJECT_LABELS[len(subjects)]}  none of these")
    followed = [
        _told(s.name, s.description)
        for s in profile.subjects
        if profile.followed is None or s.slug in profile.followed
    ]  # fmt: skip
    wanted = "\n".join(f"- {each}" for each in followed) or "- nothing in particular"
    route = prompt("route").fill(subjects="\n".join(told))
    rate, summarize = prompt("rate").fill(followed=wanted), prompt("summarize").fill(followed=wanted)
    entail, repair = prompt("entail").text, prompt("repair").text
    parts = [route, rate, summarize, entail, repair, json.dumps([letters, SUMMARY_SCHEMA, LABEL_CHARS, SUMMARY_CHARS])]
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=6).hexdigest()
    return Rubric(letters, route, rate, summarize, entail, " ".join(followed), digest)


def _told(name: str, description: str) -> str:
    return f"{name}: {' '.join(description.split())}" if description else name


def shown(item: Item, *, limit: int, defuse: Callable[[str], str] = neutral) -> Shown:
    """The item with its sentences numbered, cut at a sentence where the text is longer than `limit` characters.

    A cut is noted in the block. A first sentence longer than the limit is itself cut at a word. `defuse` is what each text
    goes through; only a measurement of what that is good for gives another.
    """
    every = sentences(item.text)
    lines: list[str] = []
    used = 0
    for sentence in every:
        plain = defuse(sentence[: 4 * limit])
        if used + len(plain) > limit:
            if not lines:
                lines.append(f"{plain[:limit].rpartition(' ')[0] or plain[:limit]} …")
            break
        lines.append(plain)
        used += len(plain)
    head = [f"kind: {item.kind}", f"title: {defuse(item.title[:_TITLE_CHARS]) or '(none)'}"]
    if item.categories:
        head.append(f"categories: {defuse(', '.join(item.categories)[:200])}")
    body = [f"[{number}] {text}" for number, text in enumerate(lines, 1)] or ["(it has no text)"]
    if len(lines) < len(every):
        body.append(f"(cut here: sentences 1 to {len(lines)} of {len(every)} are shown)")
    return Shown(delimited([*head, *body]), tuple(lines), len(every))


def is_readable(item: Shown) -> bool:
    """Whether there is anything to summarize: words, not formulas alone."""
    return sum(len(word) for text in item.sentences for word in _WORD.findall(text)) >= 40


def route_messages(rubric: Rubric, item: Shown) -> list[Message]:
    return _asked(rubric.route, f"{item.block}\n\nThe letter of the item's subject:")


def rate_messages(rubric: Rubric, item: Shown, *, standing: float | None = None) -> list[Message]:
    """`standing` is the share of what the reader has thumbed that the embedded policy puts below the item, for a model that was
    trained to be told it. The rating that it would be is said too: a small model copies sooner than it reckons."""
    told = ""
    if standing is not None:
        would = RATING_LABELS[min(int(standing * len(RATING_LABELS)), len(RATING_LABELS) - 1)]
        told = f"By their earlier thumbs it stands above {standing:.0%} of papers, which would be a {would}.\n"
    return _asked(rubric.rate, f"{item.block}\n\n{told}Your rating, from 1 to 5:")


def summary_messages(rubric: Rubric, item: Shown, near: Nearness) -> list[Message]:
    ask = f"Cite sentence numbers from 1 to {len(item.sentences)}. The JSON object:"
    return _asked(rubric.summarize, f"{item.block}\n\n{_in_figures(near)}\n{ask}")


def repair_messages(messages: Sequence[Message], reply: str, error: str) -> list[Message]:
    """The conversation so far, the answer that cannot be used, and what is wrong with it."""
    said = reply[:2_000] or "(nothing)"
    return [*messages, Message(Role.ASSISTANT, said), Message(Role.USER, prompt("repair").fill(error=error[:300]))]


def entail_messages(rubric: Rubric, claim: str, cited: Sequence[str]) -> list[Message]:
    return _asked(rubric.entail, f"{delimited(list(cited))}\n\nThe claim: {neutral(claim)}\n\nY or N:")


def _asked(system: str, user: str) -> list[Message]:
    return [Message(Role.SYSTEM, system), Message(Role.USER, user)]


def _in_figures(near: Nearness) -> str:
    if not near.compared:
        return "The researcher was shown nothing before this."
    return (
        f"Of the {near.compared} items the researcher was shown lately, {near.close} are near this one; "
        f"the nearest has a similarity of {near.highest:.2f} (0 is nothing in common, 1 is the same)."
    )


def estimated_tokens(messages: Sequence[Message]) -> int:
    return int(sum(len(message.content) for message in messages) / CHARS_PER_TOKEN) + 8 * len(messages)


# --- answers


def parse_summary(text: str) -> Draft:
    """A summary out of the model's answer; a code fence or words around the object are forgiven.

    Raises:
        BadReply: no JSON object of that shape is in it; says what is wrong.
    """
    data = _object(text)
    points = data.get("points")
    if not isinstance(points, list) or not points:
        raise BadReply('"points" must be a list of at least one {"text", "cites"}')
    tldr = data.get("tldr")
    if not isinstance(tldr, str) or not tldr.strip():
        raise BadReply('"tldr" must be a sentence')
    return Draft(
        tldr=_short(line(tldr), '"tldr"'),
        points=tuple(_claim(point, f"point {number}") for number, point in enumerate(points, 1)),
        new=_optional(data, "new"),
        why_it_matters=_optional(data, "why_it_matters"),
    )


def _object(text: str) -> dict[str, Any]:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise BadReply("it holds no JSON object")
    try:
        data = json.loads(text[start : end + 1])
    except (ValueError, RecursionError) as err:
        raise BadReply(f"it is not valid JSON ({err})") from err
    if not isinstance(data, dict):
        raise BadReply("it is not a JSON object")
    return data


def _claim(value: object, what: str) -> Point:
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        raise BadReply(f'{what} must be {{"text", "cites"}}')
    cites = value.get("cites")
    if not isinstance(cites, list) or any(not isinstance(n, int) or isinstance(n, bool) for n in cites):
        raise BadReply(f'"cites" of {what} must be a list of sentence numbers')
    return Point(_short(line(value["text"]), what), tuple(dict.fromkeys(cites)))


def _short(text: str, what: str) -> str:
    if len(text) > CLAIM_CHARS:
        raise BadReply(f"{what} has {len(text)} characters and may have {CLAIM_CHARS}")
    return text


def _optional(data: Mapping[str, Any], key: str) -> Point | None:
    """These may be missing or empty: a summary stands without them."""
    if not data.get(key):
        return None
    claim = _claim(data[key], f'"{key}"')
    return claim if claim.text else None
