"""Untrusted text as data in a prompt: between delimiters it cannot write itself, on lines it cannot begin itself. Pure.

Nothing here is random, so that the same item gives the same prompt. No filter stops a text from arguing with a model;
this only keeps it from pretending to be somebody else.
"""

from __future__ import annotations

import re

from scout.text import line, tex_to_plain

OPEN, CLOSE = "<item>", "</item>"
_TAG = re.compile(r"<(?=\s*[A-Za-z/|!?<｜])")
"""The beginning of a tag, of a control token (`<|im_start|>`, `<｜User｜>`, `<s>`, `<think>`) or of our own delimiters."""
_TAG_END = re.compile(r"(?<=[|｜])>|>(?=>)")
_BRACKETED = re.compile(r"\[(?=\s*/?\s*(?:INST|SYS\w*|AVAILABLE_TOOLS|TOOL\w*|IMG)\s*\])", re.I)
_LONGEST = 20_000


def neutral(text: str) -> str:
    """`text` on one line, with TeX made readable and whatever a chat template or our delimiters could be made of defused."""
    shown = line(tex_to_plain(text), limit=_LONGEST)
    if "<" in shown:
        shown = _TAG_END.sub("›", _TAG.sub("‹", shown))
    return _BRACKETED.sub("⟦", shown) if "[" in shown else shown


def delimited(lines: list[str]) -> str:
    """Lines that went through `neutral`, as one block of data."""
    return "\n".join([OPEN, *lines, CLOSE])
