"""The settings of `[mcp]`: what a researcher's own assistant may do here, and for whom. What it is told is `assistant`'s."""

from __future__ import annotations

from scout.config.types import Section


class Mcp(Section):
    reader: str = ""
    """The reader the assistant asks for; empty for the setting `reader`."""
    thumbs: bool = False
    """Whether it may leave thumbs in that reader's name. Off, no tool writes anything."""
