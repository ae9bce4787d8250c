"""The settings of `[notify]`: where a new digest is told, and who is told that a run ended. Sending it is `scout.notify`'s.

An address that holds its own key (Slack, Discord, Feishu, healthchecks) is a secret: it may come from a file, and is in no
output. What is empty is off. Whether an address makes sense is said by `scout doctor`, not by refusing to start: a digest
is made whether or not somebody can be told of it.
"""

from __future__ import annotations

from pydantic import Field, SecretStr

from scout.config.types import Section, Security


class Mail(Section):
    host: str = ""
    """The SMTP server; empty sends no mail."""
    port: int = Field(587, ge=1, le=65535)
    security: Security = Security.STARTTLS
    user: str = ""
    password: SecretStr = SecretStr("")
    sender: str = ""
    to: dict[str, str] = Field(default_factory=dict)
    """Reader → address."""


class Hook(Section):
    """An address that takes a message by POST."""

    url: SecretStr = SecretStr("")
    readers: tuple[str, ...] = ()
    """Whose digests are sent; empty takes the setting `reader`."""


class Feishu(Hook):
    key: SecretStr = SecretStr("")
    """With signature checking on, what signs."""


class Webhook(Hook):
    token: SecretStr = SecretStr("")
    """Sent as `Authorization: Bearer`."""


class AtomFile(Section):
    folder: str = ""
    """Where READER.xml is written after each run; empty writes none."""
    days: int = Field(14, ge=1, le=366)
    """How many of the newest digests it holds."""


class Notify(Section):
    link: str = ""
    """The address of your dashboard, as those who are told reach it."""
    items: int = Field(10, ge=1, le=25)
    """The most items that a chat message names; a mail holds them all."""
    timeout_seconds: float = Field(10.0, gt=0, le=120)
    ping: SecretStr = SecretStr("")
    """Asked after each run, as healthchecks.io and those like it want it: `/fail` is added where the run failed."""
    mail: Mail = Mail()
    slack: Hook = Hook()
    discord: Hook = Hook()
    feishu: Feishu = Feishu()
    webhook: Webhook = Webhook()
    atom: AtomFile = AtomFile()
