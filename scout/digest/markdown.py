"""The digest as Markdown that reads well as it stands, in a terminal, and rendered, on GitHub.

Every text from outside is escaped so that it stays text: no heading, link, image, table or HTML can come out of a title.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from scout.digest import wording
from scout.digest.model import Digest, Entry

WIDTH = 96

_INLINE = re.compile(r"([\\`*_\[\]<>|~$])|&(?=#|\w+;)|(?<=\w):(?=//)|(?<=\bwww)\.|!(?=\[)")
_LEADING = re.compile(r"^([-+=#])|^(\d{1,9})([.)])")


def escape(text: str) -> str:
    """One line of plain text as Markdown that shows exactly it, wherever a line or a list item may begin."""
    inner = _INLINE.sub(lambda found: "\\" + found[0], text)
    return _LEADING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", inner)


def markdown(digest: Digest) -> str:
    """The whole digest; ends with a line break."""
    return "\n".join(_lines(digest)).rstrip() + "\n"


def _lines(digest: Digest) -> Iterator[str]:
    yield f"# Digest of {wording.long_day(digest.date)}"
    yield ""
    if digest.is_empty:
        why, advice = wording.why_empty(digest)
        yield f"**Empty.** {why} {advice}"
        yield ""
    else:
        yield wording.headline(digest)
        yield ""
    if digest.note:
        yield from _wrapped(f"Note: {wording.shown(digest.note)}", first="> ", rest="> ")
        yield ""
    for block in digest.subjects:
        yield from _section(wording.shown(block.name), block.entries)
    if digest.unsure:
        yield from _section("Unsure", digest.unsure, "Your thumbs on these teach the most.")
    yield from _releases(digest)
    if told := wording.left_out(digest):
        yield told
        yield ""
    if digest.policy:
        yield f"Decided by `{digest.policy.replace('`', '')}`."


def _section(name: str, entries: tuple[Entry, ...], hint: str = "") -> Iterator[str]:
    yield f"## {escape(name)}"
    yield ""
    if hint:
        yield hint
        yield ""
    for entry in entries:
        yield from _entry(entry)


def _entry(entry: Entry) -> Iterator[str]:
    marker = f"{entry.position}. "
    indent = " " * len(marker)
    title = escape(wording.shown(entry.title)) or "(without a title)"
    url = wording.safe_url(entry.url)
    chance = f" · *by chance, {wording.by_chance(entry)}*" if entry.is_explored else ""
    asks = f" · *{wording.ASKS}*" if entry.asks else ""
    yield f"{marker}**{_link(title, url)}** · {wording.percent(entry.probability)}{chance}{asks}"
    yield ""
    yield f"{indent}{escape(wording.about(entry))}"
    if entry.label:
        yield ""
        yield f"{indent}*{escape(wording.shown(entry.label))}*"
    for aside in wording.asides(entry):
        yield ""
        yield from _wrapped(aside, first=indent, rest=indent)
    if entry.summary.tldr:
        yield ""
        yield from _wrapped(wording.shown(entry.summary.tldr), first=indent, rest=indent)
    if reasons := wording.reasons(entry):
        signed = ", ".join(f"{'+' if reason.is_for else '−'} {escape(reason.text)}" for reason in reasons)
        yield ""
        yield f"{indent}*Why: {signed}*"
    yield ""


def _link(text: str, url: str) -> str:
    if not url:
        return text
    return f"[{text}](<{url}>)" if "(" in url or ")" in url else f"[{text}]({url})"


def _releases(digest: Digest) -> Iterator[str]:
    if not digest.releases:
        return
    yield "## New open models"
    yield ""
    for release in digest.releases:
        verdict = f" · {escape(wording.shown(release.verdict))}" if release.verdict else ""
        name = _link(escape(wording.shown(release.id)), wording.hub_url(release.id))
        yield f"- {name} · {wording.short_day(release.published.date())}{verdict}"
    yield ""


def _wrapped(text: str, *, first: str, rest: str) -> Iterator[str]:
    """`text`, escaped line by line, so that no line that wrapping makes begins a list or a heading."""
    lines = textwrap.wrap(text, WIDTH - len(rest), break_long_words=False, break_on_hyphens=False)
    for number, one in enumerate(lines):
        yield (rest if number else first) + escape(one)
