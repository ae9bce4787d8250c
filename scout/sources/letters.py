"""A mail as plain data: what it says, which list it came by, when. Anybody may write one, so it is read in the processes of `pool`.

What a letter becomes is `newsletters`'; where it lay is `maildir`'s and `imap`'s.
"""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from scout.sources.parsed import Unreadable, plausible
from scout.text import line, plain, tidy

TEXT = 20_000
_MARKUP = 200_000
_LIST = re.compile(r"\s*\"?([^<>\"]*)\"?\s*(?:<([^<>]*)>)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    title: str
    text: str
    """Plain words, at most 20,000 characters."""
    to_list: bool
    """Whether it says that it goes to a list, rather than to a person."""
    list_name: str = ""
    """The list's own name, else its id, else who sent it."""
    message_id: str = ""
    archived: str = ""
    """Where its list keeps it, as it says."""
    date: datetime | None = None
    """Aware, in UTC; may lie in the future, as it was said."""


def read(data: bytes) -> Letter:
    """
    Raises:
        Unreadable: it goes to a list and has neither subject nor text, or is damaged beyond reading.
    """
    try:
        found = _letter(email.message_from_bytes(data, policy=email.policy.default))
    except (MemoryError, RecursionError):
        raise
    except Exception as err:  # the standard library's parser lets through whatever damaged headers make it do
        raise Unreadable(f"damaged beyond reading: {type(err).__name__}: {line(str(err), limit=80)}") from err
    if found.to_list and not (found.title or found.text):
        raise Unreadable("neither subject nor text")
    return found


def _letter(mail: EmailMessage) -> Letter:
    to_list = bool(mail["List-Id"] or mail["List-Unsubscribe"])
    return Letter(
        title=line(str(mail["Subject"] or ""), limit=500),
        text=_words(mail) if to_list else "",
        to_list=to_list,
        list_name=_list_name(mail),
        message_id=line(str(mail["Message-ID"] or ""), limit=1_000),
        archived=line(str(mail["Archived-At"] or "").strip("<> "), limit=2_000),
        date=_date(mail),
    )


def _words(mail: EmailMessage) -> str:
    body: Any = mail.get_body(("html", "plain"))
    if body is None:
        return ""
    content = str(body.get_content())[:_MARKUP]
    return plain(content, limit=TEXT) if body.get_content_type() == "text/html" else tidy(content, limit=TEXT)


def _list_name(mail: EmailMessage) -> str:
    found = _LIST.match(str(mail["List-Id"] or ""))
    sender, address = parseaddr(str(mail["From"] or ""))
    said = (found[1].strip(), found[2]) if found else ()
    return line(next((name for name in (*said, sender, address) if name), ""), limit=120)


def _date(mail: EmailMessage) -> datetime | None:
    header: Any = mail["Date"]
    when: datetime | None = getattr(header, "datetime", None)
    if when is None:
        return None
    try:
        return plausible((when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC))
    except OverflowError:  # the first or last hours that a calendar has
        return None


def as_dict(letter: Letter) -> dict[str, Any]:
    """`letter` as JSON can hold it."""
    return asdict(letter) | {"date": letter.date.isoformat() if letter.date else None}


def from_dict(found: dict[str, Any]) -> Letter:
    """What `as_dict` was given."""
    return Letter(**{**found, "date": datetime.fromisoformat(found["date"]) if found["date"] else None})
