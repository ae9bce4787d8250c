"""What `scout doctor --net` asks: the services that everything rests on, and those of the owner's that are set up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scout.cli.finding import Finding, Level

if TYPE_CHECKING:
    from scout.config import Settings
    from scout.config.model import Model

MODEL_SECONDS = 10.0
"""A server that lists its models takes no longer, however long its answers take."""


def answering(settings: Settings) -> Iterator[Finding]:
    """Whether each answers at all. Nothing is changed there, no mail is fetched and no token is generated."""
    yield from _feeds(settings)
    if settings.mail.imap.host:
        yield _mailbox(settings)
    for check, section, asked in (
        ("model", "model", settings.model),
        ("embedding model", "embedding", settings.embedding.endpoint()),
    ):
        for url in asked.base_urls:
            yield _model(asked.model_copy(update={"base_urls": (url,)}), check, section)


def _feeds(settings: Settings) -> Iterator[Finding]:
    from scout.net.errors import FetchError
    from scout.net.fetch import Fetcher

    with Fetcher(settings.net) as fetcher:
        for name, url in (
            ("arXiv", settings.arxiv.rss_url),
            ("the Hub", f"{settings.huggingface.url}/api/models?limit=1"),
        ):
            try:
                fetcher.get(url)
            except FetchError as err:
                if err.status is None:
                    yield Finding(
                        name, Level.WARN, err.message, "Is this machine online? Its address can be set in scout.toml."
                    )
                    continue
            yield Finding(name, Level.OK, f"answers at {url}")


def _mailbox(settings: Settings) -> Finding:
    """Logs in and opens the mailbox for reading."""
    from scout.net.errors import FetchError
    from scout.net.wire import Deadline
    from scout.sources.imap_client import opened

    imap = settings.mail.imap
    try:
        with opened(imap, Deadline(imap.timeout_seconds), max_bytes=settings.net.max_bytes):
            return Finding("mailbox login", Level.OK, f"{imap.mailbox} on {imap.host} opens for {imap.user}")
    except FetchError as err:
        return Finding("mailbox login", Level.WARN, err.message, "See mail.imap in scout.toml.")


def _model(asked: Model, check: str, section: str) -> Finding:
    from scout.serving.client import ModelClient, Patience
    from scout.serving.errors import ModelError

    async def listed() -> tuple[str, ...]:
        once = asked.model_copy(update={"timeout_seconds": MODEL_SECONDS})
        async with ModelClient(once, patience=Patience(attempts=1)) as client:
            return await client.models()

    url = asked.base_urls[0]
    todo = f"See {section}.base_urls; scout serve starts a server. Until it answers, the embedded policy works alone."
    try:
        names = asyncio.run(listed())
    except ModelError as err:
        return Finding(check, Level.WARN, err.message, todo)
    if asked.name and asked.name not in names:
        served = ", ".join(names) or "nothing"
        return Finding(check, Level.WARN, f"{url} serves {served}, not {asked.name}", f"See {section}.name.")
    return Finding(check, Level.OK, f"{url} serves {', '.join(names)}")
