"""Send what is new, once a digest and reader and channel, and remember it. Nothing here ever stops a run.

A message is sent and then written down as sent. A process that is killed between the two sends it again the next time:
at least once, not at most once; a mail is then the same message by its Message-ID. What failed is tried again by later
runs, for `DAYS` days.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from scout.clock import now, today
from scout.config import Settings
from scout.digest.atom import feed_of
from scout.digest.build import find
from scout.notify.channels import Channel, channels
from scout.notify.errors import NotSent
from scout.notify.message import message, trial
from scout.notify.post import post, problem
from scout.store import Store

log = logging.getLogger("scout")

DAYS = 3
"""A digest that could not be sent is tried again for so many days."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message."""

    channel: str
    reader: str
    day: str
    problem: str = ""
    """Why it was not sent; empty where it was."""


def deliver(store: Store, settings: Settings, names: Sequence[str]) -> list[Sent]:
    """Send every unsent digest of these readers, and write their feeds. Whatever goes wrong is in what is returned."""
    found: list[Sent] = []
    for channel in channels(settings):
        for reader in channel.readers:
            if reader in names:
                found += _guarded(partial(_digests, store, settings, channel, reader), channel.name, reader)
    if settings.notify.atom.folder:
        for reader in names:
            found += _guarded(partial(_feed, store, settings, reader), "atom", reader)
    return found


def _guarded(send: Callable[[], list[Sent]], channel: str, reader: str) -> list[Sent]:
    """A fault of ours costs this message, never the run."""
    try:
        return send()
    except Exception as err:
        log.exception("notification failed", extra={"channel": channel, "reader": reader})
        return [Sent(channel, reader, "", f"{type(err).__name__}; the log says more")]


def _digests(store: Store, settings: Settings, channel: Channel, reader: str) -> list[Sent]:
    found, day = [], today(settings)
    for unsent in store.deliveries.unsent(reader, channel.name, today=day, since=day - timedelta(days=DAYS)):
        digest = find(store, reader=reader, day=unsent)
        if digest is None:
            continue
        told = message(digest, reader=reader, most=settings.notify.items, link=settings.notify.link)
        sent = Sent(channel.name, reader, unsent.isoformat())
        try:
            if channel.problem:
                raise NotSent(channel.problem)
            channel.send(told, digest)
        except NotSent as err:
            log.warning("not sent", extra={"channel": channel.name, "reader": reader, "problem": str(err)})
            store.deliveries.failed(reader, unsent, channel.name, now(), str(err))
            sent = replace(sent, problem=str(err))
        else:
            store.deliveries.sent(reader, unsent, channel.name, now())
        found.append(sent)
        if sent.problem:
            break  # the other days would fare no better
    return found


def _feed(store: Store, settings: Settings, reader: str) -> list[Sent]:
    """Write the reader's feed in one step; a folder that cannot be written is told."""
    days = store.digests.dates(reader)[: settings.notify.atom.days]
    digests = [made for day in days if (made := find(store, reader=reader, day=day)) is not None]
    if not digests:
        return []
    sent = Sent("atom", reader, digests[0].date.isoformat())
    try:
        write(feed_file(settings, reader), feed_of(digests, reader=reader))
    except (OSError, RuntimeError) as err:
        return [replace(sent, problem=f"notify.atom.folder cannot be written: {getattr(err, 'strerror', None) or err}")]
    return [sent]


def feed_file(settings: Settings, reader: str) -> Path:
    """Where a reader's feed is; no name of a reader leads out of the folder."""
    return Path(settings.notify.atom.folder).expanduser() / f"{quote(reader, safe='').replace('.', '%2E')}.xml"


def write(path: Path, text: str) -> None:
    """Put `text` in the place of `path` in one step, readable by whoever serves it.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=".feed-", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def try_out(settings: Settings, only: str | None = None) -> list[Sent]:
    """Send a made-up message by every way that is set up, or by one; nothing is remembered."""
    found, day = [], today(settings)
    for channel in channels(settings):
        if only not in (None, channel.name):
            continue
        for reader in channel.readers:
            sent = Sent(channel.name, reader, day.isoformat())
            try:
                if channel.problem:
                    raise NotSent(channel.problem)
                told = trial(reader=reader, day=day, link=settings.notify.link)
                channel.send(told, None)
            except NotSent as err:
                sent = replace(sent, problem=str(err))
            found.append(sent)
    return found


def ping(settings: Settings, *, failed: bool, message: str) -> str:
    """Tell the owner's health check that a run ended; why it could not be told, or empty."""
    url = settings.notify.ping.get_secret_value().strip()
    if not url:
        return ""
    if wrong := problem(url):
        return f"notify.ping {wrong}"
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + "/fail" if failed else parts.path
    try:
        post(
            urlunsplit(parts._replace(path=path)), message.encode("utf-8", "replace")[:10_000],
            seconds=settings.notify.timeout_seconds, headers={"content-type": "text/plain; charset=utf-8"},
        )  # fmt: skip
    except NotSent as err:
        return str(err)
    return ""
