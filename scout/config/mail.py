"""The settings of `[mail]`: where newsletters lie. Reading them is `sources.maildir`'s and `sources.imap`'s."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from scout.config.types import Name, Section, Security


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("holds a line break or another character that no mailbox has")
    return value


class Imap(Section):
    host: str = ""
    """The server; empty reads no mailbox."""
    port: int = Field(993, ge=1, le=65535)
    security: Security = Security.TLS
    user: Annotated[str, AfterValidator(_one_line)] = ""
    password: SecretStr = SecretStr("")
    mailbox: Annotated[Name, AfterValidator(_one_line)] = "INBOX"
    """As your mail program shows it; it is only read."""
    days: int = Field(14, ge=1, le=366)
    """How far the first poll looks back."""
    timeout_seconds: float = Field(60.0, gt=0, le=600)
    """The longest that one poll may take; the next goes on where it stopped."""


class Mail(Section):
    maildir: str = ""
    """A Maildir that your mail program or fetcher sorts newsletters into; empty for none. It is only read."""
    imap: Imap = Imap()
