"""What can be seen of an item without understanding it, as numbers: length, authors, links, where it was accepted.

`features.forms` says the like in marks for linear weights; trees find their own cuts and want the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from scout.items import Item
from scout.triage.landscape import Floats

COLUMNS = 18
_PAGES, _FIGURES = re.compile(r"(\d+) ?pages"), re.compile(r"(\d+) fig")
_ACCEPTED = re.compile(r"accept|publish|appear|proceed|workshop|neurips|iclr|icml|aaai|conf|emnlp|journal")
_LINKS = ("github.com", "github.io", "project page", "huggingface", "http")
_LONGEST = 12_000


def numbers(items: Sequence[Item]) -> Floats:
    """[items, COLUMNS]"""
    found = np.zeros((len(items), COLUMNS), dtype=np.float32)
    for row, item in enumerate(items):
        found[row] = _numbers(item)
    return found


def _numbers(item: Item) -> list[float]:
    text, comment = item.text[:_LONGEST], item.comment[:500].lower()
    everything = f"{text} {comment}".lower()
    letters = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8)
    return [
        len(item.authors),
        len(item.text),
        len(item.title),
        len(item.categories),
        *(link in everything for link in _LINKS),
        len(comment),
        ":" in item.title,
        "?" in item.title,
        _ACCEPTED.search(comment) is not None,
        _number(_PAGES.search(comment)),
        _number(_FIGURES.search(comment)),
        float(((letters >= 48) & (letters <= 57)).sum()),
        float(((letters >= 65) & (letters <= 90)).sum()) / max(1, len(letters)),
        float((letters == 36).sum()),
    ]


def _number(found: re.Match[str] | None) -> float:
    return float(found[1][:6]) if found else 0.0
