"""Text from outside as it is put before a model: fenced, and unable to end its fence or to imitate a turn of the conversation."""

from __future__ import annotations

import re
import secrets

from scout.text import tidy

_TEMPLATE = re.compile(
    r"<(?=[|｜]|\s*/?\s*(?:think|tool|function|system|user|assistant|s|bos|eos|im_|start_of_turn|end_of_turn|minimax:|data-)"
    r"[\w.:-]*[\s|>])|(?<=[|｜])>|(?<=\[)(?=\s*/?\s*(?:INST|SYS|TOOL|AVAILABLE_TOOLS))",
    re.I,
)
"""Where the words stand by which chat templates tell turns, thinking and calls apart."""


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
