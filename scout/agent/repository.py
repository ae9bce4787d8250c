"""A code repository that an item itself links to: fetched as an archive, listed and read in memory, never run.

Which repositories there are is read from the item's own words (`named`). Whoever asks picks one by its number, so that no
address is ever made from what a model says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from scout.agent import outside
from scout.sources.base import Tools

MAX_BYTES = 25_000_000
FETCH_SECONDS = 60.0
MOST_NAMED = 6
_NAMED = re.compile(r"(?<![\w.-])github\.com/([A-Za-z0-9][A-Za-z0-9-]{0,38})/([A-Za-z0-9._-]{1,100})", re.I)
_NOT_OWNERS = frozenset(
    "about apps collections explore features marketplace orgs settings sponsors topics trending".split()
)


@dataclass(frozen=True, slots=True)
class Name:
    owner: str
    name: str

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class File:
    path: str
    size: int
    text: str | None
    """None where it is no text, or too large to be kept."""

    @property
    def lines(self) -> list[str]:
        """As an editor counts them."""
        return [line.rstrip("\r") for line in self.text.removesuffix("\n").split("\n")] if self.text else []


@dataclass(frozen=True, slots=True)
class Repository:
    name: Name
    files: tuple[File, ...]
    """By path."""
    refused: tuple[tuple[str, str], ...] = ()
    """Entries that were not taken (links, devices, paths that lead out), with the reason."""
    left_out: str = ""
    """Why there may be more files than these; empty where there are none."""

    def file(self, path: str) -> File | None:
        return next((file for file in self.files if file.path == path), None)


def named(texts: Iterable[str]) -> tuple[Name, ...]:
    """The repositories that these texts name, in the order in which they do, at most MOST_NAMED."""
    found: dict[str, Name] = {}
    for text in texts:
        for match in _NAMED.finditer(text):
            name = match[2].rstrip(".").removesuffix(".git")
            if match[1].lower() not in _NOT_OWNERS and name.strip("."):
                found.setdefault(f"{match[1]}/{name}".lower(), Name(match[1], name))
    return tuple(found.values())[:MOST_NAMED]


def fetch(name: Name, tools: Tools) -> Repository:
    """The newest state of a repository.

    Raises:
        FetchError: it is not there, cannot be had, or is no archive.
    """
    url = f"{tools.settings.github.url}/{name.owner}/{name.name}/archive/HEAD.tar.gz"
    with tools.manners.host(url):
        answer = tools.fetcher.get(url, accept="application/gzip", max_bytes=MAX_BYTES, deadline=FETCH_SECONDS)
    read = outside.read("archive", answer.body)
    files = tuple(File(str(path), int(size), text) for path, size, text in read["files"])
    refused = tuple((str(path), str(why)) for path, why in read["refused"])
    return Repository(name, files, refused, str(read["left_out"]))
