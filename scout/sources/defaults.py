"""The sources that ship: arXiv, Hugging Face, and a list of blogs. Which of them are wanted is the settings' word.

Nothing here stores anything: ingest lays these over the source table, where what a user removed stays removed.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import quote

from scout.config import Settings
from scout.config.mail import Imap
from scout.config.types import Security
from scout.items import SourceKind

ARXIV = "arxiv"
HF_DAILY = "hf-daily"
HF_RELEASES = "hf-releases"
MAIL = "maildir"
MAILBOX = "imap"


class Wanted(NamedTuple):
    id: str
    kind: SourceKind
    url: str
    title: str


def wanted(settings: Settings) -> list[Wanted]:
    """The shipped sources that these settings ask for, with the addresses they have in these settings."""
    found: list[Wanted] = []
    if settings.arxiv.enabled and settings.arxiv.categories:
        url = f"{settings.arxiv.rss_url}/{'+'.join(settings.arxiv.categories)}"
        found.append(Wanted(ARXIV, SourceKind.ARXIV, url, f"arXiv {', '.join(settings.arxiv.categories)}"))
    if settings.huggingface.enabled:
        hub = settings.huggingface.url
        found.append(Wanted(HF_DAILY, SourceKind.HF_DAILY, f"{hub}/papers", "Hugging Face daily papers"))
        if settings.huggingface.organizations:
            found.append(Wanted(HF_RELEASES, SourceKind.HF_RELEASES, f"{hub}/models", "Hugging Face model releases"))
    if settings.mail.maildir:
        found.append(Wanted(MAIL, SourceKind.MAILDIR, f"maildir:{settings.mail.maildir}", "Newsletters"))
    if settings.mail.imap.host:
        found.append(Wanted(MAILBOX, SourceKind.IMAP, _address(settings.mail.imap), "Newsletters by IMAP"))
    return found + (list(blogs()) if settings.sources.defaults else [])


def _address(given: Imap) -> str:
    """A mailbox as an address (RFC 5092), without the name of whose it is: addresses are shown."""
    scheme = "imap" if given.security is Security.NONE else "imaps"
    return f"{scheme}://{given.host}:{given.port}/{quote(given.mailbox, safe='/')}"


@cache
def blogs() -> tuple[Wanted, ...]:
    """The shipped list of blogs, whatever the settings."""
    text = files("scout.sources").joinpath("defaults.toml").read_text(encoding="utf-8")
    return tuple(Wanted(row["id"], SourceKind.FEED, row["url"], row["title"]) for row in tomllib.loads(text)["blog"])
