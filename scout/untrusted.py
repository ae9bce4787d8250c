"""Text from outside as data in a prompt: it can neither end the marks around it nor imitate a turn of the conversation. No I/O.

Two strengths. `neutral` and `delimited` are for short texts, on lines of their own: every tag is defused, nothing is random,
and the same item gives the same prompt. `harmless` and `fenced` are for documents and code, which keep their lines and look:
only what chat templates use is broken up, inside marks that no text written before can know. No filter stops a text from
arguing with a model; this only keeps it from pretending to be somebody else.
"""

from __future__ import annotations

import re
import secrets

from scout.text import line, tex_to_plain, tidy

OPEN, CLOSE = "<item>", "</item>"
_LONGEST = 20_000
_TAG = re.compile(r"<(?=\s*[A-Za-z/|!?<｜])")
"""The beginning of a tag, of a control token (`<|im_start|>`, `<｜User｜>`, `<s>`, `<think>`) or of our own delimiters."""
_TAG_END = re.compile(r"(?<=[|｜])>|>(?=>)")
_BRACKETED = re.compile(r"\[(?=\s*/?\s*(?:INST|SYS\w*|AVAILABLE_TOOLS|TOOL\w*|IMG)\s*\])", re.I)
_TEMPLATE = re.compile(
    r"<(?=[|｜]|\s*/?\s*(?:think|tool|function|system|user|assistant|s|bos|eos|im_|start_of_turn|end_of_turn|minimax:|data-)"
    r"[\w.:-]*[\s|>])|(?<=[|｜])>|(?<=\[)(?=\s*/?\s*(?:INST|SYS|TOOL|AVAILABLE_TOOLS))",
    re.I,
)
"""Where the words stand by which chat templates tell turns, thinking and calls apart."""


def neutral(text: str) -> str:
    """`text` on one line, with TeX made readable and whatever a chat template or our delimiters could be made of defused."""
    shown = line(tex_to_plain(text), limit=_LONGEST)
    if "<" in shown or ">" in shown:
        shown = _TAG_END.sub("›", _TAG.sub("‹", shown))
    return _BRACKETED.sub("⟦", shown) if "[" in shown else shown


def delimited(lines: list[str]) -> str:
    """Lines that went through `neutral`, as one block of data."""
    return "\n".join([OPEN, *lines, CLOSE])


def new_fence() -> str:
    """A word that no text written before now can hold."""
    return secrets.token_hex(6)


def fenced(text: str, fence: str) -> str:
    """`text` between marks that only this research knows."""
    return f"<data-{fence}>\n{harmless(text, fence)}\n</data-{fence}>"


def harmless(text: str, fence: str) -> str:
    """`text` with nothing in it that a chat template or the fence would obey; what people see changes by a space."""
    return _TEMPLATE.sub(lambda match: f"{match[0]} " if match[0] == "<" else f" {match[0]}", text).replace(fence, "…")


def folded(text: str, *, limit: int) -> str:
    """`text` tidied on one line, at most `limit` characters."""
    kept = " ".join(tidy(text, limit=4 * limit).split())
    return kept if len(kept) <= limit else f"{kept[:limit]}…"
