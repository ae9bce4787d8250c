"""What a new version of a text says that the old one did not, sentence by sentence. Pure.

Sentences that are the same words count as the same. A sentence that went and one that came in its place, alike enough, are
one that was reworded; the rest was added or removed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from scout.text import line, sentences, tex_to_plain
from scout.triage.tokens import LONGEST, split

REWORDED = 0.5
"""Words in common from which a sentence is another's new wording."""
NOTE_CHARS = 200
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*\s?%?")


@dataclass(frozen=True, slots=True)
class Change:
    """From one version to the next. Sentences as they stand in the texts, in their order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reworded: tuple[tuple[str, str], ...] = ()
    """(before, after)"""
    title: tuple[str, str] | None = None
    """(before, after), where it changed."""

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.reworded or self.title)


def change(old_title: str, old_text: str, new_title: str, new_text: str) -> Change:
    before, after = sentences(old_text[:LONGEST]), sentences(new_text[:LONGEST])
    added: list[str] = []
    removed: list[str] = []
    reworded: list[tuple[str, str]] = []
    matcher = difflib.SequenceMatcher(None, [_bare(s) for s in before], [_bare(s) for s in after], autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            continue
        gone, come = list(before[i:j]), list(after[k:m])
        for old in list(gone):
            best = max(come, key=lambda new: _alike(old, new), default=None)
            if best is not None and _alike(old, best) >= REWORDED:
                reworded.append((old, best))
                gone.remove(old)
                come.remove(best)
        removed += gone
        added += come
    title = (old_title, new_title) if _bare(old_title) != _bare(new_title) else None
    return Change(tuple(added), tuple(removed), tuple(reworded), title)


def note(found: Change) -> str:
    """The change in a line: how much, the first new number or sentence. Empty where nothing changed."""
    if found.is_empty:
        return ""
    parts = ["a new title"] if found.title else []
    parts += [
        f"{len(which)} sentence{'s' if len(which) > 1 else ''} {what}"
        for which, what in ((found.added, "added"), (found.removed, "removed"), (found.reworded, "reworded"))
        if which
    ]
    told = ", ".join(parts)
    if numbers := _numbers(found.reworded):
        detail = f"{numbers[0]} is now {numbers[1]}"
    elif found.added:
        detail = f"“{line(tex_to_plain(found.added[0]))}”"
    else:
        return told
    whole = f"{told}: {detail}"
    return whole if len(whole) <= NOTE_CHARS else f"{whole[: NOTE_CHARS - 2].rstrip()}…”"


def _numbers(reworded: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """The first number that stands where another stood."""
    for old, new in reworded:
        before, after = _NUMBER.findall(old), _NUMBER.findall(new)
        if len(before) == len(after):
            for was, now in zip(before, after, strict=True):
                if was != now:
                    return was.strip(), now.strip()
    return None


def _bare(sentence: str) -> str:
    return " ".join(sentence.lower().split())


def _alike(old: str, new: str) -> float:
    mine, theirs = set(split(old)), set(split(new))
    return len(mine & theirs) / max(1, len(mine | theirs))
