"""Transcripts that podcast feeds name (`podcast:transcript`): fetched through the door, made plain, added to the episode's text.

An episode whose transcript was had is not told again by later polls: what is stored of it is the whole of it, and the same
transcript is asked for once. One that cannot be had is asked for again, a few times, and the episode stands without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scout.identity import canonical_url
from scout.items import Item, ItemId
from scout.net.errors import FetchError
from scout.sources.base import Tools
from scout.text import tidy

NEWEST = 5
"""Episodes of a feed, from its top, whose transcripts are asked for."""
TRIES = 3
TEXT = 20_000
"""Characters of description and transcript together."""
MAX_BYTES = 2_000_000
ACCEPT = "text/vtt, application/x-subrip, application/json;q=0.9, text/plain;q=0.8"
_HAD = -1
_TIMING = re.compile(r"\s*(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{3}\s+-->\s")
_NUMBER = re.compile(r"\s*\d{1,6}\s*")
_VOICE = re.compile(r"<v(?:\.[\w.]{1,40})?\s([^<>]{1,100})>")
_MARK = re.compile(r"</?[a-z0-9.:]{0,20}(?:\s[^<>]{0,100})?>", re.IGNORECASE)


def added(
    items: Mapping[ItemId, Item], named: Mapping[ItemId, str], memory: Mapping[str, Any], tools: Tools
) -> tuple[dict[ItemId, Item], dict[str, int]]:
    """The items to tell, with transcripts where they can be had, and what to remember: id → tries, or -1 for had.

    `named` has the addresses of the newest episodes' transcripts. Never raises for what came from outside.
    """
    tries = {id: count for id, count in memory.items() if id in items and isinstance(count, int)}
    told: dict[ItemId, Item] = {}
    for id, item in items.items():
        if tries.get(id) == _HAD:
            continue
        told[id] = item
        if id in named and tries.get(id, 0) < TRIES:
            words = _fetched(named[id], tools)
            tries[id] = _HAD if words else tries.get(id, 0) + 1
            if words:
                told[id] = replace(item, text=f"{item.text}\n\n{words}".strip()[:TEXT].rstrip())
    return told, tries


def _fetched(url: str, tools: Tools) -> str:
    """The words at that address; empty where there are none to be had."""
    if canonical_url(url) is None:
        return ""
    try:
        with tools.manners.host(url):
            answer = tools.fetcher.get(url, accept=ACCEPT, max_bytes=MAX_BYTES)
    except FetchError:
        return ""
    return plain(answer.body.decode("utf-8", "replace"))


def plain(text: str) -> str:
    """The words of a transcript in WebVTT, SubRip, the podcast namespace's JSON, or plain text; empty for anything else."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("{"):
        return tidy("\n".join(_segments(start)), limit=TEXT)
    if start.startswith("<"):
        return ""  # a page: rarely the transcript alone
    return tidy("\n".join(_cues(start)), limit=TEXT)


def _segments(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    parts = found.get("segments") if isinstance(found, dict) else None
    lines: list[str] = []
    last = ""
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict) and isinstance(part.get("body"), str):
            who = str(part.get("speaker") or "")[:100]
            lines.append(f"{who}: {part['body']}" if who and who != last else part["body"])
            last = who
    return lines


def _cues(text: str) -> list[str]:
    """Lines that are said, without numbers, times, notes and marks."""
    is_timed = "-->" in text
    lines: list[str] = []
    skipping = text.startswith("WEBVTT")
    for row in text.splitlines():
        if not row.strip():
            skipping = False
        elif is_timed and row.startswith(("NOTE", "STYLE", "REGION")):
            skipping = True
        elif not skipping and not (is_timed and (_TIMING.match(row) or _NUMBER.fullmatch(row))):
            said = _MARK.sub("", _VOICE.sub(r"\1: ", row)).strip() if is_timed else row
            if said and (not lines or said != lines[-1]):
                lines.append(said)
    return lines
