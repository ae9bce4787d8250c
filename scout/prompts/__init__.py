"""Prompt texts as files, each with its version in its head. Filling in and sending them is for others.

A file begins with `version: N` between two lines of `---`. `{{name}}` is a place that `Prompt.fill` fills.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_HEAD = re.compile(r"\A---\nversion: (\d+)\n---\n+", re.ASCII)
_PLACE = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    version: int
    text: str
    hash: str
    """Of version and text: changes when anything a model would read does."""

    def fill(self, **values: str) -> str:
        """The text with its places filled; what is filled in is taken as it is, braces and all.

        Raises:
            KeyError: a place was given no value.
        """
        return _PLACE.sub(lambda place: values[place[1]], self.text)


@cache
def prompt(name: str) -> Prompt:
    """The prompt in `name`.md of this folder.

    Raises:
        FileNotFoundError: there is none.
        ValueError: its head tells no version.
    """
    source = files(__package__).joinpath(f"{name}.md").read_text(encoding="utf-8")
    head = _HEAD.match(source)
    if head is None:
        raise ValueError(f"the prompt {name}.md must begin with its version between two lines of ---")
    text = source[head.end() :].strip()
    digest = hashlib.blake2b(f"{head[1]}\0{text}".encode(), digest_size=6).hexdigest()
    return Prompt(name, int(head[1]), text, digest)
