"""Newsletters out of a Maildir: one item a mail, its HTML made plain. The folder is read and never changed.

Only mail that says it goes to a list (List-Id or List-Unsubscribe) is taken: what people write to each other stays unread. A
mail is looked at once; one that cannot be read is named and never asked again.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import mailbox
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from scout.identity import canonical_url, post_id
from scout.items import Item, ItemKind, Outcome, OutcomeKind
from scout.sources.base import Poll, Tools
from scout.sources.parsed import plausible
from scout.store.sources import SourceRow
from scout.text import line, plain, tidy

AT_ONCE = 200
"""Mails looked at in one poll; the rest waits for the next."""
TEXT = 20_000
_MARKUP = 200_000
_LIST = re.compile(r"\s*\"?([^<>\"]*)\"?\s*(?:<([^<>]*)>)?")


class BadMail(Exception):
    """A mail that is no newsletter one can read; the message says why."""


@dataclass(frozen=True, slots=True)
class _Read:
    items: tuple[Item, ...]
    bad: tuple[str, ...]
    personal: int


def poll(source: SourceRow, tools: Tools) -> Poll:
    """The newsletters that came since the last poll. Never raises for what is in the folder."""
    folder = Path(tools.settings.mail.maildir).expanduser()
    try:
        box = mailbox.Maildir(folder, factory=None, create=False)
        keys = sorted(box.keys())
    except (mailbox.Error, OSError) as err:
        message = f"{folder} is no Maildir that can be read (mail.maildir): {type(err).__name__}"
        return Poll(outcome=Outcome(OutcomeKind.UNREADABLE, message), state=source.state)
    names = {key: hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16] for key in keys}
    seen = set(source.state.get("seen", ())) & set(names.values())
    unseen = [key for key in keys if names[key] not in seen]
    now_read = unseen[:AT_ONCE]
    found = _read(box, now_read, source.id, tools)
    waiting = len(unseen) - len(now_read)
    kind = OutcomeKind.OK if now_read else OutcomeKind.UNCHANGED
    return Poll(
        outcome=Outcome(kind, _told(found, waiting)),
        items=found.items,
        state={"seen": sorted(seen | {names[key] for key in now_read})},
    )


def _read(box: mailbox.Maildir, keys: list[str], source: str, tools: Tools) -> _Read:
    items: dict[str, Item] = {}
    bad, personal = [], 0
    for key in keys:
        try:
            with box.get_file(key) as file:
                data = file.read(tools.settings.net.max_bytes + 1)
            if len(data) > tools.settings.net.max_bytes:
                raise BadMail(f"larger than {tools.settings.net.max_bytes:,} bytes (net.max_bytes)")
            item = newsletter(data, source, now=tools.now)
        except Exception as err:  # whatever a mail makes the parser do is that mail's fault
            bad.append(f"{line(key, limit=60)} ({line(str(err), limit=80) or type(err).__name__})")
            continue
        if item is None:
            personal += 1
        else:
            items.setdefault(item.id, item)
    return _Read(tuple(items.values()), tuple(bad), personal)


def newsletter(data: bytes, source: str, *, now: datetime) -> Item | None:
    """The item that a mail is; None where it goes to no list.

    Raises:
        BadMail: it has neither subject nor text. The standard library's parser may raise others on damaged mail.
    """
    mail = email.message_from_bytes(data, policy=email.policy.default)
    if not (mail["List-Id"] or mail["List-Unsubscribe"]):
        return None
    title, words = line(str(mail["Subject"] or ""), limit=500), _words(mail)
    if not (title or words):
        raise BadMail("neither subject nor text")
    archived = line(str(mail["Archived-At"] or "").strip("<> "), limit=2_000)
    id, aliases = post_id(
        source=source, guid=line(str(mail["Message-ID"] or ""), limit=1_000) or None, link=None, title=title, text=words,
        guid_is_unique=True,
    )  # fmt: skip
    name = _list_name(mail)
    return Item(
        id=id, kind=ItemKind.POST, title=title or words[:120], url=archived if canonical_url(archived) else "", text=words,
        source=source, authors=(name,) if name else (), categories=(name,) if name else (),
        published=_date(mail, now), backlog=_date(mail, now) is None, aliases=aliases,
    )  # fmt: skip


def _words(mail: EmailMessage) -> str:
    body: Any = mail.get_body(("html", "plain"))
    if body is None:
        return ""
    content = str(body.get_content())[:_MARKUP]
    return plain(content, limit=TEXT) if body.get_content_type() == "text/html" else tidy(content, limit=TEXT)


def _list_name(mail: EmailMessage) -> str:
    """The list's own name, else its id, else who sent it."""
    found = _LIST.match(str(mail["List-Id"] or ""))
    sender, address = parseaddr(str(mail["From"] or ""))
    said = (found[1].strip(), found[2]) if found else ()
    return line(next((name for name in (*said, sender, address) if name), ""), limit=120)


def _date(mail: EmailMessage, now: datetime) -> datetime | None:
    header: Any = mail["Date"]
    when: datetime | None = getattr(header, "datetime", None)
    if when is None:
        return None
    known = plausible((when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC))
    return min(known, now) if known else None


def _told(found: _Read, waiting: int) -> str:
    notes = []
    if found.bad:
        more = f" and {len(found.bad) - 3} more" if len(found.bad) > 3 else ""
        notes.append(f"could not be read: {', '.join(found.bad[:3])}{more}")
    if found.personal:
        notes.append(f"{found.personal} left alone that go to no list")
    if waiting:
        notes.append(f"{waiting} wait for the next poll")
    return "; ".join(notes)
