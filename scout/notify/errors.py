"""What went wrong with one message."""

from __future__ import annotations


class NotSent(Exception):
    """The other side did not take it; the message says why and holds no address and no key."""
