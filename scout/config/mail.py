"""The settings of `[mail]`: where newsletters lie. Reading them is `sources.maildir`'s."""

from __future__ import annotations

from scout.config.types import Section


class Mail(Section):
    maildir: str = ""
    """A Maildir that your mail program or fetcher sorts newsletters into; empty for none. It is only read."""
